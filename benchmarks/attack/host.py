"""Attacks on the host: what a repository or a candidate brings meets git, the store, the linter, the settings and the terminal there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.attack.base import NAMES, Finding
from benchmarks.attack.git_vectors import VECTORS, everything, git, plain_git, plant, program, repository
from benchmarks.attack.screen import STEERING, steered
from sandbox.choose import choose
from sandbox.environment import find
from swesearch.apply import apply_patch
from swesearch.base import Create, Edit, EditError, Rename, Replace, State, UsageError
from swesearch.code import touched
from swesearch.code.examples import examples
from swesearch.discriminator.mutate import observing
from swesearch.discriminator.rules import broken_rules, literals_of
from swesearch.settings import load
from swesearch.store import Store
from swesearch.value.disguise import disguise
from swesearch.value.lint import Lint
from swesearch.value.parses import Parses

GIT_ATTACKS = {
    "git hooks": ("hook",), "git filters": ("filter",), "git diff and merge drivers": ("textconv", "diff", "merge"),
    "git fsmonitor": ("fsmonitor",), "git transports and helpers": ("ssh", "upload", "promisor", "credential"),
    "git pager, editor, alias, signing": ("pager", "editor", "alias", "gpg"),
}  # fmt: skip
LEADING_OUT = (
    "../x", "a/../../x", "/etc/x", "./x", "a//x", ".git/hooks/pre-commit", ".git/config", "a/.git/config", ".GIT/config", ".Git/x",
    "git~1/config", "GIT~1/x", ".git /x", ".git./x", ".g\u200cit/x", ".git\u200d/config",
    ".git::$INDEX_ALLOCATION/x", "a\\..\\..\\x", "x\0y", "",
    "n" * 300, "link/x", "link", "linked.py", "linked.py/x",
)  # fmt: skip
BOMBS = {
    "brackets": b"x = " + b"(" * 50_000 + b")" * 50_000 + b"\n",
    "open brackets": b"x = " + b"[" * 100_000 + b"\n",
    "minus signs": b"x = " + b"-" * 100_000 + b"1\n",
    "attributes": b"x = a" + b".b" * 50_000 + b"\n",
    "a long sum": b"x = 1" + b" + 1" * 1_200 + b"\n",
    "a chain of calls": b"x = f" + b"()" * 20_000 + b"\n",
    "nested functions": b"".join(b" " * i + b"def f():\n" for i in range(1_000)) + b" " * 1_000 + b"pass\n",
    "one long line": b"x = '" + b"a" * (1 << 20) + b"'\n",
    "not text": bytes(range(256)) * 100,
}


@dataclass(frozen=True, slots=True)
class HostAttack:
    """An attack on the host: `go` carries it out in an empty folder and says what broke, or "" ."""

    name: str
    by: str
    go: Callable[[Path], str]
    slow: bool = False


def run(attacks: Sequence[HostAttack], folder: Path) -> Iterator[Finding]:
    """Carry out one attack after another."""
    for number, attack in enumerate(attacks):
        place = folder / f"host{number}"
        place.mkdir()
        broken = attack.go(place)
        yield Finding("host", attack.name, attack.by, not broken, True, "", broken)


def _git(kinds: tuple[str, ...]) -> Callable[[Path], str]:
    """All vectors of a kind: plain git runs the program, the store and `apply` do not."""

    def go(folder: Path) -> str:
        for number, (name, vector) in enumerate(VECTORS.items()):
            if name.startswith(kinds):
                marker = folder / f"ran{number}"
                repo = plant(folder / f"repo{number}", vector, marker)
                everything(repo, folder / f"store{number}")
                _applied(repo, folder / f"again{number}", [Replace("a.py", b"one", b"1"), Create("made.py", b"m\n")])
                if marker.exists():
                    return f"{name} was run"
                plain_git(repo, vector)
                if not marker.exists():
                    return f"{name} does not work with plain git: this shows nothing"
        return ""

    return go


def _applied(repo: Path, store_folder: Path, edits: Sequence[Edit]) -> None:
    """Edits made in a store and applied to the working copy."""
    store = Store.open(repo, store_folder)
    try:
        root = store.root()
        apply_patch(repo, store, root, store.apply(root, edits))
    finally:
        store.close()


def _leading_out(folder: Path) -> str:
    """Edits to paths that lead out of the repository, or into .git."""
    outside = folder / "outside"
    outside.mkdir()
    (outside / "mine.py").write_text("mine\n")
    repo = repository(folder / "repo", {"a.py": "a\n"})
    (repo / "link").symlink_to(outside)
    (repo / "linked.py").symlink_to(outside / "mine.py")
    store = Store.open(repo, folder / "store")
    root, taken = store.root(), []
    for path in LEADING_OUT:
        for edit in (Create(path, b"x"), Replace(path, b"mine", b"yours"), Rename("a.py", path)):
            try:
                store.apply(root, [edit])
            except EditError:
                continue
            taken.append(path)
    store.close()
    touched = sorted(path.name for path in outside.iterdir()) != ["mine.py"] or (outside / "mine.py").read_text() != "mine\n"
    return f"taken: {taken}" if taken else "a file outside was written" if touched else ""


def _planted_link(folder: Path) -> str:
    """A link put where a patch wants a folder, between the search and `apply`."""
    (folder / "outside").mkdir()
    repo = repository(folder / "repo", {"a.py": "a\n"})
    store = Store.open(repo, folder / "store")
    root = store.root()
    state = store.apply(root, [Create("new/x.py", b"x\n")])
    (repo / "new").symlink_to(folder / "outside")
    try:
        apply_patch(repo, store, root, state)
    except UsageError:
        return "a file outside was written" if [*(folder / "outside").iterdir()] else ""
    finally:
        store.close()
    return "the link was followed"


def _brought_files(folder: Path) -> str:
    """A candidate that adds .gitattributes, .gitmodules and a nested repository: data, in a patch that git takes as such."""
    marker = folder / "ran"
    repo = repository(folder / "repo", {"a.py": "a\n"})
    run = program(repo / ".git" / "run", marker)
    with (repo / ".git/config").open("a") as config:
        config.write(f'[filter "f"]\nclean = {run}; cat\nsmudge = {run}; cat\n[diff "f"]\ntextconv = {run}; cat\n')
    modules = f'[submodule "x"]\npath = x\nurl = ext::{run}\nupdate = !{run}\n'
    edits: list[Edit] = [
        Create(".gitattributes", b"* filter=f diff=f\n"),
        Create(".gitmodules", modules.encode()),
        Replace("a.py", b"a", b"b"),
    ]
    _applied(repo, folder / "store", edits)
    return "a program was run" if marker.exists() else ""


def _names(folder: Path) -> str:
    """File names that are commands, options, escapes or no text at all: through store, linter, patch and terminal."""
    repo = repository(folder / "repo", {"a.py": "a = 1\n"})
    store = Store.open(repo, folder / "store")
    root = store.root()
    state = store.apply(root, [Create(name, b"b = 1\n") for name in NAMES])
    for term in (Parses(store, root), Lint(store, root)):
        if term.measure(state, None).blocked:
            return f"{term.name} refuses them"
    patch = store.diff(root, state)
    clean = repository(folder / "clean", {"a.py": "a = 1\n"})
    git(clean, "apply", "--index", "-", stdin=patch)
    same = git(clean, "write-tree").decode().strip() == state.tree
    store.close()
    ran = [path for path in folder.rglob("marker*")]
    return "a command was run" if ran else "the patch is not the change" if not same else steered("; ".join(NAMES), patch)


def _steered(folder: Path) -> str:
    """Output of tests, messages and issue text with terminal escapes in them."""
    repo = repository(folder / "repo", {"a.py": "a = 1\n"})
    store = Store.open(repo, folder / "store")
    root = store.root()
    state = store.apply(root, [Replace("a.py", b"a = 1\n", f"a = 2  # {STEERING}\n".encode())])
    patch = store.diff(root, state)
    store.close()
    return steered(STEERING, patch)


def _bombs(folder: Path) -> str:
    """Sources that are meant to exhaust a parser: whoever reads them on the host says that they do not parse, or copes."""
    repo = repository(folder / "repo", {"a.py": "a = 1\n"})
    store = Store.open(repo, folder / "store")
    root, broken = store.root(), ""
    for name, source in BOMBS.items():
        state = store.apply(root, [Create("bomb.py", source)])
        for what, read in _readers(store, root, state, source).items():
            try:
                read()
            except (OSError, RecursionError, MemoryError, ValueError) as error:
                broken = broken or f"{name}: {what} ended with {type(error).__name__}: {str(error)[:80]}"
    store.close()
    return broken


def _readers(store: Store, root: State, state: State, source: bytes) -> Mapping[str, Callable[[], object]]:
    """Whoever reads a candidate's source on the host."""
    return {
        "parses": lambda: Parses(store, root).measure(state, None),
        "lint": lambda: Lint(store, root).measure(state, None),
        "what is touched": lambda: touched.touched(b"x = 1\n", source),
        "the program it makes": lambda: touched.program("bomb.py", source),
        "the rules of a change": lambda: broken_rules(b"x = 1\n", source),
        "the values in a test": lambda: literals_of(source),
        "a test to observe": lambda: observing(source, ["test_x"]),
        "a test in disguise": lambda: disguise({"test_x.py": source}, ["test_x.py::test_x"], Random(0)),
        "the examples of an issue": lambda: examples(source.decode("utf-8", "replace")),
    }


