"""Rows of SWE-bench data sets: read from a file or from Hugging Face, whatever their form, and chosen from."""

from __future__ import annotations

import ast
import difflib
import json
import random
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.swebench.base import BenchError, Instance

NAMES = {
    "full": "SWE-bench/SWE-bench",
    "lite": "SWE-bench/SWE-bench_Lite",
    "verified": "SWE-bench/SWE-bench_Verified",
    "multilingual": "SWE-bench/SWE-bench_Multilingual",
    "multimodal": "SWE-bench/SWE-bench_Multimodal",
    "live": "SWE-bench-Live/SWE-bench-Live",
    "rebench": "nebius/SWE-rebench",
    "pro": "ScaleAI/SWE-bench_Pro",
}
WORDS = ("instance_id", "repo", "base_commit", "problem_statement", "patch", "test_patch")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")  # it becomes an argument of git
REPO = re.compile(r"[a-z0-9_][\w.-]*/[a-z0-9_][\w.-]*", re.ASCII | re.IGNORECASE)  # it becomes an address, and a path
ID = re.compile(r"[a-z0-9_][\w.-]*", re.ASCII | re.IGNORECASE)  # it becomes the name of folders and images
# Multilingual has the very fields of the first SWE-bench; only the languages differ.
OTHER_LANGUAGES = (".c", ".cc", ".cpp", ".h", ".hpp", ".go", ".java", ".js", ".jsx", ".ts", ".tsx", ".php", ".rb", ".rs", ".vue", ".scala")
Row = Mapping[str, Any]


def load(source: str, split: str = "test") -> list[Instance]:
    """The instances of a JSON or JSONL file, of a data set's short name, or of a Hugging Face id. Raises BenchError."""
    path = Path(source)
    if path.suffix in (".json", ".jsonl") or path.is_file():
        rows = _file(path)
    elif source in NAMES or REPO.fullmatch(source):
        rows = _hub(NAMES.get(source, source), split)
    else:
        raise BenchError(
            f"{source} is neither a file nor a data set: give a .json or .jsonl file, a Hugging Face id, or {', '.join(NAMES)}"
        )
    return _all_different([instance(row, place) for place, row in rows], source)


def choose(
    instances: Sequence[Instance],
    slice: str = "",
    filter: str = "",
    shuffle: int | None = None,
    exclude: str = "",
    ids: Iterable[str] = (),
) -> list[Instance]:
    """Those named in `ids` (all, if none) that match `filter` and not `exclude` (regular expressions on ids); then shuffled, then sliced.

    Raises BenchError on an unknown id, naming its neighbours, on a bad expression and on a bad slice.
    """
    wanted = _named(instances, list(ids))
    match, refuse = _expression("--filter", filter), _expression("--exclude", exclude)
    chosen = [one for one in wanted if match.search(one.id) and not (exclude and refuse.search(one.id))]
    if shuffle is not None:
        chosen.sort(key=lambda one: one.id)  # the same seed, the same order, however the rows came
        random.Random(shuffle).shuffle(chosen)
    return chosen[_slice(slice)]


def instance(row: Row, place: str = "row") -> Instance:
    """A row as an Instance. Raises BenchError that names `place` and the field."""
    if not isinstance(row, Mapping):
        raise BenchError(f"{place}: is no object")
    words = {name: _text(row, name, place) for name in WORDS}
    for name, shape in (("instance_id", ID), ("repo", REPO), ("base_commit", COMMIT)):
        if not shape.fullmatch(words[name]):
            raise BenchError(f"{place}: {name} is {words[name][:80]!r}, which is no {name}")
    if not words["test_patch"].strip():
        raise BenchError(f"{place}: test_patch is empty: nothing could be graded")
    return Instance(
        id=words["instance_id"], repo=words["repo"], base_commit=words["base_commit"], issue=words["problem_statement"],
        version=str(row.get("version") or ""), created=str(row.get("created_at") or ""),
        patch=words["patch"], test_patch=words["test_patch"],
        fail_to_pass=_tests(row, "FAIL_TO_PASS", place), pass_to_pass=_tests(row, "PASS_TO_PASS", place),
        kind=kind(row), row=dict(row),
    )  # fmt: skip


