"""What tokens cost."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swesearch.base import UsageError
from swesearch.dialogue import Usage
from swesearch.models.prices import TABLE, Price, known_models, price_of, priced

COUNTS = st.integers(0, 2_000_000)


def test_the_table_is_dated_and_each_kind_of_token_has_its_price() -> None:
    assert tomllib.loads(TABLE.read_text())["date"] == date(2026, 11, 21)
    assert price_of("claude-opus-5-5").of(Usage(1_000_000, 1_000_000, 1_000_000, 1_000_000)) == pytest.approx(4 + 20 + 0.20 + 5)


def test_a_long_prompt_costs_more_as_a_whole() -> None:
    haiku = price_of("claude-haiku-5-5")
    assert haiku.of(Usage(input=60_000, cache_read=40_000, output=1_000)) == pytest.approx(0.006 + 0.0004 + 0.0005)
    assert haiku.of(Usage(input=60_001, cache_read=40_000, output=1_000)) == pytest.approx(5 * (0.006 + 0.0004 + 0.0005), rel=1e-4)


@given(st.sampled_from(known_models()), COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_no_call_costs_more_than_its_worst_case(model: str, plain: int, read: int, written: int, output: int, spare: int) -> None:
    price = price_of(model)
    assert price.of(Usage(plain, output, read, written)) <= price.worst(plain + read + written + spare, output + spare) + 1e-9


def test_a_dated_name_costs_what_its_model_costs() -> None:
    assert price_of("claude-haiku-4-5-20251001") == price_of("claude-haiku-4-5")
    assert priced("claude-haiku-4-5-20251001")
    assert not priced("qwen3")


def test_the_user_overrides_the_table() -> None:
    assert price_of("claude-opus-5-5", "1/2") == Price(1, 2, 1, 1)
    assert price_of("qwen3", "1/2/0.1/1.25") == Price(1, 2, 0.1, 1.25)
    assert price_of("qwen3", "free").worst(10**9, 10**9) == 0


@pytest.mark.parametrize("override", ["1", "1/2/3", "a/b", "-1/2", "nan/1", "inf/1", "1/2/3/4/5", "Free"])
def test_an_override_that_cannot_be_read_says_how(override: str) -> None:
    with pytest.raises(UsageError, match="give IN/OUT or IN/OUT/READ/WRITE"):
        price_of("claude-opus-5-5", override)


def test_a_model_without_a_price_is_refused_with_the_way_out() -> None:
    with pytest.raises(UsageError, match=r"opus-55 \(did you mean claude-opus-5-5.*--price IN/OUT .* or --price free"):
        price_of("claude-opus-55")
