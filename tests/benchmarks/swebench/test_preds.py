from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.swebench.base import BenchError, Prediction
from benchmarks.swebench.preds import put, read, write

ROWS = [{"instance_id": f"a__b-{n}", "model_name_or_path": "m", "model_patch": f"diff {n}\n"} for n in (1, 2)]
EXPECTED = {"a__b-1": Prediction("a__b-1", "m", "diff 1\n"), "a__b-2": Prediction("a__b-2", "m", "diff 2\n")}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({row["instance_id"]: row for row in ROWS}),
        json.dumps(ROWS),
        "\n".join(map(json.dumps, ROWS)) + "\n\n",
        json.dumps({row["instance_id"]: {key: row[key] for key in ("model_name_or_path", "model_patch")} for row in ROWS}),
    ],
    ids=["object", "list", "lines", "object whose key is the id"],
)
def test_predictions_are_read_in_every_form(tmp_path: Path, text: str) -> None:
    (tmp_path / "p").write_text(text)
    assert read(tmp_path / "p") == EXPECTED


def test_a_single_line_is_a_prediction(tmp_path: Path) -> None:
    (tmp_path / "p").write_text(json.dumps(ROWS[0]))
    assert list(read(tmp_path / "p")) == ["a__b-1"]


def test_a_patch_that_is_null_is_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "p").write_text(json.dumps([ROWS[0] | {"model_patch": None}]))
    assert read(tmp_path / "p")["a__b-1"].patch == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "entry 1: a prediction is an object with instance_id"),
        ('[{"instance_id": "x"}]', "entry 1: model_patch is missing"),
        ('[{"model_patch": ""}]', "entry 1: instance_id is missing"),
        ('{"x": {"model_patch": 3}}', "x: model_patch is no text"),
        ('{"x": {"instance_id": "y", "model_patch": ""}}', "x: instance_id is 'y', under another key"),
        ('{"instance_id": "x", "model_patch": ""}\n{"instance', "line 2 is no JSON"),
        (json.dumps([ROWS[0], ROWS[0]]), "entry 2: a__b-1 is predicted twice"),
    ],
)
def test_a_malformed_file_is_told_by_entry_and_field(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(BenchError) as told:
        read(tmp_path / "p.json")
    assert str(told.value).startswith(str(tmp_path / "p.json"))
    assert said in str(told.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="cannot be read: No such file"):
        read(tmp_path / "none.json")


def test_what_is_written_is_read_again_from_both_files(tmp_path: Path) -> None:
    write(tmp_path, EXPECTED.values())
    assert read(tmp_path / "preds.json") == read(tmp_path / "all_preds.jsonl") == EXPECTED
    assert json.loads((tmp_path / "preds.json").read_text())["a__b-1"] == ROWS[0]


def test_a_patch_keeps_its_line_ends_and_strange_bytes(tmp_path: Path) -> None:
    odd = Prediction("x", "m", "a\r\nb\udce9\n")
    write(tmp_path, [odd])
    assert read(tmp_path / "preds.json") == {"x": odd}


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    put(tmp_path / "f", "old")
    with pytest.raises(UnicodeEncodeError):
        put(tmp_path / "f", "new\udce9")
    assert (tmp_path / "f").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(BenchError, match="cannot be written"):
        put(tmp_path / "f" / "g", "x")
