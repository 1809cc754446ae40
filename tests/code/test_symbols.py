from __future__ import annotations

import pytest

from swesearch.code.symbols import Definition, definitions, occurrences

SOURCE = b"""\
import os as system

LIMIT: int = 3

@cache
async def fetch(url, *, limit=LIMIT):  # fetch
    'fetch'
    def inner(): return url.limit

class Client(Base,
             metaclass=Meta):
    limit = LIMIT
    def fetch(self):
        self.limit, other = fetch(1), 2
        self.limit = 5
"""


def lines(name: str, use: str) -> list[int]:
    return [place.line for place in occurrences(SOURCE, name) if place.use == use]


def test_definitions_are_told_from_what_is_set_and_from_uses():
    assert (lines("fetch", "defines"), lines("fetch", "uses")) == ([6, 13], [14])
    assert (lines("LIMIT", "sets"), lines("LIMIT", "uses")) == ([3], [6, 12])
    assert (lines("limit", "sets"), lines("limit", "uses")) == ([12, 15], [6, 8, 14])
    assert lines("Client", "defines") == [10]
    assert occurrences(SOURCE, "nowhere") == ()


def test_only_names_are_looked_for():
    with pytest.raises(ValueError, match="no identifier"):
        occurrences(SOURCE, 'x") (identifier) @uses')


def test_wide_and_deep_files_take_linear_time():
    wide = b"x.y = x\n" * 30_000
    assert len(occurrences(wide, "x")) == 30_000
    deep = b"".join(b" " * depth + b"def f():\n" for depth in range(500)) + b" " * 500 + b"pass\n"
    assert [d.depth for d in definitions(deep)] == list(range(500))


def test_a_line_is_shown_as_it_stands():
    assert occurrences(SOURCE, "Client")[0].text == "class Client(Base,"


def test_definitions_come_in_order_with_their_depth_and_header():
    assert definitions(SOURCE) == (
        Definition("fetch", 6, 0, "async def fetch(url, *, limit=LIMIT):"),
        Definition("inner", 8, 1, "def inner():"),
        Definition("Client", 10, 0, "class Client(Base, metaclass=Meta):"),
        Definition("fetch", 13, 1, "def fetch(self):"),
    )


def test_broken_code_is_read_as_far_as_it_goes():
    assert [d.name for d in definitions(b"def good():\n    pass\n\ndef bad(:\n")][:1] == ["good"]
    assert occurrences(b"x = = 1\n\xff\xfe good\n", "good")[0].line == 2
