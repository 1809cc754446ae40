"""Search over anything: ask which state to work on, tell what came of it. Imports nothing of ours."""
