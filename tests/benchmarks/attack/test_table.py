"""The table of the attack suite, its document, and what is said of each backend."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.attack.base import Attack, Finding
from benchmarks.attack.boxes import ATTACKS, Trace
from benchmarks.attack.host import HOST
from benchmarks.attack.model import SOURCES
from benchmarks.attack.suite import Plan
from benchmarks.attack.table import BEGIN, BOXES, END, markdown, outcome, show, surprises, write
from sandbox.promises import NOT_STOPPED
from swesearch.cli import doctor

ROOT = Path(__file__).parents[3]
FINE = Finding("docker", "a bomb", "a limit", True, True, "failed")
KNOWN = Finding("bubblewrap", "a bomb", "a limit", False, False, "failed", "BREACH: all of it")
THROUGH = Finding("docker", "a hole", "nothing", False, True, "failed", "BREACH: out")
BETTER = Finding("local", "a hole", "nothing", True, False, "failed")
SPOILT = Finding("docker", "a bomb", "a limit", True, True, "failed", problem="the next candidate saw it")


@pytest.mark.parametrize(
    ("finding", "promised", "words"),
    [
        (FINE, True, "stopped"),
        (KNOWN, True, "not stopped"),
        (THROUGH, False, "not stopped !"),
        (BETTER, False, "stopped !"),
        (SPOILT, False, "stopped !"),
    ],
)
def test_only_what_was_promised_is_no_surprise(finding: Finding, promised: bool, words: str) -> None:
    assert (finding.as_promised, outcome(finding)) == (promised, words)
    assert surprises([finding]) == (not promised)


def test_the_table_tells_every_surprise_and_why() -> None:
    screen = io.StringIO()
    show(Console(file=screen, width=200, markup=False), [FINE, KNOWN, THROUGH, BETTER, SPOILT])
    told = [line for line in screen.getvalue().splitlines() if line.startswith("SURPRISE")]
    assert len(told) == 3
    assert "not stopped; BREACH: out" in told[0]
    assert "stopped, though it is said not to be" in told[1] + told[2]
    assert "the next candidate saw it" in told[1] + told[2]


def test_a_document_gets_the_table_between_its_marks_and_nowhere_else(tmp_path: Path) -> None:
    document = tmp_path / "x.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write(document, [FINE, KNOWN], "when")
    text = document.read_text()
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| a bomb | stopped | **not stopped** | a limit |" in text
    assert "old" not in text
    document.write_text("no marks\n")
    with pytest.raises(ValueError, match="between"):
        write(document, [FINE], "when")


def test_a_trace_tells_what_the_next_candidate_noticed() -> None:
    clean = Trace("a.py 1 ['x']", True, (("failing", 1.0),))
    assert clean.differs(clean) == ""
    assert "junk" in Trace("a.py 1 ['junk']", True, clean.scores).differs(clean)
    assert "honest mend" in Trace(clean.seen, False, (("failing", 0.0),)).differs(clean)


def test_every_weakness_that_is_named_is_one_that_is_tried() -> None:
    assert set(NOT_STOPPED) == set(BOXES)
    names = {attack.name for attack in ATTACKS}
    for backend, weak in NOT_STOPPED.items():
        assert set(weak) <= names, backend


def test_names_are_used_once() -> None:
    names = [attack.name for attack in (*ATTACKS, *HOST)]
    assert len(names) == len(set(names))


def test_a_payload_knows_what_it_is_after() -> None:
    patch = Attack("x", "", body="connect('<<port>>')\n").patch({"port": "80"})
    assert "connect('80')" in str(patch["deep.py"])
    compile(str(patch["deep.py"]), "deep.py", "exec")


def test_quick_leaves_out_what_is_slow_and_only_what_is_named_is_run() -> None:
    assert not Plan(quick=True).wants("x", slow=True)
    assert Plan(only=["Bomb"]).wants("a fork bomb")
    assert not Plan(only=["bomb"]).wants("network")


def test_a_name_that_fits_no_attack_is_an_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.attack", "--only", "no such thing", "--backend", "host"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (2, "error: no attack has such a name")


def test_the_document_shows_every_attack() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    table = text.partition(BEGIN)[2].partition(END)[0]
    shown = set(re.findall(r"^\| ([^|]+?) \|", table, re.MULTILINE)) - {"attack"}
    wanted = {attack.name for attack in (*ATTACKS, *HOST)} | {f"orders in the {source}" for source in SOURCES}
    assert wanted <= shown, wanted - shown
    assert "!" not in table.replace("<!--", "")


def test_what_is_not_stopped_is_so_in_the_document() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    rows = {row[0]: row[1:4] for row in re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|", text, re.MULTILINE)}
    for number, backend in enumerate(BOXES):
        weak = {name for name, cells in rows.items() if cells[number].startswith("**not stopped**")}
        assert weak == set(NOT_STOPPED[backend]), backend


def test_markdown_has_a_column_for_each_sandbox() -> None:
    assert markdown([FINE, KNOWN]).splitlines()[0] == "| attack | docker | bubblewrap | stopped by |"


def test_doctor_names_what_each_sandbox_that_is_there_does_not_stop(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    doctor.main(tmp_path)
    rows = capsys.readouterr().out.splitlines()
    there = [number for number, row in enumerate(rows) if row.split()[:2] in (["ok", "docker"], ["ok", "bubblewrap"])]
    assert sum("does not stop: " in row for row in rows) == len(there)
    for number in there:
        assert all(words in rows[number + 1] for words in NOT_STOPPED[rows[number].split()[1]].values())
