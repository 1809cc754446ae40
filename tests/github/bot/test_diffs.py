"""Lines of changes, as GitHub counts them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from hypothesis import given
from hypothesis import strategies as st

from swesearch.base import Replace, State
from swesearch.github.bot.base import Suggestion
from swesearch.github.bot.diffs import _of_file, changed_lines, shown_lines, suggestions
from swesearch.store import Store

Open = Callable[[Mapping[str, str | bytes]], Store]
LINES = st.lists(st.sampled_from(["a", "b", "", "  c"]), min_size=1, max_size=12)


def committed(text: str, made: list[Suggestion]) -> str:
    """What GitHub makes of a file when somebody commits all these suggestions."""
    lines = text.splitlines(keepends=True)
    for each in sorted(made, key=lambda each: each.first, reverse=True):
        lines[each.first - 1 : each.last] = [each.text]
    return "".join(lines)


@given(LINES, LINES)
def test_committing_the_suggestions_makes_the_fixed_file(before: list[str], after: list[str]) -> None:
    old, new = ("".join(f"{line}\n" for line in lines) for lines in (before, after))
    assert committed(old, list(_of_file("x", old.encode(), new.encode()))) == new


def test_lines_that_a_patch_shows_are_those_of_the_new_file() -> None:
    patch = "@@ -1,3 +1,4 @@\n a\n+b\n c\n-d\n+e\n@@ -20,2 +21,1 @@ def f():\n x\n-y\n\\ No newline at end of file"
    assert shown_lines(patch) == {1, 2, 3, 4, 21}
    assert shown_lines("") == frozenset()


def test_where_lines_were_taken_out_the_next_one_counts_as_changed(open_store: Open) -> None:
    store = open_store({"x.py": "a\nb\nc\n"})
    base = store.root()
    head = store.apply(base, [Replace("x.py", b"b\n", b"")])
    assert changed_lines(store, base, head) == {"x.py": frozenset({2})}


def test_a_change_that_is_more_than_lines_is_no_suggestion(open_store: Open) -> None:
    store = open_store({"x.py": "a\nb\n", "crlf.py": "a\r\nb\r\n", "odd.py": b"\xff\n"})
    root = store.root()

    def made(path: str, before: bytes, after: bytes) -> tuple[Suggestion, ...]:
        fixed: State = store.apply(root, [Replace(path, before, after)])
        return suggestions(store, root, fixed)

    assert made("x.py", b"b", b"c") == (Suggestion("x.py", 2, 2, "c\n"),)
    assert made("crlf.py", b"b", b"c") == ()
    assert made("odd.py", b"\xff", b"\xfe") == ()


def test_a_file_made_to_be_hard_to_compare_is_one_block(open_store: Open) -> None:
    store = open_store({"x.py": "a\n" + "x\n" * 9_000 + "b\n"})
    base = store.root()
    head = store.apply(base, [Replace("x.py", b"x\n" * 9_000, b"y\nx\n" * 9_000)])
    began = time.process_time()
    assert changed_lines(store, base, head) == {"x.py": frozenset(range(2, 18_001))}
    assert time.process_time() - began < 1
