"""Who may import whom. Imports inside functions count: a lazy arrow is an arrow."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("swesearch", "sandbox", "benchmarks", "tests")
WORDS = {"swesearch.base", "swesearch.dialogue", "sandbox.base"}
TOOLS = WORDS | {"swesearch.store", "swesearch.code", "sandbox"}
PARTS = {
    "swesearch.engine",
    "swesearch.agents",
    "swesearch.value",
    "swesearch.discriminator",
    "swesearch.apply",
    "swesearch.codec",
    "swesearch.export",
    "swesearch.journal",
    "swesearch.models",
    "swesearch.report",
    "swesearch.runs",
    "swesearch.settings",
    "swesearch.steer",
    "swesearch",  # its version
}

# A module belongs to the longest name here that it starts with, and may import its own room and these.
ROOMS: dict[str, set[str]] = {
    "sandbox.base": set(),
    "sandbox.probe": set(),  # runs inside the box, with nothing but the standard library
    "sandbox": {"sandbox.base", "sandbox.probe"},
    "swesearch.base": set(),
    "swesearch.dialogue": set(),
    "swesearch.engine": set(),
    "swesearch.store": WORDS,
    "swesearch.code": WORDS,
    "swesearch.apply": WORDS | {"swesearch.store"},  # the only writer to a working copy
    "swesearch.journal": WORDS,
    "swesearch.settings": WORDS,
    "swesearch.codec": WORDS | {"swesearch.code"},  # the JSON form of every type that is kept
    "swesearch.runs": WORDS | {"swesearch.codec", "swesearch.journal", "swesearch.settings", "swesearch"},
    "swesearch.export": WORDS | {"swesearch.codec", "swesearch.report", "swesearch"},  # runs as the files of other tools
    "swesearch.steer": WORDS | {"swesearch.journal", "swesearch.runs"},  # how somebody outside talks to a search
    "swesearch.report": WORDS,
    "swesearch.models": WORDS,
    "swesearch.testing": WORDS,  # stand-ins for providers; no room of the product imports it
    "swesearch.agents": TOOLS,
    "swesearch.value": TOOLS,
    "swesearch.discriminator": TOOLS,
    "swesearch.solve": TOOLS | PARTS,
    "swesearch.github": TOOLS | PARTS | {"swesearch.solve"},
    "swesearch.view": WORDS
    | {"swesearch.journal", "swesearch.report", "swesearch.runs", "swesearch.steer", "swesearch.store"},  # live pages
    "swesearch.cli": TOOLS | PARTS | {"swesearch.solve", "swesearch.view", "swesearch.github"},
    "swesearch.__main__": {"swesearch.cli"},
    "swesearch": WORDS,
    "benchmarks": TOOLS | PARTS | {"swesearch.solve", "swesearch.github", "swesearch.cli", "swesearch.testing", "swesearch.view"},
}

# Clients that are slow to import, or reach out of the process: only these modules may name them.
CLIENTS: dict[str, set[str]] = {
    "anthropic": {"swesearch.models"},
    "openai": {"swesearch.models"},
    "docker": {"sandbox.docker", "sandbox.images"},
    "gidgethub": {"swesearch.github.client"},
    "git": {"swesearch.store"},
    "networkx": {"swesearch.code", "swesearch.export.graph"},
    "tree_sitter": {"swesearch.code", "swesearch.agents.templates"},  # templates work on its spans
    "tree_sitter_python": {"swesearch.code"},
    "typer": {"swesearch.cli"},
    "rich": {"swesearch.cli", "swesearch.report"},
    "starlette": {"swesearch.view"},
    "uvicorn": {"swesearch.view"},
}

Graph = dict[str, set[str]]


def module_name(root: Path, file: Path) -> str:
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, module: str, is_package: bool, known: set[str]) -> Iterator[str]:
    """Every module that `tree` imports, at its top or anywhere else."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{source}.{alias.name}" if f"{source}.{alias.name}" in known else source


def read(root: Path, packages: Iterable[str] = ("swesearch", "sandbox", "benchmarks")) -> Graph:
    """Every module of ours under `root`, with what it imports."""
    files = {module_name(root, file): file for package in packages for file in (root / package).rglob("*.py")}
    return {name: set(imported(ast.parse(file.read_bytes()), name, file.name == "__init__.py", set(files))) for name, file in files.items()}


def inside(module: str, rooms: Iterable[str]) -> str:
    """The longest of `rooms` that holds `module`, empty where none does."""
    return max((room for room in rooms if module == room or module.startswith(room + ".")), key=len, default="")


def ours(module: str) -> bool:
    return module.partition(".")[0] in OURS


