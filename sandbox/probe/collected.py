"""The `collected` zygote: the base's tests are collected once; each fork swaps the functions a candidate changed and runs.

What a candidate changed beyond the bodies of functions, or in functions that already ran, cannot be had that way: the fork says
`refused` before it runs anything, and a colder level takes over.
"""

import socket
from typing import Any, Dict, List

from swesearch_probe import session, zygote  # type: ignore[import-not-found]
from swesearch_probe.swap import Memory, Refused  # type: ignore[import-not-found]

NO_CANARIES: Dict[str, Any] = {"canaries": [], "fails": "", "places": []}


def serve(channel: socket.socket, preload: Dict[str, Any]) -> None:
    """Collect, then serve forks, each of which ends when it has run its job."""
    said: List[str] = []
    memory = Memory()

    def hear(kind: str, **data: Any) -> None:
        if kind in ("broken", "usage"):
            said.append(kind + ": " + str(data.get("message")))

    def between(recorder: Any, running: Any) -> bool:
        if recorder.broken or not running.items:
            zygote._give_up(channel, "the base does not collect: " + (said or ["no tests"])[0])
        return _fork(channel, memory, recorder, running)

    session.run(dict(preload, **NO_CANARIES), hear, between)
    zygote._give_up(channel, "the base does not collect: " + (said or ["plugins are missing"])[0])


def _fork(channel: socket.socket, memory: Any, recorder: Any, running: Any) -> bool:
    capture = recorder.capture()
    capture.stop_global_capturing()  # its files would be shared by all forks
    try:
        memory.freeze(recorder.root)
    except Refused as error:
        zygote._give_up(channel, str(error))
    zygote._settle(channel)
    forks = zygote.Forks(channel, memory.prepare)
    job, send = forks.next()
    try:
        memory.swap(job["changed"], forks.hint)
    except Refused as error:
        send("refused", why=str(error))
        session.finish(0)
    recorder.take_over(job, send)
    capture.start_global_capturing()
    capture.suspend_global_capture()
    recorder.choose(running.items)
    return True
