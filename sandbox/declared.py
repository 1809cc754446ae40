"""What a repository says it needs, read as data: nothing of it is executed, and nothing that would be is kept.

Only plain `name[extra] specifier ; marker` requirements survive. Editable, VCS, path and URL requirements would run or
fetch what the repository names, so they are dropped, and named for the user.
"""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

TEST_GROUPS = frozenset({"test", "tests", "testing", "test-deps", "unittest"})
DEV_GROUPS = frozenset({"dev", "develop", "development"})  # where no group is named after tests
TOOLS = re.compile(  # what development needs and tests do not: linters, formatters, documentation, releases
    r"(pytest-)?(black|flake8|isort|pylint|ruff|pycodestyle|pydocstyle|mypy|pyright)(-.*)?|(sphinx|mkdocs|furo|docformatter)(-.*)?"
    r"|tox(-.*)?|nox|twine|build|wheel|pre-commit|codecov|coveralls|bump.*version|towncrier|zest\.releaser"
)
REQUIREMENT_FILES = (
    *("requirements.txt", "test-requirements.txt", "dev-requirements.txt", "test_requirements.txt", "dev_requirements.txt"),
    *("requirements-test.txt", "requirements-tests.txt", "requirements-dev.txt", "requirements_test.txt", "requirements_dev.txt"),
    *(f"requirements/{name}.txt" for name in ("base", "main", "test", "tests", "testing", "dev")),
    *("tests/requirements.txt", "test/requirements.txt"),
)
RUNNING_FILES = ("requirements.txt", "requirements/base.txt", "requirements/main.txt")
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
    for source, needs in _sources(repo, project, dropped):
        sources += [source] if needs.running or needs.testing else []
        for line in needs.running:
            _keep(line, own, kept, dropped)
        for line in needs.testing:
            if not TOOLS.fullmatch(canonicalize_name(re.split(r"[^\w.-]", line)[0])):
                _keep(line, own, kept, dropped)
    return Declared(tuple(kept), tuple(dict.fromkeys(dropped)), tuple(sources), str(_table(project, "project").get("requires-python", "")))


def running(repo: Path) -> tuple[str, ...]:
    """The requirements that the metadata of `repo` gives for running it: neither its requirements files nor what tests need."""
    dropped: list[str] = []
    kept: dict[str, None] = {}
    for source, needs in _sources(repo, _toml(repo, dropped), dropped):
        for line in () if source in REQUIREMENT_FILES else needs.running:
            _keep(line, "-", kept, dropped)
    return tuple(kept)


class Needs(NamedTuple):
    """Requirement lines for running the project, and for developing and testing it."""

    running: Sequence[str]
    testing: Sequence[str] = ()


def _sources(repo: Path, project: dict[str, Any], dropped: list[str]) -> Iterator[tuple[str, Needs]]:
    yield "pyproject.toml", _from_pyproject(project)
    yield "pyproject.toml", _from_poetry(_table(project, "tool", "poetry"))
    yield "setup.cfg", _from_setup_cfg(repo, dropped)
    yield "setup.py", _from_setup_py(repo, dropped)
    for name in REQUIREMENT_FILES:
        lines = list(_from_file(repo, repo / name, dropped, set()))
        yield name, Needs(lines) if name in RUNNING_FILES else Needs((), lines)


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


def _testing(groups: Mapping[str, Any]) -> list[str]:
    """The names of the groups that tests need."""
    return [name for name in groups if name.lower() in TEST_GROUPS] or [name for name in groups if name.lower() in DEV_GROUPS]


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


def _from_pyproject(project: dict[str, Any]) -> Needs:
    extras, groups = _table(project, "project", "optional-dependencies"), _table(project, "dependency-groups")
    testing = [line for name in _testing(extras) for line in _strings(extras[name])]
    testing += [line for name in _testing(groups) for line in _group(groups, name, set())]
    return Needs(_strings(_table(project, "project").get("dependencies")), testing)


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


