"""What a state costs: milliseconds for an edit and its patch, bytes for a thousand states, beside git run as a command.

    python -m benchmarks.store [--repo PATH] [--states 1000]

Without --repo a repository of sympy's size and shape is made: 2,300 files, 35 MB, one of them 450 KB.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from swesearch.base import Replace, State
from swesearch.store import EXECUTABLE, FILE, Store
from swesearch.store.gitsafe import Git, make_git_dir

BESIDE = 30  # edits that the git commands are timed on: they are slow


@dataclass(frozen=True, slots=True)
class Row:
    """One file edited many times: medians in milliseconds, and what a thousand states add."""

    path: str
    size: int  # bytes of the file
    apply: float
    diff: float
    git: float  # hash-object, update-index, write-tree and diff-tree, each a process
    ratio: float  # our apply and diff to that
    megabytes: float  # added to the store by 1,000 states


def measure(store: Store, root: State, path: str, folder: Path, states: int) -> Row:
    """Edit one file in `states` ways, each from the root."""
    content = store.read(root, path)
    edits = [variant(path, content, number, states) for number in range(states)]
    before, made = size(folder), []
    apply = median(timed(lambda edit: made.append(store.apply(root, [edit])), edit) for edit in edits)
    grown = (size(folder) - before) / states * 1000 / 1e6
    diff = median(timed(lambda state: store.diff(root, state), state) for state in made[:: max(1, states // BESIDE)])
    command = beside(store, root, edits[:: max(1, states // BESIDE)], content)
    return Row(path, len(content), apply, diff, command, (apply + diff) / command, grown)


def variant(path: str, content: bytes, number: int, states: int) -> Replace:
    """A small edit at a place of its own."""
    start = len(content) * number // states
    return Replace(path, content[start : start + 4], b"edit_%d" % number, start=start)


def beside(store: Store, root: State, edits: Sequence[Replace], content: bytes) -> float:
    """The same edits by git commands with a private index."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_git_dir(folder, store.copy.objects)
        git = Git(folder, {"GIT_INDEX_FILE": str(folder / "index")})
        store.close()  # so that git sees the root
        with (folder / "objects/info/alternates").open("a") as file:
            file.write(f"{store.folder / 'objects'}\n")
        git.run("read-tree", root.tree)
        mode = "755" if store.files(root)[edits[0].path].mode == EXECUTABLE else "644"
        return median(timed(lambda edit: by_commands(git, root, edit, content, mode), edit) for edit in edits)


def by_commands(git: Git, root: State, edit: Replace, content: bytes, mode: str) -> bytes:
    """One edit and its patch, the usual way."""
    start = edit.start or 0
    after = content[:start] + edit.after + content[start + len(edit.before) :]
    blob = git.run("hash-object", "-w", "--stdin", stdin=after).decode().strip()
    git.run("update-index", "--cacheinfo", f"100{mode},{blob},{edit.path}")
    tree = git.run("write-tree").decode().strip()
    return git.run("diff-tree", "-r", "-p", "--binary", "--full-index", root.tree, tree)


def timed(work: Callable[..., object], *arguments: object) -> float:
    """Milliseconds that a call takes."""
    began = time.perf_counter()
    work(*arguments)
    return (time.perf_counter() - began) * 1000


def size(folder: Path) -> int:
    """Bytes on disk, whole blocks counted."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def synthetic(folder: Path) -> Path:
    """A repository of sympy's size and shape, the same every time."""
    chance = random.Random(1)
    words = ["".join(chance.choices("etaoinshrdlucm_", k=chance.randint(2, 12))) for _ in range(4000)]
    sizes = [450_000, *(int(min(200_000, chance.lognormvariate(8.6, 1.35))) for _ in range(2299))]
    for number, length in enumerate(sizes):
        target = folder / f"package/part{number % 40}/group{number % 7}/module_{number}.py"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("".join(lines(chance, words, length)))
    for arguments in (("init", "-q"), ("add", "-A"), ("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"), ("gc", "-q")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


def lines(chance: random.Random, words: Sequence[str], length: int) -> Iterator[str]:
    """About `length` bytes of something like code."""
    while length > 0:
        line = " " * 4 * chance.randint(0, 3) + " ".join(chance.choices(words, k=chance.randint(1, 9))) + "\n"
        length -= len(line)
        yield line


def run(repo: Path, states: int) -> None:
    """Print one JSON line about the repository, then one per file: its biggest, one in the middle, one of median size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "store.git"
        store = Store.open(repo, folder)
        store.root()
        took = timed(store.root)
        root = store.root()
        files = [path for path, entry in store.files(root).items() if entry.mode in (FILE, EXECUTABLE)]
        bytes_of = {path: len(store.read(root, path)) for path in files}
        print(json.dumps({"files": len(files), "megabytes": sum(bytes_of.values()) / 1e6, "root_ms": round(took, 1)}))
        ordered = sorted((path for path in files if bytes_of[path] > 2000), key=lambda path: bytes_of[path])
        for path in (ordered[-1], ordered[len(ordered) * 9 // 10], ordered[len(ordered) // 2]):
            row = asdict(measure(store, root, path, folder, states))
            print(json.dumps({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}))
        store.close()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Measure what a state costs.")
    parser.add_argument("--repo", type=Path, help="a git repository; without it a synthetic one is made")
    parser.add_argument("--states", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        run(options.repo or synthetic(Path(name)), options.states)


if __name__ == "__main__":
    main()
