"""What a finalist has to stand up to, beyond the check: other names, twisted tests, the plain command.

The lies that these are there for are in benchmarks/attack/forgeries.py, and run in tests/benchmarks/attack.
"""

from __future__ import annotations

import sys

import pytest

from sandbox.base import Environment, Limits
from sandbox.local import LocalSandbox
from swesearch.base import Check, Replace
from swesearch.solve.proofs import proofs, rest_proofs
from swesearch.store import Store
from swesearch.value.checks import CheckRun

CODE = "def answer():\n    return 41\n"
PLAIN = "from deep import answer\n\n\ndef test_answer():\n    assert answer() == 42\n"
BY_NAME = "from deep import answer\n\n\ndef test_answer(request):\n    assert (answer(), request.node.name) == (42, 'test_answer')\n"


@pytest.fixture(scope="module")
def box():
    sandbox = LocalSandbox(Environment(python=sys.executable), slots=1)
    yield sandbox
    sandbox.close()


@pytest.fixture
def prove(repo, tmp_path, box):
    """What is said of a change of deep.py, given the tests."""

    def go(tests, after, command=("pytest", "-q", "test_deep.py"), more=None, seconds=30, before=CODE):
        store = Store.open(repo({"deep.py": before, "test_deep.py": tests, "conftest.py": "", **(more or {})}), tmp_path / "store")
        root = store.root()
        check = CheckRun(store, box, root, Check(command), Limits(seconds=seconds))
        assert list(check.baseline.failing) == ["test_deep.py::test_answer"]
        state = store.apply(root, [Replace("deep.py", before.encode(), after.encode())])
        found = [*proofs(check, state, box), *(rest_proofs(check, state, box) if more is not None else ())]
        store.close()
        return found

    return go


def test_an_honest_mend_passes_under_any_name_fails_where_twisted_and_passes_by_the_plain_command(prove):
    found = prove(PLAIN, CODE.replace("41", "42"))
    assert [proof.holds for proof in found] == [True, True, True]
    assert found[1].words == "passes under random names too (1), and fails where they are twisted so that they must (1)"
    assert "plain command" in found[2].words


IDLE = "from deep import answer, around\n\n\n@around\ndef test_answer():\n    with open(__file__):\n        answer().bit_length\n"
AROUND = "\n\ndef around(test):\n    return lambda: test()\n"


@pytest.mark.parametrize(
    ("code", "holds"), [("    return 41\n" + AROUND, True), ("    return None\n" + AROUND.replace("test()", "None"), False)]
)
def test_a_test_that_does_not_run_any_more_has_not_passed(prove, code, holds):
    """What the test is wrapped in belongs to the code; the test itself has no assertion that could be twisted."""
    found = prove(IDLE, "def answer():\n" + code, before="def answer():\n    return None\n" + AROUND)
    assert found[1].holds is holds


SLOW = """

def test_slowly():
    began = process_time()
    while process_time() - began < 0.7:
        pass
    assert str(answer()).isdigit()


def test_of_something_else():
    assert answer() == 7
"""


@pytest.mark.parametrize(("after", "holds"), [("42", True), ("42.0", False)])
def test_a_slow_test_beside_the_failing_one_goes_on_to_pass(prove, after, holds):
    """It takes longer than tests are given at first, so it is in no list of those that pass."""
    tests = "from time import process_time\n" + PLAIN + SLOW
    found = prove(tests, CODE.replace("41", after), command=("pytest", "-q", "test_deep.py::test_answer"))
    assert found[-1].holds is holds
    assert holds or found[-1].words == "newly failing in the same files: test_deep.py::test_slowly"


def test_a_test_that_depends_on_its_own_name_is_not_held_against_a_candidate(prove):
    found = prove(BY_NAME, CODE.replace("41", "42"))
    assert all(proof.holds for proof in found)
    assert "depend on their own" in found[1].words


def test_code_that_only_works_with_our_runner_in_the_process_is_refused(prove):
    after = "import sys\n\n\ndef answer():\n    return 42 if 'swesearch_probe' in sys.modules else 41\n"
    found = prove(PLAIN, after)
    assert [proof.holds for proof in found] == [True, True, False]
    assert "without our runner" in found[2].words


def test_a_plain_command_that_does_not_show_the_bug_is_not_held_against_a_candidate(prove):
    """Its summary is switched off, so nobody can tell what fails; and with a plugin's help it fails for another reason."""
    tests = PLAIN + "\n\ndef test_ours():\n    import sys\n    assert 'swesearch_probe' in sys.modules\n"
    found = prove(tests, CODE.replace("41", "42"), ("pytest", "-q", "-rN", "test_deep.py"))
    assert all(proof.holds for proof in found)
    assert "was not compared" in found[2].words


@pytest.mark.parametrize(("kept", "holds"), [("odd() == 1", True), ("answer() == 41", False)])
def test_where_all_other_tests_take_too_long_those_that_the_change_reaches_are_compared(prove, kept, holds):
    others = {
        "test_a_long.py": "import pytest, time\n\n\n@pytest.mark.parametrize('n', range(20))\ndef test_long(n):\n    time.sleep(1)\n",
        "test_kept.py": f"from deep import answer, odd\n\n\ndef test_kept():\n    assert {kept}\n",
    }
    found = prove(PLAIN, CODE.replace("41", "42"), more={**others, "deep.py": CODE + "\n\ndef odd():\n    return 1\n"}, seconds=8)
    assert [proof.holds for proof in found] == [True, True, True, holds]
    assert ("none of 1 passing tests near the change is broken" if holds else "test_kept.py::test_kept") in found[3].words