def _settings(folder: Path) -> str:
    """A repository whose own settings weaken the sandbox, name a program or spend money."""
    evil = ('sandbox.kind = "local"', 'sandbox.python = "./run"', 'sandbox.setup = "./run"', "budget.dollars = 1000.0", 'model.name = "x"')
    taken = []
    for number, words in enumerate((*evil, 'model.base_url = "http://evil.invalid"')):
        section, _, rest = words.partition(".")
        repo = folder / str(number)
        repo.mkdir()
        (repo / ".swesearch.toml").write_text(f"[{section}]\n{rest}\n")
        try:
            load(repo, {"SWESEARCH_CONFIG": os.devnull})
        except UsageError:
            continue
        taken.append(words)
    return f"taken: {taken}" if taken else ""


def _environment(folder: Path) -> str:
    """A virtual environment in the repository's history, whose interpreter is a program of the attacker's."""
    marker = folder / "ran"
    repo = repository(folder / "repo", {".venv/pyvenv.cfg": "home = /usr/bin\nversion = 3.11.0\n", "a.py": "a\n"})
    (repo / ".venv/bin").mkdir()
    for name in ("python", "python3", "pytest"):
        program(repo / ".venv/bin" / name, marker)
    heard: list[str] = []
    box = choose("local").box
    found = find(
        repo, python=None, image=None, cache=folder / "cache", tracked=lambda path: path.startswith(".venv"), say=heard.append, box=box
    )
    if marker.exists() or str(repo) in found.python:
        return "its interpreter was believed"
    return "" if heard else "nothing was said of it"


HOST: tuple[HostAttack, ...] = (
    *(HostAttack(name, "git runs in a directory of our own, without what the repository brings", _git(kinds), slow=True)
      for name, kinds in GIT_ATTACKS.items()),
    HostAttack("paths that lead out of the repository", "paths are checked by git's own rules, and no link is followed", _leading_out),
    HostAttack("a link put in place before apply", "no link is followed", _planted_link),
    HostAttack("brought .gitattributes and .gitmodules", "they are data: no git of ours reads them", _brought_files),
    HostAttack("hostile file names", "no shell, no option that a name could be, and escapes written out", _names),
    HostAttack("terminal escapes in output", "escapes are written out", _steered),
    HostAttack("sources that exhaust a parser", "what is nested without end is unreadable, and no more", _bombs),
    HostAttack("a repository's own settings", "they may say what the check is and how to search, no more", _settings),
    HostAttack("a virtual environment in the history", "what the history brings is not run on the host", _environment, slow=True),
)  # fmt: skip
