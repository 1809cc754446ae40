"""What a repository says it needs, read as data: nothing of it is executed, and nothing that would be is kept.

Only plain `name[extra] specifier ; marker` requirements survive. Editable, VCS, path and URL requirements would run or
fetch what the repository names, so they are dropped, and named for the user.
"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

TEST_GROUPS = frozenset({"test", "tests", "testing", "test-deps", "unittest", "dev", "develop", "development"})
REQUIREMENT_FILES = (
    *("requirements.txt", "test-requirements.txt", "dev-requirements.txt", "test_requirements.txt", "dev_requirements.txt"),
    *("requirements-test.txt", "requirements-tests.txt", "requirements-dev.txt", "requirements_test.txt", "requirements_dev.txt"),
    *(f"requirements/{name}.txt" for name in ("base", "main", "test", "tests", "testing", "dev")),
    *("tests/requirements.txt", "test/requirements.txt"),
)
LARGEST = 1 << 20  # bytes read of any one file


@dataclass(frozen=True, slots=True)
class Declared:
    """Requirements that may be installed, the lines that were dropped, the files they came from, and `requires-python`."""

    requirements: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    requires_python: str = ""


def declared(repo: Path) -> Declared:
    """Read what `repo` declares to need for running and for testing. Never raises on a malformed file: it names it."""
    dropped: list[str] = []
    kept: dict[str, None] = {}
    sources: list[str] = []
    project = _toml(repo, dropped)
    own = canonicalize_name(str(_table(project, "project").get("name", "")) or "-")
    for source, read in _readers(repo, project, dropped):
        lines = list(read())
        sources += [source] if lines else []
        for line in lines:
            _keep(line, own, kept, dropped)
    return Declared(tuple(kept), tuple(dict.fromkeys(dropped)), tuple(sources), str(_table(project, "project").get("requires-python", "")))


def _readers(repo: Path, project: dict[str, Any], dropped: list[str]) -> Iterator[tuple[str, Callable[[], Iterable[str]]]]:
    yield "pyproject.toml", lambda: _from_pyproject(project)
    yield "setup.cfg", lambda: _from_setup_cfg(repo, dropped)
    yield "setup.py", lambda: _from_setup_py(repo, dropped)
    for name in REQUIREMENT_FILES:
        yield name, lambda name=name: _from_file(repo, repo / name, dropped, set())  # type: ignore[misc]  # binds the loop variable


def _keep(line: str, own: str, kept: dict[str, None], dropped: list[str]) -> None:
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        dropped.append(line)
        return
    if requirement.url:
        dropped.append(line)
    elif canonicalize_name(requirement.name) != own:
        kept[str(requirement)] = None


def _read(repo: Path, path: Path, dropped: list[str]) -> str:
    """Text of a regular file inside the repository, "" where there is none."""
    real = path.resolve()
    if not real.is_relative_to(repo.resolve()) or not real.is_file():
        return ""
    try:
        with real.open("rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace")
    except OSError as error:
        dropped.append(f"{path.name} ({error.strerror})")
        return ""


def _table(value: Any, *names: str) -> dict[str, Any]:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def _toml(repo: Path, dropped: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(_read(repo, repo / "pyproject.toml", dropped))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        dropped.append(f"pyproject.toml ({error})")
        return {}


def _from_pyproject(project: dict[str, Any]) -> Iterator[str]:
    yield from _strings(_table(project, "project").get("dependencies"))
    for name, extra in _table(project, "project", "optional-dependencies").items():
        yield from _strings(extra) if name.lower() in TEST_GROUPS else ()
    groups = _table(project, "dependency-groups")
    for name in groups:
        yield from _group(groups, name, set()) if name.lower() in TEST_GROUPS else ()
    yield from _from_poetry(_table(project, "tool", "poetry"))


def _group(groups: dict[str, Any], name: str, seen: set[str]) -> Iterator[str]:
    """PEP 735: a list of requirements and of {include-group = "other"}."""
    if name in seen or not isinstance(groups.get(name), list):
        return
    seen.add(name)
    for item in groups[name]:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from _group(groups, str(item.get("include-group")), seen)


def _from_poetry(poetry: dict[str, Any]) -> Iterator[str]:
    tables = [_table(poetry, "dependencies"), _table(poetry, "dev-dependencies")]
    tables += [_table(group, "dependencies") for name, group in _table(poetry, "group").items() if name.lower() in TEST_GROUPS]
    for table in tables:
        for name, want in table.items():
            if name.lower() != "python":
                yield _poetry_line(name, want)


def _poetry_line(name: str, want: Any) -> str:
    """One Poetry dependency as a standard requirement; what it points elsewhere becomes a URL, to be dropped by name."""
    if isinstance(want, dict) and "version" not in want:
        return f"{name} @ {next(iter(want.values()), '')}"
    version = str(want["version"] if isinstance(want, dict) else want)
    return f"{name} {','.join(_poetry_bound(part.strip()) for part in version.split(',')).strip(',')}"


def _poetry_bound(bound: str) -> str:
    match = re.fullmatch(r"([\^~])\s*(\d+(?:\.\d+)*)\S*", bound)
    if not match:
        return "" if bound == "*" else f"=={bound}" if bound[:1].isdigit() else bound
    numbers = [int(part) for part in match[2].split(".")]
    fixed = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1) if match[1] == "^" else min(1, len(numbers) - 1)
    ceiling = [*numbers[:fixed], numbers[fixed] + 1]
    return f">={match[2]},<{'.'.join(map(str, ceiling))}"


def _from_setup_cfg(repo: Path, dropped: list[str]) -> Iterator[str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(_read(repo, repo / "setup.cfg", dropped))
    except configparser.Error as error:
        dropped.append(f"setup.cfg ({str(error).splitlines()[0]})")
        return
    for key in ("install_requires", "tests_require"):
        yield from _lines(parser.get("options", key, fallback=""))
    if parser.has_section("options.extras_require"):
        for name, value in parser.items("options.extras_require"):
            yield from _lines(value) if name.lower() in TEST_GROUPS else ()


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if line:
            yield line


def _from_setup_py(repo: Path, dropped: list[str]) -> Iterator[str]:
    """Literal lists given to setup(), also through a module-level name. The file is parsed, never run."""
    try:
        module = ast.parse(_read(repo, repo / "setup.py", dropped))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        dropped.append("setup.py (cannot be parsed)")
        return
    names = {t.id: n.value for n in module.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    for call in (n for n in ast.walk(module) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("setup")):
        given = {k.arg: names.get(k.value.id) if isinstance(k.value, ast.Name) else k.value for k in call.keywords}
        for key in ("install_requires", "tests_require"):
            yield from _strings(_literal(given.get(key)))
        for name, extra in _table(_literal(given.get("extras_require"))).items():
            yield from _strings(extra) if str(name).lower() in TEST_GROUPS else ()


def _literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _from_file(repo: Path, path: Path, dropped: list[str], seen: set[Path]) -> Iterator[str]:
    """A requirements file with its -r includes. Its other options could name foreign indexes and are dropped."""
    if path in seen:
        return
    seen.add(path)
    for line in _lines(_read(repo, path, dropped).replace("\\\n", " ")):
        include = re.fullmatch(r"(?:-r|--requirement)[\s=]*(\S+)", line)
        if include:
            yield from _from_file(repo, path.parent / include[1], dropped, seen)
        elif line.startswith("-"):
            dropped.append(line)
        else:
            yield re.sub(r"\s--(hash|config-settings|global-option)\S*.*", "", line)
