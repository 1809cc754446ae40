"""The layers of the briefing that all agents share: the issue, its pictures, the failing tests, where the bug may be, the code at large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from swesearch.agents.clean import cleaned, visible
from swesearch.agents.context import PER_TOKEN, WITHOUT_LIMIT, Layer
from swesearch.base import State, UsageError
from swesearch.code.issue import mentions
from swesearch.code.repomap import RepositoryMap
from swesearch.dialogue import Image, Text
from swesearch.store import EXECUTABLE, FILE, Store

GUIDELINES = ("AGENTS.md", "CONTRIBUTING.md", "CONTRIBUTING.rst", "CONTRIBUTING", ".github/CONTRIBUTING.md", "docs/CONTRIBUTING.md")
SIGNATURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
LARGEST = 3_750_000  # bytes of a picture: providers take 5 MB of base64
FRAME = 100  # characters of the marks around a map


def issue(text: str, *, priority: int = 100) -> Layer:
    """What was reported, without what a reader of the page would not see."""
    return _prose("issue", text, priority, "The issue, as it was reported:", reserved=500)


def images(pictures: Sequence[bytes], *, priority: int = 40) -> Layer:
    """The pictures of the issue. Raises UsageError for what is none, or is too large."""
    parts = [Image(data, _media_type(data, number)) for number, data in enumerate(pictures, 1)]
    return Layer("images", priority, lambda _: parts, condition=lambda: bool(parts))


def failing_tests(text: str, *, priority: int = 90) -> Layer:
    """The tests that have to pass, and how they fail."""
    return _plain("failing-tests", text, priority, "The tests that fail because of the bug:", reserved=500)


def localisation(text: str, *, priority: int = 80) -> Layer:
    """Where the bug may be."""
    return _plain("suspicious-code", text, priority, "Code that the failing tests or the issue make suspicious, most suspicious first:")


def guidelines(store: Store, state: State, *, priority: int = 20, most: int = 1_500) -> Layer:
    """What the repository asks of those who change it, by its files for agents and contributors."""
    files = store.files(state)
    found = [store.read(state, path) for path in GUIDELINES if path in files and files[path].mode in (FILE, EXECUTABLE)]
    text = "\n\n".join(data.decode("utf-8", "replace") for data in found)
    return replace(_prose("guidelines", text, priority, "Conventions of the repository; follow what they say about code:"), most=most)


def repository_map(
    store: Store,
    state: State,
    maps: RepositoryMap,
    issue: str = "",
    suspects: Sequence[str] = (),
    *,
    leave_out: Callable[[str], bool] = lambda _: False,
    priority: int = 30,
    most: int = 4_000,
) -> Layer:
    """The files and definitions that matter most to what the issue mentions and to the suspicious files. `leave_out`: files that do not."""
    blobs = {path: entry.id for path, entry in store.files(state).items() if entry.mode in (FILE, EXECUTABLE) and not leave_out(path)}

    def parts(room: int) -> list[Text]:
        said = mentions(issue)
        paths = {path: weight - 1.0 for path in blobs if (weight := said.weight(path, "", 0)) > 1.0}
        paths |= {path: 1.0 / place for place, path in enumerate(dict.fromkeys(suspects), 1)}
        characters = max(0, min(room, most) * PER_TOKEN - FRAME - len(heading))
        text = maps.text(state.tree, blobs, lambda path: store.read(state, path), characters, paths, said.names)
        return [Text(visible(text))] if text else []

    heading = "A map of the repository, with line numbers; there is more than it shows:"
    return Layer("map", priority, parts, heading, most=most)


def _prose(name: str, text: str, priority: int, heading: str, reserved: int = 0) -> Layer:
    clean = cleaned(text)
    layer = _plain(name, clean.text, priority, heading, reserved)
    return replace(layer, removed=clean.removed)


def _plain(name: str, text: str, priority: int, heading: str, reserved: int = 0) -> Layer:
    shown = visible(text).strip()
    return Layer(name, priority, lambda _: [Text(shown)], heading, reserved if shown else 0, WITHOUT_LIMIT, lambda: bool(shown))


def _media_type(data: bytes, number: int) -> str:
    kind = next((kind for signature, kind in SIGNATURES.items() if data.startswith(signature)), "")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    if not kind:
        raise UsageError(f"picture {number} of the issue is not PNG, JPEG, GIF or WebP")
    if len(data) > LARGEST:
        raise UsageError(f"picture {number} of the issue has {len(data)} bytes; models take at most {LARGEST}")
    return kind
