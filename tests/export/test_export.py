"""Runs as the files of other tools, made of a real run and of a journal that tells of models."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from swesearch.base import Action, Check, Delete, Event, Task, UsageError
from swesearch.codec import encode
from swesearch.dialogue import Message, Reply, Text, ToolCall, Usage
from swesearch.export import FORMATS, export
from swesearch.export.send import send
from swesearch.models.wire import reply_json
from swesearch.runs import Run

REPLY = Reply(
    Message("assistant", (Text("I look."), ToolCall("c1", "read", {"path": "a.py"}))), "calls", Usage(10, 5, 100, 20), "claude-x", 0.25
)
BEGUN = {"task": encode(Task(Path("repo"), (Check(("pytest",)),), "It is\ud800 wrong")), "settings": {}, "version": "0", "time": 1000.0}


def node(number: int, parent: int | None, value: float, seconds: float, why: str = "") -> Event:
    data = {
        "id": number, "parent": parent, "tree": f"tree{number}", "why": why, "prior": 0.5, "value": value, "solved": value == 1.0,
        "seconds": 0.5, "terms": [{"name": "failing", "score": value, "known": True, "feedback": ""}], "spent": {"seconds": seconds},
        "action": encode(Action((Delete("a.py"),))) if why else None, "evaluation": None,
    }  # fmt: skip
    return Event("node", data)


EVENTS = [
    Event("begun", BEGUN),
    Event("started", {"run": "r", "repo": "repo", "root": "tree0", "strategy": "mcts", "seed": 0, "checks": [], "version": "0"}),
    node(0, None, 0.1, 0.0),
    Event("memory", {"key": "reply:plan", "value": reply_json(REPLY), "parent": "tree0", "why": ""}),
    Event("memory", {"key": "reply:work", "value": reply_json(REPLY), "parent": "tree0", "why": "delete\x00 it"}),
    node(1, 0, 1.0, 3.0, "delete\x00 it"),
    Event("stopped", {"why": "budget", "error": "", "exit_code": 3, "seconds": 4.0}),
]


def spans(text: str) -> dict[str, Any]:
    (resource,) = json.loads(text)["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    return {span["name"]: span for span in scope["spans"]}


def facts(span: dict[str, Any]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_be_made_of_a_real_run_and_of_one_that_is_cut_short(form: str, finished: Run) -> None:
    for events in (list(finished.events()), EVENTS, EVENTS[:1], EVENTS[:3]):
        text = export("r", events, form)
        assert "\\ud800" not in text
        if form != "graphml":
            json.loads(text)


def test_the_graph_has_the_nodes_of_the_journal_and_says_which_lead_to_the_best(finished: Run) -> None:
    graph = nx.parse_graphml(export(finished.id, finished.events(), "graphml"))
    rows = {f"n{event.data['id']}": event.data for event in finished.events("node")}

    assert set(graph) == set(rows)
    assert {(parent, child) for parent, child in graph.edges} == {
        (f"n{r['parent']}", n) for n, r in rows.items() if r["parent"] is not None
    }
    best = [name for name, known in graph.nodes(data=True) if known["best_path"]]
    assert best[0] == "n0"
    assert graph.nodes[best[-1]]["solved"]
    assert graph.nodes[best[-1]]["label"] == rows[best[-1]]["why"]


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert nx.parse_graphml(export("r", EVENTS, "graphml")).nodes["n1"]["label"] == "delete\ufffd it"


def test_our_own_form_names_itself_and_its_version_and_tells_all_nodes(finished: Run) -> None:
    told = json.loads(export(finished.id, finished.events(), "json"))

    assert (told["format"], told["version"], told["run"]) == ("swesearch-run", 1, finished.id)
    assert [row["id"] for row in told["nodes"]] == [event.data["id"] for event in finished.events("node")]
    assert told["solution"]["found"]
    assert {"title", "lines"} == set(told["account"][0])


def test_trajectories_end_with_what_was_handed_over(finished: Run) -> None:
    swe, mini = (json.loads(export(finished.id, finished.events(), form)) for form in ("traj", "mini"))
    patch = finished.patch.read_text()

    assert swe["info"]["submission"] == mini["messages"][-1]["content"] == patch
    assert swe["info"]["exit_status"] == mini["info"]["exit_status"] == "Submitted"
    assert swe["info"]["swesearch"]["finalists"][0] == {"patch": patch, "verified": True, "value": 1.0}
    assert mini["trajectory_format"] == "mini-swe-agent-1.1"


def test_spans_nest_attempts_under_the_run_and_calls_under_the_attempt_they_were_for() -> None:
    found = spans(export("r", EVENTS, "otel"))
    run, first, second = (found[name] for name in ("invoke_agent swesearch", "attempt n0", "attempt n1"))

    assert {len(span["traceId"]) for span in found.values()} == {32}
    assert {len(span["spanId"]) for span in found.values()} == {16}
    assert len({span["spanId"] for span in found.values()}) == len(found) == 5
    assert "parentSpanId" not in run
    assert first["parentSpanId"] == second["parentSpanId"] == run["spanId"]
    assert second["links"] == [{"traceId": run["traceId"], "spanId": first["spanId"]}]
    assert (second["startTimeUnixNano"], second["endTimeUnixNano"]) == ("1002500000000", "1003000000000")
    assert (run["startTimeUnixNano"], run["endTimeUnixNano"]) == ("1000000000000", "1004000000000")


def test_calls_of_models_carry_the_attributes_of_the_genai_conventions() -> None:
    found = spans(export("r", EVENTS, "otel"))
    chat, tool = found["chat claude-x"], found["execute_tool read"]

    assert chat["kind"] == 3
    assert chat["parentSpanId"] == found["attempt n1"]["spanId"]
    assert tool["parentSpanId"] == chat["spanId"]
    known = facts(chat)
    assert (known["gen_ai.operation.name"], known["gen_ai.provider.name"], known["gen_ai.request.model"]) == (
        "chat",
        "anthropic",
        "claude-x",
    )
    assert (known["gen_ai.usage.input_tokens"], known["gen_ai.usage.output_tokens"]) == ("130", "5")
    assert known["gen_ai.response.finish_reasons"] == {"values": [{"stringValue": "tool_calls"}]}
    assert facts(tool)["gen_ai.tool.call.id"] == "c1"


def test_the_same_run_has_the_same_spans() -> None:
    assert export("r", EVENTS, "otel") == export("r", EVENTS, "otel")
    assert spans(export("r", EVENTS, "otel"))["attempt n0"]["spanId"] != spans(export("s", EVENTS, "otel"))["attempt n0"]["spanId"]


def test_a_log_of_inspect_counts_tokens_and_scores_what_was_verified(finished: Run) -> None:
    good, bad = json.loads(export(finished.id, finished.events(), "inspect")), json.loads(export("r", EVENTS, "inspect"))

    assert good["samples"][0]["scores"]["verified"]["value"] == "C"
    assert good["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 1.0
    assert bad["samples"][0]["scores"]["verified"]["value"] == "I"
    assert bad["stats"]["model_usage"]["claude-x"] == {
        "input_tokens": 20, "output_tokens": 10, "input_tokens_cache_read": 200, "input_tokens_cache_write": 40, "total_tokens": 270,
        "total_cost": 0.5,
    }  # fmt: skip


@pytest.mark.filterwarnings("default")  # of a package that is not ours
def test_inspect_itself_reads_its_log(finished: Run, tmp_path: Path) -> None:
    log = pytest.importorskip("inspect_ai.log", reason="inspect_ai is not installed: it brings 38 packages, and the export needs none")
    for name, events in (("a", list(finished.events())), ("b", EVENTS)):
        file = tmp_path / f"{name}.json"
        file.write_text(export(name, events, "inspect"))
        read = log.read_eval_log(str(file))
        assert (read.eval.run_id, read.samples[0].id, read.version) == (name, name, 2)


class Collector(BaseHTTPRequestHandler):
    """Takes traces as an OpenTelemetry collector does."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(200 if self.path == "/v1/traces" else 404)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Collector)
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_spans_reach_a_collector_with_the_headers_of_the_environment(collector: HTTPServer) -> None:
    body, address = export("r", EVENTS, "otel"), f"http://127.0.0.1:{collector.server_port}"

    assert send(body, address, {"OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b,other=c"}) == f"{address}/v1/traces"

    ((path, headers, sent),) = collector.seen  # type: ignore[attr-defined]
    assert path == "/v1/traces"
    assert (headers["x-key"], headers["other"], headers["Content-Type"]) == ("a b", "c", "application/json")
    assert sent.decode() == body


@pytest.mark.parametrize(
    ("address", "words"),
    [("localhost:4318", "say an address"), ("file:///etc/passwd", "say an address"), ("http://127.0.0.1:1", "cannot be reached")],
)
def test_an_endpoint_that_cannot_be_used_is_one_clear_error(address: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        send("{}", address, {})


def test_a_collector_that_does_not_take_it_is_quoted(collector: HTTPServer) -> None:
    with pytest.raises(UsageError, match="did not take the spans: 404"):
        send("{}", f"http://127.0.0.1:{collector.server_port}/elsewhere", {})
