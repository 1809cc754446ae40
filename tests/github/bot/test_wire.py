"""The report is the only thing that the process with the token believes in, and only its shape."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swesearch.base import UsageError
from swesearch.github.bot.base import Finding, Fix, Report, Suggestion
from swesearch.github.bot.wire import LARGEST, from_json, to_json

FIX = Fix("search", "0 instead of 1", "--- a/x\n+++ b/x\n", (Suggestion("src/x.py", 2, 2, "    result = 0\n"),), ("passes now",))
FINDING = Finding(
    "broke", "python -m pytest -q test_x.py::test_y", 3, ("test_x.py::test_y",), 0, "AssertionError", "1 == 2", "x.py", 3, (FIX,)
)
REPORT = Report("a" * 40, "b" * 40, "findings", tests=5, findings=(FINDING,), notes=("a note",), flaky=("t::f",), seconds=1.5)


def raw() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(to_json(REPORT))
    return found


def test_a_report_comes_back_as_it_went() -> None:
    assert from_json(to_json(REPORT)) == REPORT


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("head", "main", "report.head is not of the right form"),
        ("head", "B" * 40, "report.head is not of the right form"),
        ("head", "b" * 40 + "\n", "report.head must be a text"),
        ("ending", "perfect", "report.ending must be one of"),
        ("ending", ["clean"], "report.ending must be one of"),
        ("tests", -1, "report.tests must be a number"),
        ("tests", True, "report.tests must be a number"),
        ("tests", 1.5, "report.tests must be a number"),
        ("seconds", float("nan"), "report.seconds must be a number"),
        ("dollars", float("inf"), "report.dollars must be a number"),
        ("token", "give", "has the unknown key 'token'"),
        ("format", 2, "has the format 2"),
        ("notes", "text", "report.notes must be a list"),
        ("notes", ["x"] * 21, "report.notes must be a list of at most 20"),
        ("notes", ["x" * 501], "must be a text of at most 500"),
        ("notes", ["\ud800"], "is not of the right form"),
        ("findings", [FINDING] * 4, "report.findings must be a list of at most 3"),
        ("findings", [{}], "has no kind"),
        ("findings", {}, "report.findings must be a list"),
    ],
)
def test_what_is_not_as_it_must_be_is_refused_by_name(where: str, value: object, said: str) -> None:
    shaped = (
        [json.loads(to_json(REPORT))["findings"][0] if each is FINDING else each for each in value] if value == [FINDING] * 4 else value
    )
    with pytest.raises(UsageError, match=said):
        from_json(json.dumps({**raw(), where: shaped}).encode())


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../b", "a//b", "a\\b", "a\nb", "./a", "a/."])
def test_a_path_that_leaves_the_repository_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="is not of the right form"):
        from_json(to_json(replace(REPORT, findings=(replace(FINDING, path=path),))))


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b"1" * (LARGEST + 1), b'{"base": 1e999}'])
def test_what_is_no_report_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match="report"):
        from_json(data)


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_nothing_that_is_json_brings_the_reader_down(value: object) -> None:
    for data in (value, {**raw(), "findings": value}, {**raw(), "head": value}):
        try:
            assert isinstance(from_json(json.dumps(data).encode()), Report)
        except UsageError:
            continue
