"""Test commands: read as a user would type them, said in pytest's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Exists = Callable[[str], bool]
PYTHON = re.compile(r"(?:.*/)?python(?:\d(?:\.\d+)?)?")
PYTEST = re.compile(r"(?:.*/)?(?:pytest|py\.test)(?:-\d(?:\.\d+)?)?")
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
HARMLESS = {"-B", "-u", "-s", "-E", "-I"}  # of the interpreter; the runner's own way covers them
QUIET = {"-v", "-q", "--verbose", "--quiet", "-b", "--buffer", "-c", "--catch", "--locals"}
PLAIN = ("-o", "addopts=", "-o", "filterwarnings=", "-o", "python_functions=", "-o", "python_classes=", "--noconftest")


@dataclass(frozen=True, slots=True)
class TestJob:
    """A test command, in pytest's words, and how to run it this time."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    args: tuple[str, ...] = ()  # what stood after `pytest`: options and targets
    env: tuple[tuple[str, str], ...] = ()  # assignments that stood before the command
    module: bool = False  # `python -m pytest`: the work tree's root is on the import path
    only: tuple[str, ...] = ()  # node ids to run, in this order; empty: all that is collected
    expect: tuple[str, ...] = ()  # node ids without which the run is no evidence
    stop: bool = False  # stop at the first failure
    trace: Literal["", "lines", "types"] = ""
    focus: tuple[tuple[str, tuple[int, ...]], ...] = ()  # path -> lines whose types are wanted; no lines: all
    seconds: float = 0.0  # per test; 0: only the run's own limits
    site: tuple[str, ...] = ()  # more site-packages folders


def job_of(command: Sequence[str], exists: Exists) -> TestJob | None:
    """The tests that `command` runs, None where it is neither pytest nor unittest. `exists` knows the work tree's paths."""
    env, words = _divided(command)
    job = _tool(words, exists)
    return None if job is None else TestJob(job.args, env, job.module)


def words_of(command: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The assignments before `command`, and its words as a box can run them: with the environment's own Python."""
    env, words = _divided(command)
    if words and PYTEST.fullmatch(words[0]):
        return env, ("python3", "-m", "pytest", *words[1:])
    if words and PYTHON.fullmatch(words[0]):
        return env, ("python3", *words[1:])
    return env, tuple(words)


def _divided(command: Sequence[str]) -> tuple[tuple[tuple[str, str], ...], list[str]]:
    """The assignments before a command, and what comes after them."""
    words = list(command)
    if words[:1] == ["env"]:
        words.pop(0)
    env = []
    while words and (match := ASSIGNMENT.fullmatch(words[0])):
        env.append((match[1], match[2]))
        words.pop(0)
    return tuple(env), words


def _tool(words: list[str], exists: Exists) -> TestJob | None:
    if words and PYTEST.fullmatch(words[0]):
        return TestJob(tuple(words[1:]))
    if not words or not PYTHON.fullmatch(words[0]):
        return None
    rest = words[1:]
    while rest and rest[0] in HARMLESS:
        rest.pop(0)
    if rest[:1] != ["-m"] or len(rest) < 2:
        return None
    if rest[1] in ("pytest", "py.test"):
        return TestJob(tuple(rest[2:]), module=True)
    args = _unittest(rest[2:], exists) if rest[1] == "unittest" else None
    return None if args is None else TestJob(args, module=True)


def _unittest(words: list[str], exists: Exists) -> tuple[str, ...] | None:
    """pytest's words for those of `python -m unittest`."""
    if not words or words[0] == "discover":
        return _discover(words[1:])
    options, targets = list(PLAIN), []
    for word in words:
        if word in ("-f", "--failfast"):
            options.append("-x")
        elif word.startswith("-"):
            if word not in QUIET:
                return None
        else:
            target = _target(word, exists)
            if target is None:
                return None
            targets.append(target)
    return (*options, *(targets or ["."]), *_pattern("test*.py", targets))


def _pattern(pattern: str, targets: Sequence[str]) -> tuple[str, ...]:
    """Which files count: only matters where a folder is searched."""
    return () if targets else ("-o", f"python_files={pattern}")


def _discover(words: list[str]) -> tuple[str, ...] | None:
    found = {"-s": ".", "-p": "test*.py", "-t": "."}
    long = {"--start-directory": "-s", "--pattern": "-p", "--top-level-directory": "-t"}
    options, places, rest = list(PLAIN), ["-s", "-p", "-t"], list(words)
    while rest:
        word = rest.pop(0)
        key = long.get(word, word)
        if key in found and rest:
            found[key] = rest.pop(0)
        elif word in ("-f", "--failfast"):
            options.append("-x")
        elif not word.startswith("-") and places:
            found[places.pop(0)] = word
        elif word not in QUIET:
            return None
    return (*options, found["-s"], *_pattern(found["-p"], ()))


def _target(name: str, exists: Exists) -> str | None:
    """The pytest target of `a.b.Class.test_x`: the longest beginning that is a file of the work tree."""
    if name.endswith(".py"):
        return name if exists(name) else None
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        path, rest = "/".join(parts[:count]), parts[count:]
        if exists(path + ".py"):
            return "::".join([path + ".py", *rest])
        if not rest and exists(path + "/__init__.py"):
            return path
    return None
