"""What was answered once is not asked again."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from swesearch.base import ModelUnavailable, UsageError
from swesearch.dialogue import Reply, Request, Usage
from swesearch.models.recorded import Recorded
from swesearch.models.scripted import Scripted, call, say, think


class Kept(dict[str, str]):
    """A memory that keeps JSON text, as a journal does."""

    def recall(self, key: str) -> Any:
        return json.loads(self[key]) if key in self else None

    def keep(self, key: str, value: Any) -> None:
        self[key] = json.dumps(value)


def test_a_run_is_replayed_without_a_model_and_byte_for_byte(ask: Request) -> None:
    memory = Kept()
    replies = [think("hm", call("view", path="a.py")), say("done", usage=Usage(5, 6, 7, 8), dollars=0.25, note="so")]
    asked = [ask, replace(ask, sample=1)]
    live = Recorded(Scripted(replies), memory)
    first = [live.complete(request) for request in asked]
    replay = Recorded(None, memory)
    assert [replay.complete(request) for request in reversed(asked)] == first[::-1]  # usage and dollars are the original ones


def test_a_miss_of_a_replay_is_told(ask: Request) -> None:
    with pytest.raises(UsageError, match="holds no answer to this question of the executor"):
        Recorded(None, Kept()).complete(ask)


def test_samples_of_one_question_are_asked_each(ask: Request) -> None:
    model = Scripted([say("one"), say("two")])
    recorded = Recorded(model, Kept())
    texts = [recorded.complete(replace(ask, sample=sample)).message.text for sample in (0, 1, 0, 1)]
    assert texts == ["one", "two", "one", "two"]


def test_threads_with_the_same_question_ask_once(ask: Request) -> None:
    begun = threading.Barrier(8)

    def slowly(request: Request) -> Reply:
        threading.Event().wait(0.05)
        return say(f"sample {request.sample}")

    model = Scripted(slowly)
    recorded = Recorded(model, Kept())

    def go(number: int) -> str:
        begun.wait()
        return recorded.complete(replace(ask, sample=number % 2)).message.text

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(go, range(8)))
    assert texts == ["sample 0", "sample 1"] * 4
    assert len(model.requests) == 2
    assert recorded._busy == {}


def test_what_failed_is_asked_again(ask: Request) -> None:
    answers = iter([ModelUnavailable("down"), say("up")])

    def answer(_: Request) -> Reply:
        given = next(answers)
        if isinstance(given, Exception):
            raise given
        return given

    recorded = Recorded(Scripted(answer), Kept())
    with pytest.raises(ModelUnavailable):
        recorded.complete(ask)
    assert recorded.complete(ask).message.text == "up"
