"""The view as a server: who is answered, with what, and how it keeps up with a run that another process writes."""

import itertools
import json
import sqlite3

import pytest

from benchmarks.made_up import MadeUp
from swesearch.base import Event
from tests.view.conftest import TOKEN, story


def test_runs_are_listed_and_each_has_a_page(serve, finished):
    home, first, second = finished
    served = serve(home)
    listed = json.loads(story(served.ask("/")[2]))["runs"]
    assert {run["id"] for run in listed} == {first, second}
    shown = json.loads(story(served.ask(f"/runs/{first}")[2]))
    assert len(shown["story"]["nodes"]) == 30
    assert shown["live"]["events"].startswith(f"/{TOKEN}/runs/{first}/events?after=")


def test_without_the_token_nothing_is_answered(serve, finished):
    served = serve(finished[0])
    assert served.ask("/", base="")[0] == 404
    assert served.ask(f"/runs/{finished[1]}", base="/another-token")[0] == 404


def test_a_page_elsewhere_that_takes_our_name_is_not_answered(serve, finished):
    served = serve(finished[0])
    assert served.ask("/", Host="evil.example")[0] == 400
    assert served.ask("/", Host=f"127.0.0.1:{served.port}")[0] == 200


def test_nobody_may_frame_sniff_or_keep_a_page(serve, finished):
    headers = serve(finished[0]).ask("/")[1]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/runs/nothing-of-that-name", "/compare?a=nothing&b=nothing", "/runs/..%2f..%2fetc", "/runs/*"])
def test_a_run_that_does_not_exist_is_one_clear_line(serve, finished, path):
    status, _, text = serve(finished[0]).ask(path)
    assert status == 404
    assert "there is no run" in text or "Not Found" in text


def test_a_damaged_journal_is_one_clear_line_and_does_not_hide_the_other_runs(serve, tmp_path):
    good, bad = MadeUp(tmp_path / "good", 5).make(), MadeUp(tmp_path / "bad", 400).make()
    bad.folder.rename(good.folder.parent / bad.id)
    journal = good.folder.parent / bad.id / "journal.sqlite"
    data = bytearray(journal.read_bytes())
    data[8192:-4096] = b"\xff" * (len(data) - 12288)
    journal.write_bytes(data)
    served = serve(tmp_path / "good" / "home")

    listed = {run["id"]: run["state"] for run in json.loads(served.ask("/runs.json")[2])}
    status, _, text = served.ask(f"/runs/{bad.id}")

    assert listed == {good.id: "solved", bad.id: "damaged"}
    assert status == 500
    assert "is damaged" in text


def test_the_report_can_be_saved_from_the_page(serve, finished):
    status, headers, text = serve(finished[0]).ask(f"/runs/{finished[1]}/report.html")
    assert status == 200
    assert finished[1] in headers["Content-Disposition"]
    assert json.loads(story(text))["live"] is None


def test_the_change_of_a_node_is_read_from_the_store_when_it_is_asked_for(serve, finished):
    served = serve(finished[0])
    found = json.loads(served.ask(f"/runs/{finished[1]}/changes?node=29")[2])
    assert "@@ -" in found["diff"]
    assert served.ask(f"/runs/{finished[1]}/changes?node=999")[2] == "{}"
    assert served.ask(f"/runs/{finished[1]}/changes?node=x")[0] == 404


def test_an_order_for_a_finished_run_says_why_it_cannot_be(serve, finished):
    served = serve(finished[0])
    status, _, said = served.ask(f"/runs/{finished[1]}/steer", "POST", b'{"order": "pause"}', Content_Type="application/json")
    assert status == 400
    assert "is finished" in said


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"order": "pause"}', "text/plain"),
        (b"[]", "application/json"),
        (b'{"order": "launch"}', "application/json"),
        (b"x" * 30_000, "application/json"),
    ],
)
def test_what_is_no_order_is_refused(serve, finished, body, kind):
    assert serve(finished[0]).ask(f"/runs/{finished[1]}/steer", "POST", body, Content_Type=kind)[0] == 400


def test_a_page_keeps_up_with_a_run_that_somebody_else_writes(serve, chromium, tmp_path):
    run, events = MadeUp(tmp_path, 25).begin()
    journal = run.journal()
    for event in itertools.islice(events, 10):
        journal.append(event)
    served = serve(tmp_path / "home")
    shown = chromium.page()
    shown.open(f"{served.base}/runs/{run.id}")
    before = shown.run("page.model.order.length")
    assert shown.text("#state").startswith("running")

    for event in events:
        journal.append(event)
    journal.close()

    shown.until("page.model.order.length === 25")
    shown.until("document.getElementById('state').textContent === 'fixed'")
    assert before < 25
    assert shown.run("document.querySelectorAll('[role=treeitem]').length") > before
    assert shown.text("#patch").startswith("The patch that was handed over")
    shown.until("page.model.nodes.get(page.chosen).exact && document.querySelector('#details .diff').innerText.includes('@@ -')")
    assert shown.troubles() == []
    shown.close()


def test_a_run_whose_process_was_killed_is_not_said_to_be_running(serve, chromium, tmp_path):
    run, events = MadeUp(tmp_path, 8).begin()
    journal = run.journal()
    for event in itertools.islice(events, 6):
        journal.append(event)
    served = serve(tmp_path / "home")
    shown = chromium.page()
    shown.open(f"{served.base}/runs/{run.id}")
    assert shown.text("#state").startswith("running")
    assert json.loads(served.ask("/runs.json")[2])[0]["running"]
    journal.close()
    shown.until("document.getElementById('state').textContent === 'unfinished'")
    assert not json.loads(served.ask("/runs.json")[2])[0]["running"]
    shown.close()


def test_an_order_from_the_page_reaches_the_run(serve, chromium, tmp_path):
    run, events = MadeUp(tmp_path, 25).begin()
    journal = run.journal()
    for event in itertools.islice(events, 12):
        journal.append(event)
    served = serve(tmp_path / "home")
    shown = chromium.page()
    shown.open(f"{served.base}/runs/{run.id}")

    shown.click("#pause")
    shown.until("document.getElementById('said-of-it').textContent.startsWith('sent:')")
    assert json.loads((run.folder / "orders.jsonl").read_text())["order"] == "pause"
    journal.append(Event("steered", {"number": 1, "order": "pause", "at": [1, 0], "effect": "paused"}))

    shown.until("document.getElementById('pause').textContent === 'Go on'")
    assert shown.text("#state") == "paused"
    assert shown.text("#said-of-it") == "Pause: paused"
    assert shown.troubles() == []
    shown.close()
    journal.close()


def test_the_list_is_filtered_and_two_runs_are_compared(serve, chromium, finished):
    home, first, second = finished
    shown = chromium.page()
    shown.open(f"{serve(home).base}/")
    shown.run("document.getElementById('find').focus()")
    shown.write(second)
    assert shown.run("document.querySelectorAll('#runs tr').length") == 1
    shown.run("document.getElementById('find').value = ''; document.getElementById('find').dispatchEvent(new Event('input'))")
    for run in (first, second):
        shown.click(f"[data-run='{run}'] input")
    shown.click("#compare")
    shown.until("document.title === 'Two runs: swesearch'")
    assert first in shown.text("#names")
    assert second in shown.text("#names")
    assert shown.text("#same") == "The two patches differ."
    assert shown.troubles() == []
    shown.close()


def test_a_journal_that_breaks_while_it_is_followed_is_said_on_the_page(serve, chromium, tmp_path):
    run = MadeUp(tmp_path, 10).make()
    served = serve(tmp_path / "home")
    shown = chromium.page()
    shown.open(f"{served.base}/runs/{run.id}")
    with sqlite3.connect(run.folder / "journal.sqlite") as broken:
        broken.execute("INSERT INTO event (kind, data) VALUES ('node', '{')")
    broken.close()
    shown.until("document.getElementById('trouble').textContent.includes('is damaged')")
    shown.close()
