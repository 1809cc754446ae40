"""Ideas: where edits come from."""
