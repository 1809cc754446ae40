"""Localisation on small programs that really ran."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from sandbox.base import Frame, Kind, TestOutcome, TestRun
from swesearch.base import State
from swesearch.code.localise import Localisation, Localiser, Suspicion, Trace, focus, localise
from swesearch.value.protect import is_test

Watch = Callable[[Mapping[str, str]], list[TestOutcome]]

CRASH = {
    "headers.py": """\
DEFAULT = None


def clean(pairs):
    kept = {}
    for name, value in pairs:
        text = value.decode()
        if name != "Host":
            kept[name] = text
    return kept


def send(pairs):
    size = len(pairs)
    return clean(pairs), size
""",
    "test_headers.py": """\
from headers import send


def test_plain():
    assert send([("A", b"1")]) == ({"A": "1"}, 1)


def test_unset():
    assert send([("A", None)]) == ({}, 1)
""",
}
WRONG = {
    "shop.py": """\
FREE = 50


def subtotal(prices):
    total = 0
    for price in prices:
        total += price
    return total


def shipping(total):
    if total > FREE:
        return 0
    return 5


def greeting(name):
    return "Dear " + name
""",
    "test_shop.py": """\
from shop import greeting, shipping, subtotal


def test_greeting():
    assert greeting("Ann") == "Dear Ann"


def test_subtotal():
    assert subtotal([1, 2]) == 3


def test_shipping_is_free_from_fifty():
    total = subtotal([20, 30])
    assert shipping(total) == 0