def forbidden_arrows(graph: Graph) -> list[str]:
    found = []
    for module, targets in graph.items():
        room = inside(module, ROOMS)
        for target in filter(ours, targets):
            to = inside(target, ROOMS)
            if not to or (to != room and to not in ROOMS[room]):
                found.append(f"{module} -> {target}")
    return sorted(found)


def strays(graph: Graph) -> list[str]:
    """Modules of swesearch that no room holds: the bare package is the room of its __init__ only."""
    return sorted(module for module in graph if module not in ("swesearch", "sandbox") and inside(module, ROOMS) in ("", "swesearch"))


def misplaced_clients(graph: Graph) -> list[str]:
    return sorted(
        f"{module} -> {client}"
        for module, targets in graph.items()
        if not module.startswith("benchmarks")
        for client in {target.partition(".")[0] for target in targets} & set(CLIENTS)
        if not inside(module, CLIENTS[client])
    )


def cycles(graph: Graph) -> list[str]:
    """Peel off modules that import none of those left, or that none of those left imports. The rest is in a cycle, or between two."""
    left = {module: targets & graph.keys() - {module} for module, targets in graph.items()}
    while True:
        wanted = set().union(*left.values())
        ends = [module for module, targets in left.items() if not targets or module not in wanted]
        if not ends:
            return sorted(left)
        left = {module: targets - set(ends) for module, targets in left.items() if module not in ends}


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read(ROOT)


def test_no_arrow_runs_back(graph: Graph) -> None:
    assert forbidden_arrows(graph) == []


def test_there_is_no_cycle(graph: Graph) -> None:
    assert cycles(graph) == []


def test_every_module_has_a_room(graph: Graph) -> None:
    assert strays(graph) == []


def test_heavy_clients_stay_in_their_leaves(graph: Graph) -> None:
    assert misplaced_clients(graph) == []


def test_no_file_gets_away() -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_bytes().splitlines())
        for package in ("swesearch", "sandbox", "benchmarks")
        for file in (ROOT / package).rglob("*.py")
    }
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_the_probe_is_readable_by_python_3_7() -> None:
    for file in (ROOT / "sandbox" / "probe").glob("*.py"):
        ast.parse(file.read_bytes(), filename=str(file), feature_version=(3, 7))


@pytest.mark.parametrize(
    ("file", "code", "arrow"),
    [
        ("swesearch/engine/tree.py", "from swesearch.base import State", "swesearch.engine.tree -> swesearch.base"),
        ("swesearch/store.py", "def f():\n    import swesearch.solve", "swesearch.store -> swesearch.solve"),
        ("swesearch/solve.py", "import benchmarks.demo", "swesearch.solve -> benchmarks.demo"),
        ("swesearch/solve.py", "from tests import conftest", "swesearch.solve -> tests"),
        ("sandbox/docker.py", "from swesearch import base", "sandbox.docker -> swesearch"),
        ("sandbox/probe/agent.py", "from ..base import Result", "sandbox.probe.agent -> sandbox.base"),
        ("swesearch/value/__init__.py", "from ..agents import Planner", "swesearch.value -> swesearch.agents"),
        ("swesearch/code/parse.py", "if TYPE_CHECKING:\n    from swesearch.value import x", "swesearch.code.parse -> swesearch.value"),
    ],
)
def test_a_planted_arrow_is_found(tmp_path: Path, file: str, code: str, arrow: str) -> None:
    plant(tmp_path, {file: code, "sandbox/base.py": ""})
    assert forbidden_arrows(read(tmp_path)) == [arrow]


def test_a_planted_cycle_is_found(tmp_path: Path) -> None:
    code = {
        "c": "from . import a",
        "a": "from . import b",
        "b": "def f():\n    from swesearch.code.a import x\n    from . import d",
        "d": "",
    }
    plant(tmp_path, {f"swesearch/code/{name}.py": text for name, text in code.items()})
    assert cycles(read(tmp_path)) == ["swesearch.code.a", "swesearch.code.b"]


def test_a_planted_client_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"swesearch/value/tests.py": "def f():\n    import docker.errors", "sandbox/docker.py": "import docker"})
    assert misplaced_clients(read(tmp_path)) == ["swesearch.value.tests -> docker"]


def test_a_planted_stray_is_found(tmp_path: Path) -> None:
    plant(tmp_path, {"swesearch/utils.py": "", "swesearch/store.py": "", "swesearch/__init__.py": ""})
    assert strays(read(tmp_path)) == ["swesearch.utils"]


def plant(root: Path, files: dict[str, str]) -> None:
    for name, code in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(code)
