from datetime import datetime, timedelta, timezone

import jwt
import pytest

NOW = 1_700_000_000


class Clock(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.fromtimestamp(NOW, tz or timezone.utc)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr("jwt.api_jwt.datetime", Clock)


def accepted(leeway=0, **claims):
    token = jwt.encode(claims, "key", "HS256")
    try:
        jwt.decode(token, "key", ["HS256"], leeway=leeway)
    except jwt.ExpiredSignatureError:
        return False
    return True


@pytest.mark.parametrize("late", range(-3, 4))
@pytest.mark.parametrize("leeway", [0, 1, 2])
def test_a_token_lives_exactly_until_its_expiry_and_the_leeway(late, leeway):
    assert accepted(leeway, exp=NOW - late) == (late < leeway)


def test_a_leeway_may_be_a_timedelta():
    assert accepted(timedelta(seconds=2), exp=NOW - 1)
    assert not accepted(timedelta(seconds=2), exp=NOW - 2)


def test_a_token_without_an_expiry_lives():
    assert accepted(sub="me")


def test_expiry_can_be_left_unchecked():
    token = jwt.encode({"exp": NOW - 9}, "key", "HS256")
    assert jwt.decode(token, "key", ["HS256"], options={"verify_exp": False}) == {"exp": NOW - 9}
