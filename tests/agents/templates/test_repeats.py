"""An edit that helped is offered for the other lines that read the same."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from swesearch.agents.templates.proposer import TemplateProposer
from swesearch.agents.templates.repeats import MOST, repeats
from swesearch.base import Action, Attempt, Create, Edit, Evaluation, Replace, State
from swesearch.code.localise import Localisation, Suspicion

SOURCE = b"def f(a, low):\n    if max(a) >= low:\n        return 1\n    while a:\n        if max(a) >= low:\n            return 2\n"
LOOSE = SOURCE + b"if max(a) >= low:\r\n    pass\n"


def edited(data: bytes, edits: Sequence[Edit]) -> bytes:
    for edit in edits:
        assert isinstance(edit, Replace)
        assert edit.start is not None
        assert data[edit.start :].startswith(edit.before)
        data = data[: edit.start] + edit.after + data[edit.start + len(edit.before) :]
    return data


def offered(data: bytes, before: bytes, after: bytes) -> list[bytes]:
    """The files that come of it, once `before` was replaced where it first stands."""
    action = Action((Replace("a.py", before, after, data.index(before)),))
    there = edited(data, action.edits)
    return [edited(there, again.edits) for again in repeats(action, lambda _: there)]


def test_the_same_edit_is_made_where_the_same_line_stands() -> None:
    assert offered(SOURCE, b"max", b"sum") == [SOURCE.replace(b"max", b"sum")]


def test_of_several_copies_all_are_mended_at_once_and_then_each_by_itself() -> None:
    both, *each = offered(LOOSE, b"max", b"the_sum")
    assert both == LOOSE.replace(b"max", b"the_sum")
    assert [file.count(b"the_sum") for file in each] == [2, 2]
    assert each[0] != each[1]


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"while a", b"while low"), (b"if max(a) >= low:\n        return 1", b"return 1"), (b"    if max(a)", b"    low += 1\n    if max(a)")],
    ids=["no copy", "more than a line goes", "more than a line comes"],
)
def test_nothing_is_offered_where_there_is_no_copy_of_one_line(before: bytes, after: bytes) -> None:
    assert offered(SOURCE, before, after) == []


def test_what_stands_everywhere_or_is_short_is_no_copy() -> None:
    assert offered(b"call(one)\n" * (MOST + 2), b"one", b"two") == []
    assert offered(b"x = 1\n" * 2, b"1", b"2") == []


def test_only_one_edit_of_a_known_place_is_repeated() -> None:
    edit = Replace("a.py", b"max", b"sum")
    for action in (Action(()), Action((edit,)), Action((Create("a.py", b""),)), Action((edit, edit))):
        assert list(repeats(action, lambda _: SOURCE)) == []


def test_the_proposer_offers_it_first() -> None:
    class Shelf:
        def read(self, state: State, path: str) -> bytes:
            return edited(SOURCE, [slip])

    slip = Replace("a.py", b"max", b"sum", SOURCE.index(b"max"))
    proposer = TemplateProposer(Shelf(), lambda _: Localisation(lines=(Suspicion("a.py", 3, 1.0),)))
    helped = Attempt(Action((slip,)), State("1" * 40), Evaluation(0.5))
    first, second, *_ = proposer.propose([Attempt(None, State("0" * 40), Evaluation(0.0)), helped])
    assert first.why == "the same in line 5 of a.py"
    assert first.prior > second.prior
    assert "line 3 of a.py" in second.why
