"""Run untrusted code: files in, facts out, nothing left behind."""
