"""`report` and `view` as they are typed."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from benchmarks.made_up import MadeUp


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return MadeUp(tmp_path_factory.mktemp("cli"), 6).make()


def swesearch(run, *arguments, cwd=None):
    command = [sys.executable, "-m", "swesearch", *arguments, "--home", str(run.folder.parent.parent)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, stdin=subprocess.DEVNULL, timeout=60, check=False)


def test_a_report_is_written_where_it_is_wanted(run, tmp_path):
    done = swesearch(run, "report", "last", "-o", str(tmp_path / "run.html"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run.html").read_text().startswith("<!doctype html>")
    assert "run.html (" in done.stdout


def test_a_report_is_named_after_its_run_or_goes_to_stdout(run, tmp_path):
    assert swesearch(run, "report", run.id, cwd=tmp_path).returncode == 0
    assert (tmp_path / f"{run.id}.html").is_file()
    assert swesearch(run, "report", run.id, "-o", "-").stdout.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "nothing"), "there is no run 'nothing'"),
        (("report", "last", "-o", "/nowhere/at/all.html"), "cannot be written"),
        (("view", "nothing"), "there is no run 'nothing'"),
        (("view", "last", "last", "last"), "two to compare"),
    ],
)
def test_what_cannot_be_is_one_clear_line_and_exit_code_2(run, arguments, words):
    done = swesearch(run, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_port_that_is_taken_is_one_clear_line(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = swesearch(run, "view", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert "choose another with --port" in done.stderr


def test_the_view_tells_its_address_answers_there_and_ends_with_ctrl_c(run):
    command = [sys.executable, "-m", "swesearch", "view", "last", "--home", str(run.folder.parent.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        address = process.stdout.readline().removeprefix("look at ").strip()
        try:
            assert address.startswith("http://127.0.0.1:")
            with urllib.request.urlopen(address, timeout=20) as answer:
                assert run.id in answer.read().decode()
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == ""
