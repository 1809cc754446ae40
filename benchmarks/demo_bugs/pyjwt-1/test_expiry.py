from datetime import datetime, timezone

import jwt
import pytest

NOW = 1_600_000_000


class Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(NOW, tz or timezone.utc)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("jwt.api_jwt.datetime", Clock)


def decode(**claims):
    return jwt.decode(jwt.encode(claims, "key", "HS256"), "key", ["HS256"])


def test_a_token_is_refused_in_the_second_it_expires():
    with pytest.raises(jwt.ExpiredSignatureError):
        decode(exp=NOW)


def test_a_token_is_refused_after_it_expired():
    with pytest.raises(jwt.ExpiredSignatureError):
        decode(exp=NOW - 1)


def test_a_token_is_accepted_before_it_expires():
    assert decode(exp=NOW + 1) == {"exp": NOW + 1}


def test_a_token_is_accepted_in_the_second_it_becomes_valid():
    assert decode(nbf=NOW) == {"nbf": NOW}


def test_a_token_is_refused_before_it_becomes_valid():
    with pytest.raises(jwt.ImmatureSignatureError):
        decode(nbf=NOW + 1)


def test_a_token_without_times_is_accepted():
    assert decode(sub="me") == {"sub": "me"}


def test_a_token_for_somebody_else_is_refused():
    with pytest.raises(jwt.InvalidAudienceError):
        decode(aud="somebody")


def test_a_forged_token_is_refused():
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(jwt.encode({"sub": "me"}, "key", "HS256"), "another key", ["HS256"])
