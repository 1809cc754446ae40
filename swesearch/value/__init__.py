"""How good is a state: terms from cheap to dear, combined by `hybrid`."""
