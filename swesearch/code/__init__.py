"""Understand code: parse it, and find the suspicious lines."""
