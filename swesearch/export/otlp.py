"""A run as OpenTelemetry spans, in the JSON form of OTLP, with the attributes of the GenAI conventions (semconv 1.41).

One span for the run (`invoke_agent`), below it one for each attempt, linked to the attempt it builds on, and below that the calls of
models (`chat`) and of tools (`execute_tool`). When a call was made is not recorded: those of one attempt share its time evenly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from swesearch import __version__
from swesearch.export.told import Told, why

INTERNAL, CLIENT = 1, 3  # kinds of spans
GOOD, BAD = 1, 2  # status codes
FINISHED = {"end": "stop", "calls": "tool_calls", "length": "length", "refusal": "content_filter", "overflow": "length"}
Span = dict[str, Any]
Time = tuple[float, float]


def otlp(run: str, told: Told) -> dict[str, Any]:
    """The body of a request to /v1/traces, and what such a file holds."""
    resource = {"attributes": _attributes({"service.name": "swesearch", "service.version": __version__})}
    scope = {"name": "swesearch", "version": __version__}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": list(_spans(run, told))}]}]}


def _spans(run: str, told: Told) -> Iterator[Span]:
    whole = told.began, told.began + told.seconds
    failed = told.state in ("sandbox", "model", "check", "usage")
    facts = {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "swesearch", "gen_ai.agent.version": __version__,
        "gen_ai.conversation.id": run, "swesearch.state": told.state, "swesearch.nodes": len(told.nodes),
        "swesearch.fixed": bool(told.solution and told.solution.best),
    }  # fmt: skip
    status = {"code": BAD, "message": told.error} if failed else {"code": GOOD}
    yield _span(run, "run", "", "invoke_agent swesearch", INTERNAL, whole, facts, status=status)
    yield from _calls(run, "run", told.replies.get(None, ()), whole)
    for node in told.nodes:
        own, name = _when(told.began, node), f"n{node['id']}"
        yield _attempt(run, node, own)
        yield from _calls(run, name, told.replies.get(node["id"], ()), own)


def _attempt(run: str, node: Mapping[str, Any], when: Time) -> Span:
    facts = {
        "swesearch.node": node["id"], "swesearch.value": float(node["value"]), "swesearch.solved": bool(node["solved"]),
        "swesearch.why": why(node), "swesearch.tree": node["tree"], "swesearch.closed": bool(node.get("closed")),
    }  # fmt: skip
    span = _span(run, f"n{node['id']}", "run", f"attempt n{node['id']}", INTERNAL, when, facts)
    if node["parent"] is not None:
        span["links"] = [{"traceId": span["traceId"], "spanId": _id(run, f"n{node['parent']}", 8)}]
    return span


def _calls(run: str, above: str, replies: Sequence[Mapping[str, Any]], when: Time) -> Iterator[Span]:
    share = (when[1] - when[0]) / max(1, len(replies))
    for number, reply in enumerate(replies):
        name, begun = f"{above}/chat{number}", when[0] + number * share
        own = begun, begun + share
        yield _span(run, name, above, f"chat {reply['model']}", CLIENT, own, _chat(reply))
        for place, part in enumerate(part for part in reply["message"]["parts"] if part["kind"] == "ToolCall"):
            tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": part["name"], "gen_ai.tool.call.id": part["id"]}
            yield _span(run, f"{name}/tool{place}", name, f"execute_tool {part['name']}", INTERNAL, (own[1], own[1]), tool)


def _chat(reply: Mapping[str, Any]) -> dict[str, Any]:
    usage, model = reply["usage"], reply["model"]
    return {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic" if model.startswith("claude") else "openai",
        "gen_ai.request.model": model, "gen_ai.response.model": model, "gen_ai.response.finish_reasons": [FINISHED[reply["stop"]]],
        "gen_ai.usage.input_tokens": usage["input"] + usage["cache_read"] + usage["cache_write"],
        "gen_ai.usage.output_tokens": usage["output"], "gen_ai.usage.cache_read.input_tokens": usage["cache_read"],
        "gen_ai.usage.cache_creation.input_tokens": usage["cache_write"], "swesearch.dollars": float(reply["dollars"]),
        "swesearch.role": reply.get("asked", {}).get("role", ""),
    }  # fmt: skip


def _when(began: float, node: Mapping[str, Any]) -> Time:
    """From the beginning of an attempt to its end; older journals know only how long it took."""
    ended = began + node.get("spent", {}).get("seconds", node["seconds"])
    return max(began, ended - node["seconds"]), ended


def _span(
    run: str, name: str, above: str, title: str, kind: int, when: Time, facts: Mapping[str, Any], status: Mapping[str, Any] | None = None
) -> Span:
    parent = {"parentSpanId": _id(run, above, 8)} if above else {}
    begun, ended = (str(round(seconds * 1e9)) for seconds in when)  # 64-bit numbers are strings in JSON
    return {
        "traceId": _id(run, "", 16), "spanId": _id(run, name, 8), **parent, "name": title, "kind": kind,
        "startTimeUnixNano": begun, "endTimeUnixNano": ended, "attributes": _attributes(facts), "status": dict(status or {}),
    }  # fmt: skip


def _id(run: str, name: str, size: int) -> str:
    """The same run gives the same ids: what is sent twice is there once."""
    return sha256(f"{run}\0{name}".encode()).digest()[:size].hex()


def _attributes(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in facts.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list():
            return {"arrayValue": {"values": [_value(each) for each in value]}}
        case _:
            return {"stringValue": str(value)}
