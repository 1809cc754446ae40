"""How fast a provider is asked, and how long one that is down is waited for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from swesearch.base import ModelUnavailable
from swesearch.dialogue import Reply, Request
from swesearch.models.limited import LONGEST_PAUSE, Limited, Limiter, limiter_of
from swesearch.models.scripted import Scripted, say
from swesearch.models.trouble import TryLater


class Hours:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def troubled(*outcomes: Exception | str) -> Scripted:
    """Fails and answers in this order; the last one for ever."""
    left = list(outcomes)

    def answer(_: Request) -> Reply:
        given = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(given, Exception):
            raise given
        return say(given)

    return Scripted(answer)


def limited(model: Scripted, hours: Hours, patience: float = 120.0, limiter: Limiter | None = None) -> Limited:
    return Limited(model, limiter or Limiter(clock=hours), patience, hours, hours.sleep, chance=lambda: 1.0)


def test_trouble_is_waited_out_ever_longer(ask: Request) -> None:
    hours = Hours()
    model = troubled(*[TryLater("down")] * 7, "up")
    assert limited(model, hours, 300).complete(ask).message.text == "up"
    assert hours.slept == [1, 2, 4, 8, 16, 30, 30]


def test_who_waits_long_is_told_once_why_nothing_happens(ask: Request) -> None:
    hours, told = Hours(), list[str]()
    model = troubled(TryLater("blink"), "quick", *[TryLater("down")] * 5, "up")
    patient = Limited(model, Limiter(clock=hours), 120, hours, hours.sleep, chance=lambda: 1.0, tell=told.append)
    assert [patient.complete(ask).message.text for _ in range(2)] == ["quick", "up"]
    assert told == ["down; asking again for up to 120 s"]


def test_waits_differ_by_chance(ask: Request) -> None:
    waits = set()
    for chance in (0.0, 0.5):
        hours = Hours()
        Limited(
            troubled(TryLater("down"), "up"), Limiter(clock=hours), 9, hours, hours.sleep, chance=lambda chance=chance: chance
        ).complete(ask)
        waits.add(hours.slept[0])
    assert waits == {0.5, 0.75}


@pytest.mark.parametrize("busy", [True, False])
def test_the_provider_says_how_long_to_wait(ask: Request, busy: bool) -> None:
    hours = Hours()
    limited(troubled(TryLater("slow down", 20.0, busy=busy), "up"), hours).complete(ask)
    assert 20.0 <= sum(hours.slept) <= 22.0


def test_patience_ends_with_one_clear_line(ask: Request) -> None:
    hours = Hours()
    with pytest.raises(ModelUnavailable, match=r"^Anthropic says 529: Overloaded, for 91 s; `swesearch resume last` goes on$") as raised:
        limited(troubled(TryLater("Anthropic says 529: Overloaded")), hours).complete(ask)
    assert not isinstance(raised.value, TryLater)
    assert sum(hours.slept) <= 120


def test_a_wait_longer_than_patience_is_not_begun(ask: Request) -> None:
    hours = Hours()
    limiter = Limiter(clock=hours)
    with pytest.raises(ModelUnavailable, match="asks to wait 3600 s more"):
        limited(troubled(TryLater("slow down", 3_600.0, busy=True)), hours, limiter=limiter).complete(ask)
    with pytest.raises(ModelUnavailable, match="asks everybody to wait 3600 s"):
        limited(troubled("up"), hours, limiter=limiter).complete(ask)
    assert hours.slept == []


def test_what_is_no_trouble_of_the_provider_is_not_waited_for(ask: Request) -> None:
    hours = Hours()
    with pytest.raises(ModelUnavailable, match="no key"):
        limited(troubled(ModelUnavailable("no key")), hours).complete(ask)
    assert hours.slept == []


def test_a_stop_ends_the_waiting_at_once(ask: Request) -> None:
    stop = threading.Event()
    model = Limited(troubled(TryLater("down", 30.0)), Limiter(), stop=stop)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(model.complete, ask)
        stop.set()
        with pytest.raises(ModelUnavailable, match="stopped while waiting"):
            waiting.result(timeout=2)


def test_a_full_provider_holds_up_all_who_ask_it(ask: Request) -> None:
    hours = Hours()
    limiter = Limiter(clock=hours)
    with pytest.raises(ModelUnavailable):
        limited(troubled(TryLater("slow down", 20.0, busy=True)), hours, patience=10, limiter=limiter).complete(ask)
    limited(troubled("up"), hours, limiter=limiter).complete(ask)
    assert hours.slept == [20.0]  # by the second, whom nobody had told


def crowd(limiter: Limiter, size: int) -> int:
    return sum(limiter.enter() == 0.0 for _ in range(size))


def test_more_calls_are_made_at_once_while_all_goes_well() -> None:
    hours = Hours()
    limiter = Limiter(start=2.0, most=4, clock=hours)
    widths: list[int] = []
    for _ in range(4):
        widths.append(crowd(limiter, 9))
        for _ in range(widths[-1]):
            limiter.leave(hours(), well=True)
    assert widths[0] == 2
    assert widths == sorted(widths)
    assert widths[-1] == 4


def test_calls_that_were_under_way_together_halve_the_limit_once() -> None:
    hours = Hours()
    limiter = Limiter(start=8.0, clock=hours)
    begun = [hours() for _ in range(crowd(limiter, 8))]
    hours.now += 1
    for moment in begun:
        limiter.leave(moment, busy=True)
    assert limiter.limit == 4
    assert limiter.under_way == 0
    for _ in range(9):
        assert crowd(limiter, 1) == 1
        begun_later = hours.now
        hours.now += 1
        limiter.leave(begun_later, busy=True)
    assert limiter.limit == 1  # someone can always ask


def test_never_more_are_under_way_than_the_limit(ask: Request) -> None:
    under_way, most, lock = 0, 0, threading.Lock()

    def answer(_: Request) -> Reply:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        threading.Event().wait(0.005)
        with lock:
            under_way -= 1
        return say("hm")

    model = Limited(Scripted(answer), Limiter(start=2.0, most=3))
    with ThreadPoolExecutor(12) as pool:
        assert len(list(pool.map(lambda _: model.complete(ask), range(24)))) == 24
    assert 2 <= most <= 3


def test_a_good_answer_that_leaves_nothing_holds_up_the_next_but_not_for_ever() -> None:
    hours = Hours()
    limiter = Limiter(clock=hours)
    limiter.heed({"anthropic-ratelimit-requests-remaining": "5", "anthropic-ratelimit-requests-reset": "2999-01-01T00:00:00Z"})
    assert limiter.enter() == 0.0
    limiter.heed({"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2999-01-01T00:00:00Z"})
    assert limiter.enter() == LONGEST_PAUSE


def test_a_process_has_one_limiter_for_a_provider() -> None:
    limiters: Sequence[Limiter] = [limiter_of("anthropic", address) for address in ("http://a", "http://b", "http://a")]
    assert limiters[0] is limiters[2]
    assert limiters[0] is not limiters[1]
