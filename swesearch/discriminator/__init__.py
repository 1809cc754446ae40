"""Which candidate to hand in: fewer hunks, behaviour on changed inputs, anti-patterns, size and naturalness."""
