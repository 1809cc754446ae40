"""No call is made that could cost more than is left."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swesearch.base import ModelUnavailable
from swesearch.dialogue import Image, Message, Reply, Request, Text, Thought, Tool, Usage
from swesearch.engine.budget import Budget, BudgetExhausted
from swesearch.models.metered import Metered
from swesearch.models.prices import Price, price_of
from swesearch.models.reserved import UNSEEN_TOKENS, Reserved, bound
from swesearch.models.scripted import Scripted, say
from swesearch.models.trouble import TryLater

PRICE = Price(4.0, 20.0, 0.2, 5.0)


class Counting(Scripted):
    """A scripted model whose provider counts."""

    counted = 0

    def count(self, request: Request) -> int:
        self.counted += 1
        return 100


def test_a_reply_names_its_dollars_and_its_model(ask: Request) -> None:
    reply = Metered(Scripted([say("hm", usage=Usage(1_000, 100, 10_000, 2_000), model="")]), PRICE, "claude").complete(ask)
    assert reply.dollars == pytest.approx((1_000 * 4 + 100 * 20 + 10_000 * 0.2 + 2_000 * 5) / 1e6)
    assert reply.model == "claude"


def test_what_was_used_is_settled(ask: Request) -> None:
    purse = Budget(tokens=20_000, dollars=1.0)
    used = Usage(1_000, 100, 10, 1)
    Reserved(Scripted([say("hm", usage=used)]), purse, PRICE).complete(ask)
    assert purse.spent()["tokens"] == used.total
    assert purse.spent()["dollars"] == pytest.approx(PRICE.of(used))
    assert purse.left()["tokens"] == 20_000 - used.total


def test_what_might_not_fit_is_not_asked(ask: Request) -> None:
    model = Scripted([say("hm")])
    with pytest.raises(BudgetExhausted, match="dollars"):
        Reserved(model, Budget(dollars=0.1), PRICE).complete(ask)  # 8192 tokens of reply alone cost 0.16
    assert model.requests == []


def test_the_provider_counts_only_where_the_bound_does_not_fit(ask: Request) -> None:
    model = Counting(lambda _: say("hm", usage=Usage(100, 10)))
    roomy, tight = Budget(tokens=100_000), Budget(tokens=ask.max_tokens + 200)
    Reserved(model, roomy, PRICE).complete(ask)
    assert model.counted == 0
    Reserved(model, tight, PRICE).complete(ask)
    assert model.counted == 1
    with pytest.raises(BudgetExhausted):
        Reserved(model, Budget(tokens=ask.max_tokens + 100), PRICE).complete(ask)


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (TryLater("busy"), 0.0),
        (TryLater("the stream broke", billed=True), 1.0),
        (ModelUnavailable("no key"), 0.0),
        (KeyboardInterrupt(), 1.0),  # nobody knows what the provider made of it
    ],
)
def test_a_failure_costs_what_the_provider_may_bill(ask: Request, error: BaseException, part: float) -> None:
    def fail(_: Request) -> Reply:
        raise error

    purse = Budget(tokens=100_000)
    with pytest.raises(type(error)):
        Reserved(Scripted(fail), purse, PRICE).complete(ask)
    assert purse.spent()["tokens"] == part * (bound(ask) + ask.max_tokens)
    assert purse.left()["tokens"] == 100_000 - purse.spent()["tokens"]


def test_the_bound_holds_every_part_of_a_request(ask: Request) -> None:
    long = "wörd " * 1_000
    size = len(long.encode())
    thought = Message("assistant", (Thought({"type": "thinking", "thinking": "", "signature": long}),))
    for fuller in (
        replace(ask, system=long),
        replace(ask, messages=(Message("user", (Text(long),)),)),
        replace(ask, messages=(*ask.messages, thought)),
        replace(ask, tools=(Tool("t", long, {}),)),
        replace(ask, tools=(Tool("t", "", {"d": long}),)),
        replace(ask, schema={"d": long}),
    ):
        assert bound(fuller) >= size + UNSEEN_TOKENS
    picture = Image(b"x" * 10_000_000, "image/png")
    assert 5_000 <= bound(replace(ask, messages=(Message("user", (picture,)),))) < 10_000  # not a token for each byte


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 1_000), st.booleans()), min_size=8, max_size=24), st.floats(0.01, 0.5))
def test_parallel_calls_never_exceed_the_cap(calls: list[tuple[int, int, bool]], cap: float) -> None:
    price = price_of("claude-haiku-5-5", "4/20/0.2/5")
    together = threading.Barrier(4)

    def answer(request: Request) -> Reply:
        size, said, broken = calls[request.sample]
        with suppress(threading.BrokenBarrierError):
            together.wait(0.002)  # several reservations are open at once
        if broken:
            raise TryLater("broke", billed=bool(said % 2))
        return say("hm", usage=Usage(cache_write=min(size, bound(request)), output=said))

    purse = Budget(dollars=cap)
    reserved = Reserved(Scripted(answer), purse, price)

    def go(sample: int) -> None:
        with suppress(TryLater, BudgetExhausted):
            reserved.complete(Request("judge", "", (Message("user", (Text("x" * calls[sample][0]),)),), max_tokens=1_000, sample=sample))
        assert purse.spent()["dollars"] <= cap + 1e-9

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(go, range(len(calls))))
    assert purse.left()["dollars"] == pytest.approx(cap - purse.spent()["dollars"])
