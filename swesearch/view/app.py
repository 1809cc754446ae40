"""The pages as a web application. Everything stands below a token; only this machine is answered; nothing is kept between requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from swesearch.base import JournalError, SwesearchError, UsageError
from swesearch.report.page import page
from swesearch.report.progress import STOPPED
from swesearch.runs import list_runs, open_run
from swesearch.view.pages import compare_page, error_page, index_page
from swesearch.view.stories import Follower

HOSTS = ["127.0.0.1", "localhost"]  # another name in a request is a page elsewhere that tries to reach us (DNS rebinding)
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
        return JSONResponse(await run_in_threadpool(self._runs))

    async def run(self, request: Request) -> Response:
        follower = await self._follower(request.path_params["run"])
        events = f"{self._base}/runs/{follower.run.id}/events?after={follower.number}"
        live = {"events": events, "home": f"{self._base}/", "steer": f"{self._base}/runs/{follower.run.id}/steer"}
        return HTMLResponse(await run_in_threadpool(page, follower.story(), live))

    async def report(self, request: Request) -> Response:
        follower = await self._follower(request.path_params["run"])
        name = {"Content-Disposition": f'attachment; filename="{follower.run.id}.html"'}
        return HTMLResponse(await run_in_threadpool(page, follower.story()), headers=name)

    async def compare(self, request: Request) -> Response:
        found = [(await self._follower(request.query_params.get(name, ""))).story() for name in ("a", "b")]
        return HTMLResponse(await run_in_threadpool(compare_page, found[0], found[1], self._base))

    async def events(self, request: Request) -> Response:
        follower = await self._follower(request.path_params["run"])
        known = request.headers.get("last-event-id") or request.query_params.get("after", "0")
        if not known.isdecimal():
            raise UsageError(f"{known!r} is no number of an event")
        return StreamingResponse(_told(follower, int(known)), media_type="text/event-stream")

    def close(self) -> None:
        for follower in self._followers.values():
            follower.close()

    def _runs(self) -> list[dict[str, Any]]:
        found = list_runs(self._home)
        return [
            {"id": run.id, "repo": run.repo, "started": run.started, "state": run.state, "words": STOPPED.get(run.state, run.state),
             "evaluations": run.evaluations, "best": run.best}
            for run in found
        ]  # fmt: skip

    async def _follower(self, name: str) -> Follower:
        run = await run_in_threadpool(open_run, self._home, name)
        if run.id not in self._followers:
            self._followers[run.id] = await run_in_threadpool(Follower, run)
        await run_in_threadpool(self._followers[run.id].step)
        return self._followers[run.id]


async def _told(follower: Follower, known: int) -> AsyncIterator[str]:
    """Server-sent events: what is new, each with the number up to which everything is known then."""
    silent = 0.0
    while True:
        try:
            number = await run_in_threadpool(follower.step)
        except JournalError as error:
            yield _event("trouble", str(error), known)
            return
        if number > known:
            yield _event("story", await run_in_threadpool(follower.news, known), number)
            known, silent = number, 0.0
        elif (silent := silent + EVERY) >= 15:
            yield ": still here\n\n"
            silent = 0.0
        await asyncio.sleep(EVERY)


def _event(kind: str, data: object, number: int) -> str:
    return f"event: {kind}\nid: {number}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def _safe(answer: Answer) -> Answer:
    """The answer with the headers that all have; what went wrong as a page with one clear line."""

    async def answered(request: Request) -> Response:
        try:
            response = await answer(request)
        except SwesearchError as error:
            response = HTMLResponse(error_page(str(error)), status_code=404 if isinstance(error, UsageError) else 500)
        response.headers.update(HEADERS)
        return response

    return answered
