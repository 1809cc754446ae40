from __future__ import annotations

import json
from pathlib import Path

from benchmarks.swebench import trajectory
from benchmarks.swebench.base import Finalist, Outcome
from swesearch.base import Action, Check, Event, Replace, Task
from swesearch.codec import encode
from swesearch.runs import Run, begin
from swesearch.settings import Settings


def node(number: int, parent: int | None, value: float, *, solved: bool = False) -> Event:
    edits = (Replace("a.py", b"1\xff", b"2"),)
    return Event(
        "node",
        {
            "id": number, "parent": parent, "tree": f"tree-{number}", "why": f"try {number}" if parent is not None else "",
            "value": value, "solved": solved, "seconds": 0.5, "prior": 0.5,
            "terms": [{"name": "failing", "score": value, "known": True, "feedback": "1 fails" if not solved else ""}],
            "action": encode(Action(edits)) if parent is not None else None,
        },
    )  # fmt: skip


def run_of(home: Path, *events: Event) -> Run:
    run = begin(Task(Path("repo"), (Check(("pytest",)),), "It is wrong"), Settings(), home)
    journal = run.journal()
    for event in events:
        journal.append(event)
    journal.close()
    return run


def written(home: Path, outcome: Outcome) -> tuple[dict[str, object], dict[str, object]]:
    trajectory.write(home, outcome)
    return json.loads((home / "i.traj").read_text()), json.loads((home / "i.traj.json").read_text())


def test_the_winning_path_is_told_in_both_formats_and_the_tree_beside_it(tmp_path: Path) -> None:
    run = run_of(
        tmp_path, node(0, None, 0.1), node(1, 0, 0.5), node(2, 0, 0.9), node(3, 1, 1.0, solved=True),
        Event("memory", {"key": "reply:1", "value": {"dollars": 0.1}}), Event("solution", {"node": "tree-3"}),
    )  # fmt: skip
    swe, mini = written(tmp_path, Outcome("i", "Submitted", "diff", (Finalist("diff", True, 1.0),), run=run.id))
    assert [step["thought"] for step in swe["trajectory"]] == ["the code as it is", "try 1", "try 3"]  # type: ignore[attr-defined]
    assert json.loads(swe["trajectory"][1]["action"]) == {"replace": "a.py", "before": "1\\xff", "after": "2"}  # type: ignore[index]
    assert "failing: 1 fails" in swe["trajectory"][1]["observation"]  # type: ignore[index]
    assert (swe["info"]["exit_status"], swe["info"]["submission"]) == ("Submitted", "diff")  # type: ignore[index]
    assert swe["info"]["model_stats"]["api_calls"] == 1  # type: ignore[index]
    assert mini["trajectory_format"] == "mini-swe-agent-1.1"
    assert [message["role"] for message in mini["messages"]] == ["system", "user", *["assistant", "user"] * 3, "exit"]  # type: ignore[attr-defined]
    assert mini["messages"][1]["content"] == "It is wrong"  # type: ignore[index]
    tree = mini["info"]["swesearch"]  # type: ignore[index]
    assert ([each["id"] for each in tree["nodes"]], tree["path"]) == ([0, 1, 2, 3], [0, 1, 3])


def test_without_a_solution_the_best_path_is_told(tmp_path: Path) -> None:
    run = run_of(tmp_path, node(0, None, 0.1), node(1, 0, 0.5), node(2, 0, 0.9), Event("solution", {"node": None}))
    _, mini = written(tmp_path, Outcome("i", "LimitsExceeded", "", run=run.id))
    assert mini["info"]["swesearch"]["path"] == [0, 2]  # type: ignore[index]
    assert mini["info"]["submission"] == ""  # type: ignore[index]


def test_without_a_journal_there_is_a_trajectory_without_steps(tmp_path: Path) -> None:
    swe, _ = written(tmp_path, Outcome("i", "Submitted", "diff"))
    assert swe["trajectory"] == []
