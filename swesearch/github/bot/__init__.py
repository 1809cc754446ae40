"""The pre-merge bot: proves by running tests that a pull request breaks something, and offers a fix. Else it is silent."""
