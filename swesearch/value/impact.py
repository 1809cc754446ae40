"""Which tests a change reaches, nearest first: by who imports whom, by the names that changed, and by what files are called."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from swesearch.base import State
from swesearch.code.repomap import LONGEST, WORD
from swesearch.code.touched import touched
from swesearch.store import Store
from swesearch.value.protect import CONFIGURATION, is_test
from swesearch.value.regression import TEST_NAME, kinship

IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(?P<home>\.*[\w.]*)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n#;]+)|import[ \t]+(?P<modules>[^\n#;]+))", re.M
)
PART = re.compile(r"[\w.]+")
PROSE = frozenset({".md", ".rst", ".txt", ".adoc", ".png", ".svg", ".jpg", ".gif"})


def reached(store: Store, base: State, head: State) -> tuple[str, ...]:
    """The test files of `head` that the change from `base` reaches, nearest first."""
    changes = store.texts(base, head)
    paths = {path for path, _, _ in changes}
    sources = {path: store.read(head, path) for path, entry in store.files(head).items() if path.endswith(".py") and entry.mode != 0o160000}
    tests = [path for path in sources if is_test_file(path)]
    distance = _distances(paths, sources, store.files(base).keys() | sources.keys())
    names = frozenset[str]().union(*(touched(before or b"", after or b"") for path, before, after in changes if path.endswith(".py")))
    said = _mentions(names, paths, {path: sources[path] for path in tests})
    everywhere = any(PurePosixPath(path).name in CONFIGURATION for path in paths)
    found = [path for path in tests if path in distance or said[path] or everywhere]
    return tuple(sorted(found, key=lambda path: (path not in paths, -said[path] - _kin(paths, path), distance.get(path, 99), path)))


def is_test_file(path: str) -> bool:
    """Whether pytest would look for tests in this file."""
    return path.endswith(".py") and is_test(path) and TEST_NAME.fullmatch(PurePosixPath(path).stem) is not None


def _kin(changed: Iterable[str], test: str) -> float:
    return max((kinship(path, test) for path in changed if path.endswith(".py") and not is_test(path)), default=0.0)


def _mentions(names: Collection[str], paths: Collection[str], tests: Mapping[str, bytes]) -> Counter[str]:
    """How much each test file speaks of what changed: rare names say more. A data file is known by its own name."""
    files = [PurePosixPath(path).name.encode() for path in paths if PurePosixPath(path).suffix not in PROSE | {".py"}]
    found: Counter[str] = Counter()
    words = {path: {word.decode() for word in WORD.findall(source[:LONGEST])} & set(names) for path, source in tests.items()}
    spread = Counter(word for known in words.values() for word in known)
    for path, source in tests.items():
        found[path] = round(100 * sum(1 / spread[word] for word in words[path])) + 100 * sum(name in source for name in files)
    return found


def _distances(changed: Iterable[str], sources: Mapping[str, bytes], known: Collection[str]) -> dict[str, int]:
    """How many imports away from a changed file each file is, those out of reach left out."""
    users: dict[str, set[str]] = {}
    modules = {module: path for path in known if path.endswith(".py") for module in _modules(path)}
    for path, source in sources.items():
        for target in _imports(path, source, modules):
            users.setdefault(target, set()).add(path)
    front = deque((path, 0) for path in changed)
    found: dict[str, int] = {}
    while front:
        path, far = front.popleft()
        if path in found:
            continue
        found[path] = far
        front.extend((user, far + 1) for user in users.get(path, ()))
        front.extend((below, far + 1) for below in _below_conftest(path, sources))
    return found


def _below_conftest(path: str, sources: Iterable[str]) -> Iterator[str]:
    """The files that a conftest.py serves."""
    if PurePosixPath(path).name == "conftest.py":
        folder = path.removesuffix("conftest.py")
        yield from (other for other in sources if other.startswith(folder) and other != path)


def _modules(path: str) -> Iterator[str]:
    """The names by which a file can be imported: from the top of the repository, from src, and from its own folder."""
    parts = PurePosixPath(path).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    yield ".".join(parts)
    if parts[:1] in (("src",), ("lib",)):
        yield ".".join(parts[1:])
    if is_test(path) and parts:
        yield parts[-1]  # pytest puts the folder of a test on the import path


def _imports(path: str, source: bytes, modules: Mapping[str, str]) -> Iterator[str]:
    """The files that a file imports, packages above them included: their __init__ runs too."""
    for match in IMPORT.finditer(source[:LONGEST]):
        for module in _named(path, match):
            parts = module.split(".")
            yield from (modules[name] for end in range(1, len(parts) + 1) if (name := ".".join(parts[:end])) in modules)


def _named(path: str, match: re.Match[bytes]) -> Iterator[str]:
    """The modules that one import statement may mean."""
    if match["modules"]:
        yield from (part.strip().split()[0] for part in match["modules"].decode().split(",") if part.split())
        return
    home = match["home"].decode()
    dots = len(home) - len(home.lstrip("."))
    above = PurePosixPath(path).parts[:-dots] if dots else ()
    below = home.lstrip(".")
    folder = ".".join([*above, *([below] if below else [])])
    yield folder
    yield from (f"{folder}.{name}" for name in PART.findall(match["names"].decode()))
