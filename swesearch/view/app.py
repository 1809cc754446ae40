"""The pages as a web application. Everything stands below a token; only this machine is answered; nothing is kept between requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from swesearch.base import JournalError, SwesearchError, UsageError
from swesearch.journal import is_written
from swesearch.report.page import page
from swesearch.report.progress import STOPPED
from swesearch.runs import JOURNAL, list_runs, open_run
from swesearch.steer import Order, steer
from swesearch.view.pages import compare_page, error_page, index_page
from swesearch.view.stories import Follower, story_of

HOSTS = ["127.0.0.1", "localhost"]  # another name in a request is a page elsewhere that tries to reach us (DNS rebinding)
ACTS = ("changes", "steer")  # what a page asks of its run
LONGEST = 20_000  # bytes of an order
WAIT = 1.5  # seconds until a running search has taken an order up
EVERY = 0.3  # seconds between two looks into a journal
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Answer = Callable[[Request], Awaitable[Response]]


def application(home: Path, token: str) -> Starlette:
    """The application for the runs in `home`, all of it below /`token`/."""
    pages = _Pages(home, f"/{token}")
    routes = [
        Route("/", _safe(pages.index)),
        Route("/runs.json", _safe(pages.listing)),
        Route("/compare", _safe(pages.compare)),
        Route("/runs/{run}", _safe(pages.run)),
        Route("/runs/{run}/report.html", _safe(pages.report)),
        Route("/runs/{run}/events", _safe(pages.events)),
        Route("/runs/{run}/changes", _safe(pages.changes)),
        Route("/runs/{run}/steer", _safe(pages.steer), methods=["POST"]),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        pages.close()

    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)
    return Starlette(routes=[Mount(f"/{token}", routes=routes)], middleware=[hosts], lifespan=lifespan)


class _Pages:
    """What is answered. One follower for each run that somebody looks at."""

    def __init__(self, home: Path, base: str) -> None:
        self._home, self._base = home, base
        self._followers: dict[str, Follower] = {}

    async def index(self, _: Request) -> Response:
        return HTMLResponse(index_page(await run_in_threadpool(self._runs), self._base))

    async def listing(self, _: Request) -> Response:
        return _json(await run_in_threadpool(self._runs))

    async def run(self, request: Request) -> Response:
        follower = await self._follower(request.path_params["run"])
        await run_in_threadpool(follower.step)
        events = f"{self._base}/runs/{follower.run.id}/events?after={follower.number}"
        live = {"events": events, "home": f"{self._base}/", **{name: f"{self._base}/runs/{follower.run.id}/{name}" for name in ACTS}}
        return HTMLResponse(await run_in_threadpool(page, follower.story(), live))

    async def report(self, request: Request) -> Response:
        run = (await self._follower(request.path_params["run"])).run
        name = {"Content-Disposition": f'attachment; filename="{run.id}.html"'}
        return HTMLResponse(await run_in_threadpool(lambda: page(story_of(run))), headers=name)

    async def changes(self, request: Request) -> Response:
        follower, node = await self._follower(request.path_params["run"]), request.query_params.get("node", "")
        await run_in_threadpool(follower.step)
        return _json(await run_in_threadpool(follower.changes, _number(node, "node")))

    async def steer(self, request: Request) -> Response:
        """Pass an order on, and say in words what came of it."""
        follower = await self._follower(request.path_params["run"])
        order = _order(await _body(request))
        return PlainTextResponse(await run_in_threadpool(partial(steer, follower.run, order, wait=WAIT)))

    async def compare(self, request: Request) -> Response:
        both = [await self._follower(request.query_params.get(name, "")) for name in ("a", "b")]
        a, b = [await run_in_threadpool(_whole, follower) for follower in both]
        return HTMLResponse(await run_in_threadpool(compare_page, a, b, self._base))

    async def events(self, request: Request) -> Response:
        follower = await self._follower(request.path_params["run"])
        known = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        return StreamingResponse(_told(follower, _number(known, "event")), media_type="text/event-stream")

    def close(self) -> None:
        for follower in self._followers.values():
            follower.close()

    def _runs(self) -> list[dict[str, Any]]:
        return [
            {**asdict(run), "words": STOPPED.get(run.state, run.state), "running": run.state == "unfinished" and self._is_written(run.id)}
            for run in list_runs(self._home)
        ]

    def _is_written(self, name: str) -> bool:
        return is_written(self._home / "runs" / name / JOURNAL)

    async def _follower(self, name: str) -> Follower:
        run = await run_in_threadpool(open_run, self._home, name)
        known = self._followers.get(run.id)
        if known and known.failed:  # a journal that was mended is read anew
            known.close()
        if known is None or known.failed:
            self._followers[run.id] = await run_in_threadpool(partial(Follower, run, exact=False))
        return self._followers[run.id]


def _whole(follower: Follower) -> dict[str, Any]:
    follower.step()
    return follower.story()


async def _body(request: Request) -> bytes:
    """What was sent, if it is short and says that it is JSON: a form of another page cannot. Raises UsageError."""
    if request.headers.get("content-type") != "application/json":
        raise UsageError("an order is sent as application/json")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST:
            raise UsageError(f"an order has at most {LONGEST} bytes")
    return body


def _order(body: bytes) -> Order:
    try:
        return Order.from_dict(json.loads(body), number=1)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"this is no order: {error}") from error


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise UsageError(f"{text!r} is no number of a{'n' if what[0] in 'aeiou' else ''} {what}")
    return int(text)


async def _told(follower: Follower, known: int) -> AsyncIterator[str]:
    """Server-sent events: what is new, each with the number up to which everything is known then."""
    silent, lived = 0.0, True
    while True:
        try:
            number, alive = await run_in_threadpool(follower.step)
        except JournalError as error:
            yield _event("trouble", str(error), known)
            return
        if number > known or lived > alive:  # a process that was killed says nothing
            yield _event("story", await run_in_threadpool(follower.news, known), number)
            known, silent, lived = number, 0.0, alive
        elif (silent := silent + EVERY) >= 15:
            yield ": still here\n\n"
            silent = 0.0
        await asyncio.sleep(EVERY)


def _json(data: object) -> Response:
    return Response(json.dumps(data), media_type="application/json")  # ASCII: a path may hold what is no text


def _event(kind: str, data: object, number: int) -> str:
    return f"event: {kind}\nid: {number}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def _safe(answer: Answer) -> Answer:
    """The answer with the headers that all have; what went wrong as a page with one clear line."""

    async def answered(request: Request) -> Response:
        try:
            response = await answer(request)
        except SwesearchError as error:
            response = _refused(error, request.method)
        response.headers.update(HEADERS)
        return response

    return answered


def _refused(error: SwesearchError, method: str) -> Response:
    """What went wrong: in words for a script, as a page for people."""
    if method == "POST":
        return PlainTextResponse(str(error), 400)
    return HTMLResponse(error_page(str(error)), 404 if isinstance(error, UsageError) else 500)
