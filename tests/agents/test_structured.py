"""JSON from models that do not always give it."""

import json

import pytest

from swesearch.agents.structured import NoAnswer, array, ask, mismatch, one_of, prompt, record, string
from swesearch.base import ModelUnavailable
from swesearch.dialogue import Message, Reply, Request, Text, Thought
from swesearch.models.scripted import Scripted, call, say, think

SCHEMA = record(name=string("a name"), sizes=array({"type": "integer"}), mood=one_of(("good", "bad")))
GOOD = {"name": "x", "sizes": [1, 2], "mood": "good"}
REQUEST = Request("judge", "system", (Message("user", (Text("Well?"),)),), schema=SCHEMA, shared=(0,))


def answer(*replies, check=lambda value: value):
    model = Scripted(list(replies))
    return ask(model, REQUEST, check), model


def test_json_of_the_schema_is_read_in_one_call():
    value, model = answer(say(json.dumps(GOOD)))
    assert value == GOOD
    assert model.requests == [REQUEST]


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{json.dumps(GOOD)}\n```",
        f"Here it is:\n\n{json.dumps(GOOD, indent=1)}\n\nI hope {{that}} helps!",
        f"The set {{1}} is such that {json.dumps(GOOD)}",
    ],
)
def test_json_among_words_needs_no_second_call(text):
    assert answer(say(text))[0] == GOOD


def test_a_malformed_answer_is_repaired_once_and_stays_in_the_conversation():
    bad = think("hm", say('{"name": 3'))
    value, model = answer(bad, say(json.dumps(GOOD)))
    assert value == GOOD
    second = model.requests[1]
    assert second.messages[:2] == (*REQUEST.messages, bad.message)
    assert "not JSON" in second.messages[2].text
    assert second.shared == REQUEST.shared


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (json.dumps({**GOOD, "sizes": [1, "2"]}), "the answer.sizes[1] must be of type integer"),
        (json.dumps({**GOOD, "mood": "great"}), "the answer.mood must be one of good, bad"),
        (json.dumps({**GOOD, "more": 1}), "must not have 'more'"),
        (json.dumps({"name": "x"}), "lacks 'sizes'"),
        ("[" * 100_000, "nested too deeply"),
        ('{"name": "x", "sizes": [NaN], "mood": "good"}', "NaN is no number"),
        ("I would rather talk about it.", "not JSON"),
    ],
)
def test_the_repair_round_names_the_error_and_twice_malformed_is_no_answer(text, named):
    model = Scripted([say(text), say(text)])
    with pytest.raises(NoAnswer, match="malformed twice"):
        ask(model, REQUEST, lambda value: value)
    assert named in model.requests[1].messages[-1].text


def test_what_the_caller_cannot_use_is_repaired_too():
    def check(value):
        if value["name"] == "x":
            raise ValueError("the name is taken")
        return value["name"]

    value, model = answer(say(json.dumps(GOOD)), say(json.dumps({**GOOD, "name": "y"})), check=check)
    assert value == "y"
    assert "the name is taken" in model.requests[1].messages[-1].text


def test_an_answer_that_was_cut_off_is_asked_for_again_more_briefly():
    value, model = answer(say(json.dumps(GOOD), stop="length"), say(json.dumps(GOOD)))
    assert value == GOOD
    assert "cut off" in model.requests[1].messages[-1].text


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (say("", stop="refusal", note="cyber"), "refused to answer: cyber"),
        (Reply(Message("assistant", ()), "overflow"), "does not fit the model's window"),
        (say("  \n"), "said nothing"),
        (Reply(Message("assistant", (Thought({"type": "thinking"}),)), "end"), "said nothing"),
        (call("search", text="x"), "called a tool"),
    ],
)
def test_no_words_are_no_answer_after_one_call(reply, words):
    model = Scripted([reply])
    with pytest.raises(NoAnswer, match=words):
        ask(model, REQUEST, lambda value: value)
    assert len(model.requests) == 1


def test_a_refusal_in_the_repair_round_is_no_answer():
    with pytest.raises(NoAnswer, match="refused"):
        answer(say("prose"), say("", stop="refusal"))


def test_an_outage_is_no_missing_answer():
    def down(request):
        raise ModelUnavailable("no network")

    with pytest.raises(ModelUnavailable):
        ask(Scripted(down), REQUEST, lambda value: value)


def test_true_is_no_number():
    assert mismatch(True, {"type": "integer"}) == "the answer must be of type integer"
    assert mismatch(True, {"type": "boolean"}) == ""


def test_every_prompt_is_found_beside_the_code():
    assert "hypotheses" in prompt("planner")
