"""Predictions in the forms the ecosystem reads and writes: preds.json, all_preds.jsonl, a JSON list."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.swebench.base import BenchError, Prediction
from sandbox.base import SandboxUnavailable

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
PREDS, LINES = "preds.json", "all_preds.jsonl"
FIELDS = {"instance": "instance_id", "model": "model_name_or_path", "patch": "model_patch"}


def read(path: Path) -> dict[str, Prediction]:
    """The predictions of a file, by instance. Raises BenchError naming the file, the entry and the field that is wrong."""
    found: dict[str, Prediction] = {}
    for where, key, row in _rows(path):
        prediction = _prediction(where, key, row)
        if prediction.instance in found:
            raise BenchError(f"{where}: {prediction.instance} is predicted twice")
        found[prediction.instance] = prediction
    return found


def write(folder: Path, predictions: Iterable[Prediction]) -> None:
    """Write both forms into `folder`, each at once or not at all."""
    rows = {each.instance: {name: getattr(each, key) for key, name in FIELDS.items()} for each in predictions}
    put(folder / PREDS, json.dumps(rows, indent=1, sort_keys=True) + "\n")
    put(folder / LINES, "".join(json.dumps(rows[key]) + "\n" for key in sorted(rows)))


def put(path: Path, text: str) -> None:
    """Replace a file at once: whoever reads it, or is killed, sees the old text or the new one.

    Raises SandboxUnavailable for a full disk, BenchError where the place is wrong.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        if error.errno in FULL:
            raise SandboxUnavailable(f"{path} cannot be written ({error.strerror}): make room, then give the same command again") from error
        raise BenchError(f"{path} cannot be written ({error.strerror}): choose another folder with -o") from error


def _rows(path: Path) -> Iterator[tuple[str, str | None, Any]]:
    """Where each entry stands, its key where it has one, and the entry."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        data = json.loads(text)
    except ValueError:
        yield from _lines(path, text)
        return
    if isinstance(data, Mapping) and not set(FIELDS.values()) & set(data):
        yield from ((f"{path}: {key}", key, row) for key, row in data.items())
    else:
        yield from ((f"{path}: entry {number}", None, row) for number, row in enumerate(data if isinstance(data, list) else [data], 1))


def _lines(path: Path, text: str) -> Iterator[tuple[str, None, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield f"{path}: line {number}", None, json.loads(line)
            except ValueError as error:
                raise BenchError(f"{path}: line {number} is no JSON ({error}); predictions are preds.json, JSONL or a list") from error


def _prediction(where: str, key: str | None, row: Any) -> Prediction:
    if not isinstance(row, Mapping):
        raise BenchError(f"{where}: a prediction is an object with {', '.join(FIELDS.values())}")
    found = {"instance_id": row.get("instance_id", key), "model_patch": row.get("model_patch")}
    if "model_patch" in row and row["model_patch"] is None:
        found["model_patch"] = ""  # how some tools write that they have none
    for name, value in found.items():
        if not isinstance(value, str):
            raise BenchError(f"{where}: {name} is {'missing' if value is None else 'no text'}")
    if key is not None and found["instance_id"] != key:
        raise BenchError(f"{where}: instance_id is {found['instance_id']!r}, under another key")
    return Prediction(found["instance_id"], str(row.get("model_name_or_path") or "unknown"), found["model_patch"])