def _from_poetry(poetry: dict[str, Any]) -> Needs:
    groups = _table(poetry, "group")
    testing = [_table(poetry, "dev-dependencies"), *(_table(groups, name, "dependencies") for name in _testing(groups))]
    return Needs(_poetry_lines(_table(poetry, "dependencies")), [line for table in testing for line in _poetry_lines(table)])


def _poetry_lines(table: dict[str, Any]) -> list[str]:
    return [_poetry_line(name, want) for name, want in table.items() if name.lower() != "python"]


def _poetry_line(name: str, want: Any) -> str:
    """One Poetry dependency as a standard requirement; what it points elsewhere becomes a URL, to be dropped by name."""
    if isinstance(want, dict) and "version" not in want:
        return f"{name} @ {next(iter(want.values()), '')}"
    version = str(want["version"] if isinstance(want, dict) else want)
    extras = ",".join(_strings(want.get("extras"))) if isinstance(want, dict) else ""
    return f"{name}[{extras}] {','.join(_poetry_bound(part.strip()) for part in version.split(',')).strip(',')}"


def _poetry_bound(bound: str) -> str:
    match = re.fullmatch(r"([\^~])\s*(\d+(?:\.\d+)*)\S*", bound)
    if not match:
        return "" if bound == "*" else f"=={bound}" if bound[:1].isdigit() else bound
    numbers = [int(part) for part in match[2].split(".")]
    fixed = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1) if match[1] == "^" else min(1, len(numbers) - 1)
    ceiling = [*numbers[:fixed], numbers[fixed] + 1]
    return f">={match[2]},<{'.'.join(map(str, ceiling))}"


def _from_setup_cfg(repo: Path, dropped: list[str]) -> Needs:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(_read(repo, repo / "setup.cfg", dropped))
    except configparser.Error as error:
        dropped.append(f"setup.cfg ({str(error).splitlines()[0]})")
        return Needs(())
    extras = dict(parser.items("options.extras_require")) if parser.has_section("options.extras_require") else {}
    testing = [parser.get("options", "tests_require", fallback=""), *(extras[name] for name in _testing(extras))]
    return Needs(_lines(parser.get("options", "install_requires", fallback="")), _lines("\n".join(testing)))


def _lines(text: str) -> list[str]:
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def _from_setup_py(repo: Path, dropped: list[str]) -> Needs:
    """Literal lists given to setup(), also through a module-level name. The file is parsed, never run."""
    try:
        module = ast.parse(_read(repo, repo / "setup.py", dropped))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        dropped.append("setup.py (cannot be parsed)")
        return Needs(())
    names = {t.id: n.value for n in module.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
    calls = [n for n in ast.walk(module) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("setup")]
    given = {k.arg: names.get(k.value.id) if isinstance(k.value, ast.Name) else k.value for call in calls for k in call.keywords}
    extras = _table(_literal(given.get("extras_require")))
    testing = [line for name in _testing(extras) for line in _strings(extras[name])]
    return Needs(_strings(_literal(given.get("install_requires"))), [*_strings(_literal(given.get("tests_require"))), *testing])


def _literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None


def _from_file(repo: Path, path: Path, dropped: list[str], seen: set[Path]) -> Iterator[str]:
    """A requirements file with its -r includes. Its other options could name foreign indexes and are dropped."""
    if path.resolve() in seen:
        return
    seen.add(path.resolve())
    for line in _lines(_read(repo, path, dropped).replace("\\\n", " ")):
        include = re.fullmatch(r"(?:-r|--requirement)[\s=]*(\S+)", line)
        if include:
            yield from _from_file(repo, path.parent / include[1], dropped, seen)
        elif re.fullmatch(r"(-e\s+|--editable[\s=]+)?\.(\[.*\])?", line):
            continue  # the project itself, which needs no install
        elif line.startswith("-"):
            dropped.append(line)
        else:
            yield re.sub(r"\s--(hash|config-settings|global-option)\S*.*", "", line)
