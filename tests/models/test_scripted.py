"""Answers written down beforehand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from swesearch.base import UsageError
from swesearch.dialogue import Message, Request, Text, Thought
from swesearch.models.scripted import Scripted, call, say, think, turn

ASK = Request("executor", "mend it", (Message("user", (Text("why?"),)),))


def test_replies_come_in_order_and_requests_are_kept() -> None:
    model = Scripted([say("one"), say("two", stop="length")])
    assert [model.complete(ASK).message.text for _ in range(2)] == ["one", "two"]
    assert model.requests == [ASK, ASK]


def test_a_script_that_is_used_up_says_so() -> None:
    model = Scripted([say("one")])
    model.complete(ASK)
    with pytest.raises(UsageError, match="the script has ended, and the executor asks once more"):
        model.complete(ASK)


def test_a_function_answers_from_the_request() -> None:
    model = Scripted(lambda request: say(request.system.upper()))
    assert model.complete(ASK).message.text == "MEND IT"


def test_a_turn_thinks_says_and_calls() -> None:
    reply = Scripted([think("hm", turn(say("look"), call("view", name="a.py"), call("view", name="b.py")))]).complete(ASK)
    assert isinstance(reply.message.parts[0], Thought)
    assert (reply.message.text, reply.stop) == ("look", "calls")
    assert [dict(c.arguments) for c in reply.message.calls] == [{"name": "a.py"}, {"name": "b.py"}]


def test_calls_get_ids_that_are_their_own_and_the_same_in_every_run() -> None:
    first, again = (Scripted([turn(call("a"), call("b"))]).complete(ASK).message.calls for _ in range(2))
    assert first == again
    assert len({c.id for c in first} - {""}) == 2


def test_threads_share_a_script_and_no_reply_is_given_twice() -> None:
    model = Scripted(say(str(number)) for number in range(200))
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda _: model.complete(ASK).message.text, range(200)))
    assert sorted(map(int, texts)) == list(range(200))
