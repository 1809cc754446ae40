from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swesearch.report.text import line, safe


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x = 1\n\ty", "x = 1\n\ty"),
        ("déjà 木 \u00a0 👍", "déjà 木 \u00a0 👍"),
        ("\x1b[2J\x07", "\\x1b[2J\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\x7f", "a\\rb\\x7f"),
        ("\u202eevil\u200b", "\\u202eevil\\u200b"),
        ("\udcff", "\\udcff"),
        (b"caf\xe9", "caf\\xe9"),
    ],
)
def test_what_could_steer_the_terminal_is_written_out(text: str | bytes, shown: str) -> None:
    assert safe(text) == shown


@given(st.text())
def test_no_text_gets_a_control_character_through(text: str) -> None:
    assert all(character in "\n\t" or character.isprintable() or character.isspace() for character in safe(text))
    assert not {"\x1b", "\r", "\x9b", "\u2028", "\u202e"} & set(safe(text))


@given(st.text(), st.integers(3, 50))
def test_a_line_is_one_line_and_not_too_long(text: str, width: int) -> None:
    assert len(line(text, width)) <= width
    assert len(line(text, width).splitlines()) <= 1
