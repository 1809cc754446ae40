"""What is fuzzed. One list of targets for two ways: tests/fuzz runs it with hypothesis, `python -m benchmarks.fuzz` with atheris."""