def kind(row: Row) -> str:
    """Which data set's form a row has, told by the fields that only it has."""
    if "dockerhub_tag" in row or "fail_to_pass" in row:
        return "pro"
    if "install_config" in row:
        return "rebench"
    if "test_cmds" in row:
        return "live"
    touched = re.findall(r"^diff --git a/.* b/(.*)$", str(row["patch"]), re.MULTILINE)
    python = any(path.endswith((".py", ".pyx", ".pyi")) for path in touched)
    return "multilingual" if not python and any(path.endswith(OTHER_LANGUAGES) for path in touched) else "swebench"


def _text(row: Row, name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise BenchError(f"{place}: the field {name} is {'missing' if value is None else 'no text'}")
    return value


def _tests(row: Row, name: str, place: str) -> tuple[str, ...]:
    """A list of tests: a list, or a string that holds one in JSON or, in Pro, in Python."""
    value = row.get(name, row.get(name.lower()))
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = _literal(value)
    if not isinstance(value, list) or not all(isinstance(test, str) for test in value):
        raise BenchError(f"{place}: the field {name} is {'missing' if value is None else 'no list of tests'}")
    return tuple(value)


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _file(path: Path) -> Iterator[tuple[str, Row]]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if text.lstrip().startswith("["):
        yield from ((f"{path}, row {number}", row) for number, row in enumerate(_json(text, str(path)), 1))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{path}, line {number}", _json(line, f"{path}, line {number}")


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BenchError(f"{place}: is no JSON: {error}") from error


def _hub(name: str, split: str) -> Iterator[tuple[str, Row]]:
    try:
        import datasets  # an extra, and slow
    except ImportError as error:
        raise BenchError(f"{name} is on Hugging Face, which needs the `datasets` package: pip install 'swesearch[bench]'") from error
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        rows = datasets.load_dataset(name, split=split)
    except (OSError, ValueError, RuntimeError) as error:  # what it says of no network, of no such data set, of no such split
        words = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BenchError(f"{name} ({split}) cannot be had from Hugging Face: {words}. A file of its rows will do as well") from error
    yield from ((f"{name}, row {number}", _plain(row)) for number, row in enumerate(rows, 1))


def _plain(row: Row) -> Row:
    """A row as JSON would have it: some data sets keep dates as such."""
    plain: Row = json.loads(json.dumps(row, default=lambda date: date.isoformat()))
    return plain


def _all_different(instances: list[Instance], source: str) -> list[Instance]:
    seen: set[str] = set()
    for one in instances:
        if one.id in seen:
            raise BenchError(f"{source}: {one.id} is there twice")
        seen.add(one.id)
    if not instances:
        raise BenchError(f"{source}: holds no rows")
    return instances


def _named(instances: Sequence[Instance], ids: Sequence[str]) -> list[Instance]:
    known = {one.id: one for one in instances}
    for name in ids:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
            raise BenchError(f"there is no instance {name}" + (f". Near it: {', '.join(near)}" if near else ""))
    return [known[name] for name in dict.fromkeys(ids)] if ids else list(instances)


def _expression(option: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise BenchError(f"{option} {text}: is no regular expression: {error}") from error


def _slice(text: str) -> slice:
    parts = text.split(":") if text else ["", ""]
    if not 2 <= len(parts) <= 3 or not all(re.fullmatch(r"-?\d*", part.strip()) for part in parts) or parts[2:] == ["0"]:
        raise BenchError(f"--slice {text}: is no slice, such as 0:5 or 10:")
    return slice(*(int(part) if part.strip() not in ("", "-") else None for part in parts))
