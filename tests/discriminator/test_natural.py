from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from swesearch.discriminator.natural import Language, size, tokens

SOURCE = b"""\
def first(items, index):
    for item in items:
        if item.index == index:
            return item.value
    return None


def last(items, index):
    for item in reversed(items):
        if item.index == index:
            return item.value
    return None
"""


def test_size_counts_tokens_and_a_replaced_one_once() -> None:
    assert size(SOURCE, SOURCE) == 0
    assert size(SOURCE, SOURCE.replace(b"reversed(items)", b"items", 1)) == 3
    assert size(SOURCE, SOURCE.replace(b"== index", b"!= index", 1)) == 1
    assert size(b"", b"a = 1") == 3


def test_spaces_and_comments_in_line_do_not_count_as_words() -> None:
    assert size(b"f(a,b)", b"f( a, b )") == 0


def test_what_is_written_as_elsewhere_surprises_less() -> None:
    language = Language([SOURCE])
    usual = language.surprise(SOURCE, SOURCE.replace(b"return None", b"return item.value", 1))
    odd = language.surprise(SOURCE, SOURCE.replace(b"return None", b"return 0xBAD ** lambda_", 1))
    assert 0 < usual < odd


def test_taking_something_out_surprises_nobody() -> None:
    assert Language([SOURCE]).surprise(SOURCE, SOURCE.replace(b"    return None\n", b"", 1)) == 0


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_can_be_measured(before: bytes, after: bytes) -> None:
    assert size(before, before) == 0
    assert size(before, after) > 0 or tokens(before) == tokens(after)
    assert Language([before]).surprise(before, after) >= 0


def test_two_edits_far_apart_in_a_long_file_are_measured_fast() -> None:
    long = b"\n".join(SOURCE for _ in range(500))
    after = long.replace(b"first", b"other", 1)[::-1].replace(b"last"[::-1], b"next"[::-1], 1)[::-1]
    began = time.process_time()
    assert size(long, after) == 2
    assert time.process_time() - began < 5
