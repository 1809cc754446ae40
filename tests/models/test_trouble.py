"""What goes wrong at a provider, in the words of the user."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from swesearch.base import ModelUnavailable, UsageError
from swesearch.models.trouble import Provider, TryLater, pause, refused, scrub, too_long

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
CLAUDE = Provider("Anthropic", "ANTHROPIC_API_KEY", "claude-opus-5-5", "plainsecret", ("claude-opus-5-5", "claude-haiku-5-5"))


@pytest.mark.parametrize(
    "words",
    [
        "Authorization: Bearer abc.def",
        "the key sk-ant-api03-AbCdEf_123456 is wrong",
        "http://user:hunter22@proxy:80/ said no",
        "x-api-key: whatever-it-is",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln expired",
        "you sent plainsecret",
    ],
)
def test_no_secret_is_shown(words: str) -> None:
    shown = scrub(words, "plainsecret")
    assert "[secret]" in shown
    for secret in ("abc.def", "AbCdEf", "hunter22", "whatever", "c2ln", "plainsecret"):
        assert secret not in shown


def test_plain_words_stay_and_long_ones_are_cut_to_a_line() -> None:
    assert scrub("no such\n  model") == "no such model"
    assert scrub("skip the api-docs at http://host/path@2 for a risk") == "skip the api-docs at http://host/path@2 for a risk"
    assert len(scrub("x" * 10_000)) == 500


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ModelUnavailable),
        (402, ModelUnavailable),
        (403, ModelUnavailable),
        (404, UsageError),
        (400, UsageError),
        (422, UsageError),
        (408, TryLater),
        (409, TryLater),
        (429, TryLater),
        (500, TryLater),
        (503, TryLater),
        (529, TryLater),
    ],
)
def test_each_status_has_its_error(status: int, kind: type[Exception]) -> None:
    error = refused(status, "so it is, plainsecret", {}, CLAUDE)
    assert type(error) is kind
    assert "so it is, [secret]" in str(error)


def test_one_who_does_not_know_how_to_wait_is_told_that_the_model_is_unavailable() -> None:
    error = refused(529, "Overloaded", {}, CLAUDE)
    assert isinstance(error, ModelUnavailable)
    assert error.exit_code == 5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, 0.0),
        ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:20Z"}, 20.0),
        ({"anthropic-ratelimit-tokens-remaining": "9", "anthropic-ratelimit-tokens-reset": "2026-11-21T12:00:20Z"}, None),
        ({"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2026-11-21T11:00:00Z"}, 0.0),
        ({"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "noon"}, None),
    ],
)
def test_headers_ask_us_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert pause(headers, NOW) == seconds


def test_only_a_refused_request_can_be_too_long() -> None:
    assert too_long(413, "")
    assert too_long(400, "prompt is too long: 1 > 0")
    assert not too_long(500, "prompt is too long")
    assert not too_long(400, "the context is wrong")
