from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from benchmarks.cli import app
from benchmarks.swebench.base import Grade, Outcome
from benchmarks.swebench.outputs import Results, patch_id
from swesearch.base import UsageError

ROOT = Path(__file__).parents[3]
ROW = {
    "instance_id": "pallets__flask-1", "repo": "pallets/flask", "base_commit": "0" * 40, "version": "2.3", "problem_statement": "wrong",
    "patch": "diff --git a/x.py b/x.py\n", "test_patch": "diff --git a/t.py b/t.py\n", "FAIL_TO_PASS": ["t.py::a"], "PASS_TO_PASS": "[]",
}  # fmt: skip


@pytest.fixture
def rows(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    return str(path)


def refused(*arguments: str) -> str:
    """What is said of a request that is wrong. Nothing is begun then."""
    with pytest.raises(UsageError) as told:
        app([*arguments], standalone_mode=False)
    return str(told.value)


def bench(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.cli", *arguments], cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True,
        check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_an_unknown_instance_is_told_with_what_is_near_it(rows: str) -> None:
    said = refused("swebench", "--subset", rows, "--mode", "check", "--instances", "pallets__flask-2")
    assert said == "there is no instance pallets__flask-2. Near it: pallets__flask-1"


def test_a_malformed_row_is_told_by_file_line_and_field(rows: str) -> None:
    Path(rows).write_text(json.dumps(ROW) + "\n" + json.dumps({key: ROW[key] for key in ROW if key != "test_patch"}) + "\n")
    assert refused("swebench", "--subset", rows, "--mode", "check") == f"{rows}, line 2: the field test_patch is missing"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mode", "guess"], "--mode guess: is none of issue, check, recorded"),
        (["--mode", "issue"], "--mode issue needs a model"),
        (["--mode", "recorded"], "--mode recorded and --patches FILE go together"),
        (["--mode", "check", "--patches", "x"], "--mode recorded and --patches FILE go together"),
        (["--mode", "check", "--filter", "django"], "no instance of"),
        (["--mode", "check", "--repos", "/nowhere"], "--repos /nowhere: there is no such folder"),
        (["--mode", "check", "--on", "kubernetes"], "--on kubernetes: is none of local, ray, ray://HOST:PORT"),
        (["--mode", "check", "--budget", "much"], "--budget: 'much' is none of"),
        (["--mode", "issue", "--model", "m", "--cap", "5", "-c", "budget.dollars=0"], "--cap needs a limit of dollars"),
    ],
)
def test_a_request_that_is_wrong_is_refused_in_one_line(rows: str, tmp_path: Path, arguments: list[str], said: str) -> None:
    told = refused("swebench", "--subset", rows, "-o", str(tmp_path / "out"), *arguments)
    assert said in told
    assert "\n" not in told


def test_no_engine_is_one_error_with_the_exit_code_of_environments(rows: str, tmp_path: Path) -> None:
    done = bench("swebench", "--subset", rows, "--mode", "check", "-o", str(tmp_path / "out"), DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 4
    assert done.stderr.startswith("error: no Docker engine answers (unix:///nowhere.sock is not there)")
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_ray_address_is_one_error_within_seconds(rows: str, tmp_path: Path) -> None:
    arguments = ["swebench", "--subset", rows, "--mode", "check", "-o", str(tmp_path / "out"), "--on"]
    began = time.monotonic()
    assert "nobody answers there (" in refused(*arguments, "ray://127.0.0.1:1")
    assert "is no address of a Ray cluster" in refused(*arguments, "ray://nonsense")
    assert time.monotonic() - began < 10


def test_a_port_of_something_else_is_no_ray_cluster(rows: str, tmp_path: Path) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"ray://127.0.0.1:{server.server_port}"
        said = refused("swebench", "--subset", rows, "--mode", "check", "-o", str(tmp_path / "out"), "--on", address)
        server.shutdown()
    assert "what answers there is no Ray cluster" in said


def test_a_full_disk_is_an_error_of_the_environment_and_the_old_results_stay(tmp_path: Path) -> None:
    code = f"""
import resource, signal, sys
from pathlib import Path
from benchmarks.swebench.outputs import Results
from benchmarks.swebench.base import Outcome
from sandbox.base import SandboxUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
results = Results.open(Path({str(tmp_path)!r}), {{"model_name_or_path": "m"}}, ())
results.update("a", outcome=Outcome("a", "Submitted", "small"))
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # as a disk with no more room
try:
    results.update("a", outcome=Outcome("a", "Submitted", "large" * 4096))
except SandboxUnavailable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "make room, then give the same command again" in done.stdout
    (known,) = Results.read(tmp_path)
    assert known.outcome == Outcome("a", "Submitted", "small")


@pytest.mark.parametrize(
    ("text", "said"), [("{}", "holds no predictions"), ('[{"instance_id": "z", "model_patch": ""}]', "there is no instance z")]
)
def test_predictions_that_cannot_be_graded_are_refused(rows: str, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "p.json").write_text(text)
    assert said in refused("grade", "--preds", str(tmp_path / "p.json"), "--subset", rows)


def test_commands_on_folders_without_results_are_refused(tmp_path: Path) -> None:
    assert "holds no results" in refused("report", str(tmp_path))
    assert "holds no results" in refused("compare", str(tmp_path), str(tmp_path))


def evaluation(folder: Path, seed: int, *resolved: str) -> str:
    config = {"model_name_or_path": "m", "seed": seed, "instances": ["a", "b"]}
    with Results.open(folder, config, ()) as results:
        for name in ("a", "b"):
            verdict = Grade(name, "k", "resolved" if name in resolved else "unresolved")
            results.update(name, outcome=Outcome(name, "Submitted", "p"), grades={patch_id("p"): verdict})
    return str(folder)


def test_reports_and_comparisons_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = evaluation(tmp_path / "a", 1, "a", "b"), evaluation(tmp_path / "b", 2, "a")
    app(["report", a, b], standalone_mode=False)
    told = capsys.readouterr().out
    assert "resolved 2 of 2: 100.0%" in told
    assert "over 2 evaluations: 75.0% on average, standard deviation 35.4%" in told
    assert "sometimes: b" in told
    assert (tmp_path / "a" / "report.html").exists()
    app(["compare", a, b, "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["only_first"] == ["b"]


@pytest.fixture
def plugged(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The product's command line, beside a package whose entry point is `bench`."""

    def run(target: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        package = tmp_path / "site" / "extra-1.0.dist-info"
        package.mkdir(parents=True)
        (package / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
        (package / "entry_points.txt").write_text(f"[swesearch.commands]\nbench = {target}\n")
        path = os.pathsep.join([str(tmp_path / "site"), str(ROOT)])
        words = [sys.executable, "-m", "swesearch", "bench", *arguments]
        return subprocess.run(words, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False, cwd=tmp_path)

    return run


def test_the_product_finds_the_command_by_its_entry_point(plugged: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = plugged("benchmarks.cli:app", "compare", "--help")
    assert "Usage: swesearch bench compare" in done.stdout


def test_errors_of_the_command_are_those_of_the_product(plugged: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = plugged("benchmarks.cli:app", "report", "/nowhere")
    assert (done.returncode, done.stderr) == (2, "error: /nowhere holds no results: it has no config.json\n")


def test_a_command_that_cannot_be_loaded_is_one_error(plugged: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = plugged("nowhere.cli:app", "--help")
    assert done.returncode == 2
    assert done.stderr.startswith("error: `swesearch bench` cannot be loaded (No module named 'nowhere'): it comes with a checkout")
