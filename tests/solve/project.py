"""A small project with one bug, and what shows it."""

CLAMP = """\
def clamp(value, low, high):
    if value < low:
        return low
    if value < high:
        return high
    return value


def mean(numbers):
    return sum(numbers) / len(numbers)
"""
TESTS = """\
from pkg.core import clamp, mean


def test_clamp_high():
    assert clamp(9, 1, 5) == 5


def test_clamp_inside():
    assert clamp(3, 1, 5) == 3


def test_clamp_low():
    assert clamp(0, 1, 5) == 1


def test_mean():
    assert mean([1, 2, 3]) == 2
"""
FILES = {"pkg/__init__.py": "", "pkg/core.py": CLAMP, "tests/test_core.py": TESTS}
CHECK = "pytest -q tests/test_core.py"

# Lets several repairs pass: no test says what becomes of a value between the limits.
WEAK = TESTS.replace("def test_clamp_inside():\n    assert clamp(3, 1, 5) == 3\n\n\n", "")

# What one of these tests wants no edit can do: a search goes on to the end of its budget.
HOPELESS = FILES | {"tests/test_core.py": TESTS.replace("clamp(3, 1, 5) == 3", "sorted(clamp(3, 1, 5)) == [7, 91]")}

# The check says nothing of what test_more.py asks for.
FEE = {
    "fee.py": "def fee(amount, member):\n    if member and amount > 100:\n        return 0\n    return 5\n",
    "test_fee.py": "from fee import fee\n\n\ndef test_member():\n    assert fee(50, True) == 0\n",
    "test_more.py": "from fee import fee\n\n\ndef test_large():\n    assert (fee(200, True), fee(200, False)) == (0, 5)\n",
}
