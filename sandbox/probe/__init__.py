"""What runs inside a box: our agent, and the test runner it starts. Standard library only."""