""",
}


def of(files: Mapping[str, str], outcomes: Sequence[TestOutcome], issue: str = "") -> Localisation:
    failing = [o for o in outcomes if o.outcome == "failed"]
    passing = [o for o in outcomes if o.outcome == "passed"]
    assert failing
    return localise(failing, passing, issue, is_test, lambda path: files.get(path, "").encode())


def lines(found: Localisation) -> list[tuple[str, int]]:
    return [(s.path, s.line) for s in found.lines]


def mass(found: Localisation, path: str, *numbers: int) -> float:
    return sum(s.score for s in found.lines if s.path == path and s.line in numbers)


def test_the_line_that_raised_has_most_of_the_mass(watch: Watch) -> None:
    found = of(CRASH, watch(CRASH))
    assert lines(found)[0] == ("headers.py", 7)
    assert mass(found, "headers.py", 7) > 0.5
    assert mass(found, "headers.py", 6, 7) > mass(found, "headers.py", 14, 15)


def test_after_a_failed_assertion_the_function_it_calls_is_suspected(watch: Watch) -> None:
    found = of(WRONG, watch(WRONG))
    assert lines(found)[0] == ("shop.py", 12)
    assert mass(found, "shop.py", 12, 14) > 0.5


def test_what_ran_on_import_has_a_small_share(watch: Watch) -> None:
    found = of(WRONG, watch(WRONG))
    assert 0 < mass(found, "shop.py", 1) < 0.1
    assert 0 < mass(found, "shop.py", 11) < 0.1


def test_what_no_failing_test_ran_is_not_suspected(watch: Watch) -> None:
    found = of(WRONG, watch(WRONG))
    assert mass(found, "shop.py", 17, 18) == 0
    assert all(not is_test(s.path) for s in found.lines)


def test_scores_fall_and_sum_to_one(watch: Watch) -> None:
    scores = [s.score for s in of(CRASH, watch(CRASH)).lines]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0)


def test_the_condition_before_a_raise_is_suspected_more_than_the_raise(watch: Watch) -> None:
    files = {
        "loop.py": "def check(current):\n    if current is None:\n        raise RuntimeError('already exists')\n    return current\n",
        "test_loop.py": "from loop import check\n\n\ndef test_new():\n    check(None)\n",
    }
    assert lines(of(files, watch(files)))[0] == ("loop.py", 2)


def test_literals_names_and_errors_of_the_failure_are_kept(watch: Watch) -> None:
    found = of(CRASH, watch(CRASH))
    assert found.errors == (("AttributeError", "'NoneType' object has no attribute 'decode'"),)
    assert found.names == ("decode",)
    assert "1" in found.literals


def test_an_issue_shifts_mass_to_what_it_mentions(watch: Watch) -> None:
    outcomes = watch(WRONG)
    plain, told = of(WRONG, outcomes), of(WRONG, outcomes, issue="`subtotal` is wrong")
    assert mass(told, "shop.py", 5, 7, 8) > mass(plain, "shop.py", 5, 7, 8)


def test_without_lines_the_traceback_alone_localises() -> None:
    files = {"a.py": "import os\n\n\ndef f(x):\n    y = x + 1\n    return y.z\n"}
    found = of(files, [TestOutcome("", "failed", error="AttributeError", message="no z", frames=(Frame("a.py", 6, "f"),))])
    assert lines(found)[:2] == [("a.py", 6), ("a.py", 5)]


def test_a_line_at_module_level_that_raises_is_found() -> None:
    files = {"a.py": "x = 1\ny = x.z\n"}
    found = of(files, [TestOutcome("", "failed", error="AttributeError", frames=(Frame("a.py", 2, "<module>"),))])
    assert lines(found) == [("a.py", 2)]


def test_a_test_that_only_reads_a_constant_points_at_what_ran_on_import() -> None:
    files = {"a.py": 'NAME = "a"\nLIMIT = 10\n', "test_a.py": "def test_limit():\n    assert a.LIMIT == 11\n"}
    test = TestOutcome("test_a.py::test_limit", "failed", error="AssertionError", frames=(Frame("test_a.py", 2, "test_limit"),))
    found = localise([test], [], "", is_test, lambda path: files[path].encode(), imported={"a.py": (1, 2)})
    assert lines(found)[0] == ("a.py", 2)


def test_in_a_run_that_did_not_end_loops_are_suspected_most() -> None:
    source = "def f(n):\n    a = n\n    b = a\n    while a:\n        b += 1\n    return b\n"
    files = {"a.py": source, "test_a.py": "def test_f():\n    f(3)\n"}
    hung = TestOutcome("test_a.py::test_f", "failed", error="Timeout", lines={"a.py": (2, 3, 4, 5)})
    assert set(lines(of(files, [hung]))[:2]) == {("a.py", 4), ("a.py", 5)}


def test_nothing_is_known_of_a_failure_without_lines_and_frames() -> None:
    assert localise([TestOutcome("t", "failed", error="X")], [], "", is_test, lambda path: b"").lines == ()


def test_the_focus_is_all_lines_of_a_statement_and_the_header_of_a_compound_one() -> None:
    source = b"x = [\n    1,\n]\nif x and (\n    y\n):\n    z\n"
    found = focus([Suspicion("a.py", 1, 0.5), Suspicion("a.py", 4, 0.5)], lambda path: source)
    assert found == {"a.py": (1, 2, 3, 4, 5, 6)}


def test_a_localiser_runs_lines_then_types_once_per_state(watch: Watch) -> None:
    outcomes, asked = watch(CRASH), []

    def run(state: State, trace: Trace) -> TestRun:
        asked.append(trace)
        if trace.kind == "types":
            return TestRun("complete", types={"headers.py:7": {"value": (Kind("NoneType"),)}})
        wanted = [o for o in outcomes if o.id in trace.tests or o.id.split("::")[0] in trace.tests]
        return TestRun("complete", tuple(wanted))

    locate = Localiser(run, lambda state, path: CRASH[path].encode(), ["test_headers.py::test_unset"], "", is_test)
    found = locate(State("t"))
    assert locate(State("t")) is found
    assert lines(found)[0] == ("headers.py", 7)
    assert found.types == {"headers.py:7": {"value": (Kind("NoneType"),)}}
    assert [(t.kind, t.tests) for t in asked] == [
        ("lines", ("test_headers.py::test_unset", "test_headers.py")),
        ("types", ("test_headers.py::test_unset",)),
    ]
    assert 7 in asked[-1].focus["headers.py"]


def test_where_the_failing_tests_end_the_run_the_others_are_traced_in_one_of_their_own(watch: Watch) -> None:
    outcomes, asked = watch(CRASH), []

    def run(state: State, trace: Trace) -> TestRun:
        asked.append((trace.kind, trace.tests))
        broke = "test_headers.py::test_unset" in trace.tests
        return TestRun("crashed" if broke else "complete", tuple(o for o in outcomes if broke == (o.outcome == "failed")))

    locate = Localiser(run, lambda state, path: CRASH[path].encode(), ["test_headers.py::test_unset"], "", is_test)
    assert lines(locate(State("t")))[0] == ("headers.py", 7)
    assert asked[1] == ("lines", ("test_headers.py",))


def test_a_collection_error_is_localised_by_its_frames() -> None:
    frames = (Frame("test_a.py", 1, "<module>"), Frame("a.py", 2, "<module>"))

    def run(state: State, trace: Trace) -> TestRun:
        return TestRun("broken", detail="test_a.py: AttributeError: 'int' object has no attribute 'z'", frames=frames)

    files = {"a.py": b"x = 1\ny = x.z\n", "test_a.py": b"import a\n"}
    found = Localiser(run, lambda state, path: files[path], ["test_a.py::test_f"], "", is_test)(State("t"))
    assert lines(found) == [("a.py", 2)]
    assert found.names == ("z",)


def test_a_string_that_only_one_side_of_the_comparison_has_tells_where_it_is_written(watch: Watch) -> None:
    files = {
        "page.py": "def foot(name):\n    return '<bye>%s</bye>' % name\n\n\ndef head(name):\n    return f'<h1>{name}</h1>'\n",
        "test_page.py": """\
from page import foot, head


def test_page():
    page = foot("x") + head("x")
    assert page == "<by>x</by><h1>x</h1>", f"assert {page!r} == '<by>x</by><h1>x</h1>'"
""",
    }
    (failed,) = watch(files)
    found = localise([failed], [], "", is_test, lambda path: files[path].encode())
    assert mass(found, "page.py", 2) > 0.8
