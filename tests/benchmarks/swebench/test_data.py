"""Rows in all their forms, and what is said of wrong ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.swebench.base import BenchError
from benchmarks.swebench.data import choose, instance, load

ROW: dict[str, Any] = {
    "instance_id": "acme__tool-1",
    "repo": "acme/tool",
    "base_commit": "a" * 40,
    "problem_statement": "It fails.",
    "created_at": "2024-05-01T10:00:00Z",
    "version": "1.2",
    "patch": "diff --git a/tool.py b/tool.py\n",
    "test_patch": "diff --git a/test_tool.py b/test_tool.py\n",
    "FAIL_TO_PASS": ["test_tool.py::test_a"],
    "PASS_TO_PASS": [],
}


def rows(*ids: str) -> list[dict[str, Any]]:
    return [{**ROW, "instance_id": one} for one in ids]


def written(path: Path, *lines: object) -> str:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return str(path)


def test_lines_and_arrays_are_read_alike(tmp_path: Path) -> None:
    lines = load(written(tmp_path / "a.jsonl", *rows("acme__tool-1", "acme__tool-2")))
    array = load(written(tmp_path / "a.json", json.dumps(rows("acme__tool-1", "acme__tool-2"), indent=2)))
    assert lines == array
    assert [one.id for one in lines] == ["acme__tool-1", "acme__tool-2"]
    assert lines[0].row == ROW


@pytest.mark.parametrize("tests", [["t::a", "t::b"], '["t::a", "t::b"]', "['t::a', 't::b']"])
def test_tests_may_be_a_list_or_a_string_that_holds_one(tests: object) -> None:
    assert instance({**ROW, "FAIL_TO_PASS": tests}).fail_to_pass == ("t::a", "t::b")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, "swebench"),
        ({"difficulty": "15 min"}, "swebench"),
        ({"patch": "diff --git a/README.md b/README.md\n"}, "swebench"),
        ({"patch": "diff --git a/src/main.go b/src/main.go\n"}, "multilingual"),
        ({"test_cmds": ["pytest"], "log_parser": "pytest"}, "live"),
        ({"install_config": {"python": "3.9"}, "docker_image": "x"}, "rebench"),
        ({"dockerhub_tag": "acme.tool"}, "pro"),
    ],
)
def test_the_fields_tell_which_data_set_a_row_is_of(change: dict[str, object], kind: str) -> None:
    assert instance({**ROW, **change}).kind == kind


def test_rows_of_pro_have_lower_case_tests_and_neither_version_nor_date() -> None:
    row = {name: value for name, value in ROW.items() if name not in ("FAIL_TO_PASS", "PASS_TO_PASS", "version", "created_at")}
    found = instance({**row, "fail_to_pass": "['t::a']", "pass_to_pass": "[]", "dockerhub_tag": "acme.tool"})
    assert (found.fail_to_pass, found.pass_to_pass, found.version, found.created, found.kind) == (("t::a",), (), "", "", "pro")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"base_commit": "main"}, "base_commit"),
        ({"base_commit": "--upload-pack=x"}, "base_commit"),
        ({"repo": "../../etc"}, "repo"),
        ({"repo": "../etc"}, "repo"),
        ({"instance_id": "../x"}, "instance_id"),
        ({"instance_id": ".."}, "instance_id"),
        ({"patch": None}, "patch"),
        ({"problem_statement": 3}, "problem_statement"),
        ({"test_patch": " "}, "test_patch"),
        ({"FAIL_TO_PASS": "all of them"}, "FAIL_TO_PASS"),
        ({"PASS_TO_PASS": [1]}, "PASS_TO_PASS"),
    ],
)
def test_a_malformed_row_is_named_by_file_line_and_field(tmp_path: Path, change: dict[str, object], field: str) -> None:
    source = written(tmp_path / "rows.jsonl", ROW, {**ROW, "instance_id": "acme__tool-2", **change})
    with pytest.raises(BenchError, match=rf"rows\.jsonl, line 2: (the field )?{field} "):
        load(source)


def test_a_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="line 3: is no JSON"):
        load(written(tmp_path / "rows.jsonl", ROW, "", "{half"))


def test_the_same_instance_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="acme__tool-1 is there twice"):
        load(written(tmp_path / "rows.jsonl", ROW, ROW))


@pytest.mark.parametrize(
    ("source", "words"), [("missing.jsonl", "cannot be read: No such file"), ("lyte", "neither a file nor a data set")]
)
def test_a_source_that_is_not_there_is_an_error(source: str, words: str) -> None:
    with pytest.raises(BenchError, match=words):
        load(source)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="holds no rows"):
        load(written(tmp_path / "rows.jsonl", ""))


MANY = [instance(row) for row in rows(*(f"acme__tool-{number}" for number in range(10)))]


def names(**how: Any) -> list[int]:
    return [int(one.id.rpartition("-")[2]) for one in choose(MANY, **how)]


def test_instances_are_chosen_by_id_expression_and_slice() -> None:
    assert names(ids=["acme__tool-7", "acme__tool-2"]) == [7, 2]
    assert names(filter="-[1-4]$", exclude="-3$") == [1, 2, 4]
    assert names(slice="1:3") == [1, 2]
    assert names(slice="-2:") == [8, 9]
    assert names(filter="-[1-4]$", slice="::2") == [1, 3]


def test_a_shuffle_is_the_same_for_the_same_seed_however_the_rows_came() -> None:
    assert names(shuffle=1) != list(range(10))
    assert sorted(names(shuffle=1)) == list(range(10))
    assert choose(MANY, shuffle=1) == choose(MANY[::-1], shuffle=1) != choose(MANY, shuffle=2)


def test_an_unknown_id_names_its_neighbours() -> None:
    with pytest.raises(BenchError, match=r"no instance acme__tool-77\. Near it: .*acme__tool-7"):
        choose(MANY, ids=["acme__tool-77"])


@pytest.mark.parametrize("how", [{"slice": "3"}, {"slice": "a:b"}, {"slice": "1:2:0"}, {"filter": "("}, {"exclude": "["}])
def test_a_bad_slice_or_expression_is_an_error(how: dict[str, str]) -> None:
    with pytest.raises(BenchError, match=f"--{next(iter(how))}"):
        choose(MANY, **how)
