"""Attacks on a real installation: hostile candidates in every sandbox, hostile repositories on the host, hostile words to a model."""
