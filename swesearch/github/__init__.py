"""GitHub: issues in, pull requests out, and proof that travels with them."""
