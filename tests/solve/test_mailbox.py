"""The mailbox of a run: numbered, whole, and read once."""

import json
import threading

import pytest

from swesearch.base import UsageError
from swesearch.steer import LONGEST, MAILBOX, Mailbox, Order


def test_orders_are_numbered_as_they_are_sent_and_read_once(tmp_path):
    reader = Mailbox(tmp_path)
    numbers = [Mailbox(tmp_path).send(order) for order in (Order("pause"), Order("hint", node=3, text="two\nlines"))]

    found = reader.new()

    assert numbers == [1, 2] == [order.number for order in found]
    assert (found[1].kind, found[1].node, found[1].text) == ("hint", 3, "two\nlines")
    assert reader.new() == []
    assert [order.number for order in Mailbox(tmp_path).old] == [1, 2]


def test_a_line_that_was_torn_by_a_death_says_nothing_and_disturbs_no_other(tmp_path):
    Mailbox(tmp_path).send(Order("pause"))
    with (tmp_path / MAILBOX).open("ab") as file:
        file.write(b'{"order": "sto')
    reader = Mailbox(tmp_path)

    assert Mailbox(tmp_path).send(Order("continue")) == 3
    assert [(order.number, order.kind) for order in reader.old + reader.new()] == [(1, "pause"), (3, "continue")]


@pytest.mark.parametrize("line", ["", "null", "[]", "7", '{"order": "fly"}', '{"order": "prune"}', '{"order": "add", "more": {"joy": 1}}'])
def test_what_is_no_order_is_passed_over(tmp_path, line):
    (tmp_path / MAILBOX).write_text(f"{line}\n{json.dumps({'order': 'stop'})}\n")
    assert [(order.number, order.kind) for order in Mailbox(tmp_path).old] == [(2, "stop")]


def test_orders_of_many_senders_are_all_kept_whole(tmp_path):
    def send():
        for _ in range(10):
            Mailbox(tmp_path).send(Order("hint", node=1, text="x" * 1000))

    threads = [threading.Thread(target=send) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [order.number for order in Mailbox(tmp_path).old] == list(range(1, 51))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "fly"}, "there is no order"),
        ({"kind": "prune"}, "name a node"),
        ({"kind": "stop", "node": 1}, "for the whole run"),
        ({"kind": "hint", "node": 1, "text": "  "}, "the hint is empty"),
        ({"kind": "hint", "node": 1, "text": "x" * (LONGEST + 1)}, f"at most {LONGEST}"),
        ({"kind": "add"}, "say how much more"),
        ({"kind": "add", "more": {"dollars": -1}}, "above zero"),
        ({"kind": "add", "more": {"dollars": float("nan")}}, "above zero"),
        ({"kind": "pause", "text": "x"}, "takes no text"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused(wrong, words):
    with pytest.raises(UsageError, match=words):
        Order(**wrong)
