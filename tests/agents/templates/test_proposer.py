"""The stream of edits: exact, new, falling in prior, worked out only as far as it is asked."""

import inspect
import sys
import time
from dataclasses import replace
from itertools import islice, pairwise

import pytest

from swesearch.agents.templates.catalog import TABLE
from swesearch.agents.templates.proposer import TemplateProposer
from swesearch.agents.templates.table import Template
from swesearch.base import Attempt, Evaluation, State, UsageError
from swesearch.code import parse
from swesearch.code.localise import Localisation, Suspicion

SOURCE = b"""\
def kth(arr, k):
    pivot = arr[0]
    below = [x for x in arr if x < pivot]
    if k < len(below):
        return kth(below, k)
    elif k >= len(arr):
        return kth(below, k - 1)
    return pivot
"""
OLD = b'def f(x):\n    print "a", `x`\n    exec "1"\n    raise E, "b"\n'
NEW = b"match x:\n    case [a, *_] if a > 1:\n        type T = int\n    case _:\n        y = f'{x!r:>{a}}'\n"


class Shelf:
    """Files of one state."""

    def __init__(self, **files: bytes) -> None:
        self._files = {f"{name}.py": data for name, data in files.items()}

    def read(self, state: State, path: str) -> bytes:
        if path not in self._files:
            raise UsageError(f"there is no file {path!r} in this state")
        return self._files[path]


def drafts(data=SOURCE, lines=None, most=None, **known):
    lines = lines or range(1, data.count(b"\n") + 1)
    suspicions = tuple(Suspicion("a.py", line, 1 / len(lines)) for line in lines)
    localisation = Localisation(lines=suspicions, **known)
    proposer = TemplateProposer(Shelf(a=data), lambda _: localisation)
    root = Attempt(None, State("0" * 40), Evaluation(0.0))
    return list(islice(proposer.propose([root], []), most))


def applied(data, action):
    (edit,) = action.edits
    assert edit.before == data[edit.start : edit.start + len(edit.before)]
    return data[: edit.start] + edit.after + data[edit.start + len(edit.before) :]


def test_every_edit_fits_where_it_says_and_changes_something():
    for action in drafts():
        assert action.edits[0].before
        assert applied(SOURCE, action) != SOURCE


def test_every_edit_leaves_code_that_parses():
    assert not [a.why for a in drafts() if parse.errors(applied(SOURCE, a))]


def test_no_two_edits_make_the_same_file():
    results = [applied(SOURCE, a) for a in drafts()]
    assert len(set(results)) == len(results)


def test_the_same_change_laid_out_otherwise_is_not_offered_again():
    results = [applied(SOURCE, a).replace(b" ", b"") for a in drafts(lines=[4])]
    assert len(set(results)) == len(results)


def test_priors_fall_and_sum_to_no_more_than_one():
    priors = [a.prior for a in drafts()]
    assert all(a >= b for a, b in pairwise(priors))
    assert 0.3 < sum(priors) <= 1.0001


def test_a_suspicious_line_comes_before_others():
    lines = (Suspicion("a.py", 4, 0.9), Suspicion("a.py", 8, 0.1))
    proposer = TemplateProposer(Shelf(a=SOURCE), lambda _: Localisation(lines=lines))
    first = next(iter(proposer.propose([Attempt(None, State("0"), Evaluation(0.0))], [])))
    assert "line 4 of a.py" in first.why


def test_protected_files_are_never_edited():
    lines = (Suspicion("test_a.py", 1, 0.9), Suspicion("a.py", 4, 0.1))
    shelf = Shelf(a=SOURCE, test_a=SOURCE)
    proposer = TemplateProposer(shelf, lambda _: Localisation(lines=lines), lambda path: path.startswith("test_"))
    paths = {a.edits[0].path for a in proposer.propose([Attempt(None, State("0"), Evaluation(0.0))], [])}
    assert paths == {"a.py"}


def test_what_a_file_imports_tells_which_keywords_its_callees_take():
    shelf = Shelf(a=b"from b import g\ng(1)\n", b=b"def g(x, deep=False): pass\n")
    proposer = TemplateProposer(shelf, lambda _: Localisation(lines=(Suspicion("a.py", 2, 1.0),)))
    after = [a.edits[0].after for a in proposer.propose([Attempt(None, State("0"), Evaluation(0.0))], [])]
    assert b"g(1, deep=True)" in after


def test_windows_line_ends_and_tabs_are_kept():
    data = b"def f(x):\r\n\tx.go()\r\n\treturn x\r\n"
    guards = [applied(data, a) for a in drafts(data, [2]) if a.why.startswith("do it only if x,")]
    assert guards == [b"def f(x):\r\n\tif x:\r\n\t\tx.go()\r\n\treturn x\r\n"]


def test_bytes_that_are_not_utf_8_survive():
    data = b"def f(x):\n    return g('\xe4', x)\n"
    assert all(b"\xe4" in applied(data, a) for a in drafts(data) if "swap the arguments" in a.why)


def test_old_new_and_broken_syntax_is_no_obstacle():
    for data in (OLD, NEW, b"def f(:\n    x = \n  y\n", b"", b"\n\n", b"x = 1"):
        for action in drafts(data, range(1, 8)):
            applied(data, action)


def test_templates_are_few_entries_of_a_table_that_can_be_replaced():
    only = [t for t in TABLE if t.name == "Compare with another operator"]
    lines = (Suspicion("a.py", 4, 1.0),)
    proposer = TemplateProposer(Shelf(a=SOURCE), lambda _: Localisation(lines=lines), templates=only)
    actions = list(proposer.propose([Attempt(None, State("0"), Evaluation(0.0))], []))
    assert len(actions) == 4
    assert isinstance(only[0], Template)


def test_errors_of_the_failing_tests_make_apt_templates_likelier():
    def rank(**known):
        whys = [a.why for a in drafts(b"def f(t):\n    t.x *= 2\n", [2], **known)]
        return next(i for i, why in enumerate(whys) if why.startswith("do it only if t"))

    said = "unsupported operand type(s) for *=: 'NoneType' and 'int'"
    assert rank(errors=(("TypeError", said),)) < rank()


def test_the_first_ideas_for_a_long_file_cost_little():
    data = SOURCE.replace(b"kth", b"k") * 125
    drafts(data, range(501, 504), 1)  # the grammar is loaded once
    start = time.process_time()
    assert len(drafts(data, range(601, 640), 200)) == 200
    assert time.process_time() - start < 1.0


@pytest.mark.parametrize("hint", ["look at a.py:8", "the bug is in `second`", "surely `other` is meant"])
def test_a_hint_brings_the_place_forward_that_it_speaks_of(hint):
    source = b"def first(value):\n    if value < 1:\n        return 2\n    return value\n\n\ndef second(other):\n    return other + 1\n"
    lines = (Suspicion("a.py", 2, 0.7), Suspicion("a.py", 8, 0.3))
    proposer = TemplateProposer(Shelf(a=source), lambda _: Localisation(lines=lines))
    root = Attempt(None, State("0"), Evaluation(0.0))

    assert "line 8" not in next(iter(proposer.propose([root]))).why
    assert "line 8 of a.py" in next(iter(proposer.propose([replace(root, hints=(hint,))]))).why


def test_an_expression_nested_without_end_is_passed_over():
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)  # a sum of a thousand terms shows the same, and takes long
    try:
        assert drafts(b"def f(x):\n    return x" + b" + 1" * 120 + b"\n", lines=[2], most=20)
    finally:
        sys.setrecursionlimit(usual)
