"""Facts from dead branches, and what they do to priors."""

import pytest

from swesearch.agents.experience import experience, fact, weight
from swesearch.agents.hypothesis import Hypothesis
from tests.agents.attempts import ROOT, edit, refused, tried


def hypothesis(approach="Add a guard.", files=("a.py",)):
    return Hypothesis("It is wrong.", files, approach, "", 0.5)


def test_a_fact_is_an_edit_and_what_the_tests_did():
    attempt = tried("Compare less strictly.", edit(), passed=["t::a"], broken=["t::b"])
    assert fact(attempt) == "- a.py: `x > 1` became `x >= 1` -> t::a pass now; t::b newly fail"


def test_an_edit_that_does_not_apply_is_a_fact():
    assert fact(refused("Do it.", "a.py: the text is not there", edit())).endswith("-> does not apply: a.py: the text is not there")


def test_an_edit_that_mends_nothing_is_a_fact_with_what_the_failure_says():
    assert fact(tried("Try.", edit(), says="t::a: KeyError: 'x'")).endswith("-> failing: t::a: KeyError: 'x'")
    assert fact(tried("Try.", edit())).endswith("-> no failing test passes")


@pytest.mark.parametrize(
    "attempt",
    [ROOT, refused("Think.", "gave up: I believe the bug is in the database"), tried("No edits.")],
    ids=["the root", "given up", "no edits"],
)
def test_what_a_model_says_is_no_fact(attempt):
    assert fact(attempt) == ""


def test_a_judge_and_the_words_of_a_hypothesis_are_no_facts():
    told = fact(tried("The cause is surely the cache.", edit(), passed=["t::a"], judge="the database is to blame"))
    assert "database" not in told
    assert "cache" not in told


def test_all_facts_together_are_bounded_and_the_best_come_first():
    attempts = [tried(f"Try {n}.", edit(after=f"x >= {n}"), passed=["t::a"], value=n / 100) for n in range(100)]
    text = experience(attempts, most=500)
    assert len(text) <= 500
    assert text.startswith("- a.py: `x > 1` became `x >= 99`")
    assert experience([]) == ""


def test_the_same_fact_is_told_once():
    assert experience([tried("One.", edit()), tried("Other.", edit())]).count("\n") == 0


def test_an_edit_of_a_long_file_is_told_briefly():
    lines = [f"line {n}" for n in range(50)]
    text = fact(tried("Try.", edit(before="\n".join(lines), after="\n".join([*lines[:20], "y" * 500, *lines[21:]]))))
    assert text.startswith("- a.py: `line 20` became `yyy")
    assert len(text) < 200


def test_a_file_where_edits_failed_speaks_against_a_hypothesis_and_one_where_they_gained_for_it():
    failed = [tried(f"Rewrite {n}.", edit("a.py", after=f"{n}")) for n in range(3)]
    good = [tried(f"Rewrite {n}.", edit("b.py", after=f"{n}"), passed=["t"]) for n in range(3)]
    assert weight(hypothesis("Rewrite it.", ("a.py",)), []) == 1.0
    assert weight(hypothesis("Rewrite it.", ("a.py",)), failed) == pytest.approx(2 * 1 / 5)
    assert weight(hypothesis("Rewrite it.", ("b.py",)), good) == pytest.approx(2 * 4 / 5)
    assert weight(hypothesis("Rewrite it.", ("c.py",)), failed + good) == pytest.approx(1.0)


def test_what_breaks_other_tests_is_no_gain():
    broke = [tried("Rewrite.", edit("a.py"), passed=["t"], broken=["u"])]
    assert weight(hypothesis("Rewrite it.", ("a.py",)), broke) < 1


def test_a_kind_of_approach_that_failed_speaks_against_its_like_in_other_files():
    failed = [tried("Catch the exception.", edit("b.py"))]
    assert weight(hypothesis("Catch the error.", ("a.py",)), failed) < weight(hypothesis("Sort the items.", ("a.py",)), failed)


def test_plans_that_were_never_measured_weigh_nothing():
    assert weight(hypothesis(), [refused("Add a guard.", "gave up"), refused("Add a guard.", "not there", edit())]) == 1.0
