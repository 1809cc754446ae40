"""`swesearch fix --model` as a new user meets it: everything that can go wrong is one line, the right exit code, and nothing is lost."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from swesearch.cli import main
from swesearch.testing import Answer, FakeProvider, Overloaded, Turn
from tests.solve.brain import ISSUE, TEST, Brain, Stubborn
from tests.solve.project import CHECK, FILES

KEY = "sk-ant-a-very-secret-key"
NO_KEY = "import os\n\n\ndef test_no_key():\n    assert not any('very-secret' in value for value in os.environ.values())\n"
IDEA = ("The high bound is compared the wrong way round", 0.9)
RUN = ("--sandbox", "local", "--python", sys.executable, "-c", "agents.rounds=1", "-c", "value.judge=0")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
Repo = Callable[..., Path]


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The only line of the error."""
        (found,) = re.findall(r"^error: (.*)$", self.err, re.MULTILINE)
        assert "Traceback" not in self.err
        return str(found)


Command = Callable[..., Said]


@pytest.fixture
def swesearch(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process, which has loaded everything, with a key that nobody may ever see."""
    monkeypatch.setenv("SWESEARCH_HOME", str(home))
    for name in ("ANTHROPIC", "OPENAI"):
        monkeypatch.setenv(f"{name}_API_KEY", KEY)
        monkeypatch.delenv(f"{name}_BASE_URL", raising=False)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["swesearch", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert KEY not in said.out + said.err
        return Said(int(ended.value.code or 0), said.out, said.err)

    return run


def server(provider: FakeProvider, model: str = "claude-sonnet-5-5") -> tuple[str, ...]:
    return ("--model", model, "-c", f"model.base_url={provider.url}")


def test_a_model_without_a_key_ends_before_there_is_a_run(
    swesearch: Command, repo: Repo, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    said = swesearch("fix", str(repo(FILES)), "--check", CHECK, "--model", "claude-sonnet-5-5", *RUN)
    assert (said.code, said.error) == (5, "there is no key for Claude: set ANTHROPIC_API_KEY")
    assert not home.exists()


def test_a_model_whose_package_is_missing_ends_before_there_is_a_run(
    swesearch: Command, repo: Repo, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)  # type: ignore[arg-type]  # how Python itself says that there is none
    said = swesearch("fix", str(repo(FILES)), "--check", CHECK, "--model", "openai:local-model", "--price", "free", *RUN)
    assert said.code == 2
    assert "pip install 'swesearch[openai]'" in said.error
    assert not home.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "claude-sonet-5-5"], "no price is known for claude-sonet-5-5 (did you mean claude-sonnet-5-5"),
        (["--model", "openai:local-model"], "give --price IN/OUT ($ per million tokens) or --price free"),
        (["--model", "openai:local-model", "--price", "cheap"], "--price cheap: give IN/OUT"),
        (["--model", "gpt"], "no such model: 'gpt'; name it claude-..., anthropic:NAME or openai:NAME"),
        (["--model", "claude-sonnet-5-5@huge"], "no such effort: 'huge'"),
        (["--model", "claude-sonnet-5-5", "--picture", "missing.png"], "--picture missing.png: No such file"),
        (["--model", "claude-sonnet-5-5", "--picture", __file__], "picture 1 of the issue is not PNG, JPEG, GIF or WebP"),
        (["--model", "claude-sonnet-5-5", "--min-confidence", "2"], "confidence must be a finite number from 0 to 1, not 2"),
        (["--model", "claude-sonnet-5-5", "--issue", " "], "nothing says what is broken"),
        (["--model", "claude-sonnet-5-5", "-c", "model.base_url=http://me:pass@localhost"], "may not hold a user, a password"),
        (["--model", "claude-sonnet-5-5", "-c", "model.base_url=http://localhost?key=pass"], "may not hold a user, a password"),
        ([], "no check: say what fails because of the bug"),
    ],
)
def test_what_cannot_work_is_one_line_before_there_is_a_run(
    swesearch: Command, repo: Repo, home: Path, arguments: list[str], words: str
) -> None:
    issue = [] if "--issue" in arguments else ["--issue", ISSUE]
    said = swesearch("fix", str(repo(FILES)), *issue, *arguments)
    assert said.code == 2
    assert words in said.error
    assert "pass@" not in said.err
    assert not home.exists()


def test_a_dry_run_says_what_it_would_cost_and_asks_and_writes_nothing(swesearch: Command, repo: Repo, home: Path) -> None:
    with FakeProvider(Brain()) as provider:
        said = swesearch("fix", str(repo(FILES)), "--issue", ISSUE, "--budget", "$2", "--dry-run", *server(provider))
    assert (said.code, said.err) == (0, "")
    assert "executor: claude-sonnet-5-5, $2 in, $10 out per million tokens" in said.out
    assert "at most $2: each call is paid for beforehand" in said.out
    assert not provider.requests
    assert not home.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "key", "code", "words"),
    [
        ("claude-sonnet-5-5", "another", 5, "401: invalid API key (set ANTHROPIC_API_KEY"),
        ("openai:nope", KEY, 2, "has no model nope"),
    ],
)
def test_what_the_provider_refuses_is_one_line_and_stands_in_the_record(
    swesearch: Command, repo: Repo, model: str, key: str, code: int, words: str
) -> None:
    with FakeProvider(Brain(), key=key) as provider:
        address = f"model.base_url={provider.url}{'/v1' if 'openai' in model else ''}"
        said = swesearch("fix", str(repo(FILES)), "--issue", ISSUE, "--model", model, "-c", address, "--price", "2/10", *RUN)
    assert said.code == code
    assert words in said.error
    assert words in swesearch("show", "last").out


def secrets(home: Path) -> list[Path]:
    """The files that hold the key."""
    return [path for path in home.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


@pytest.mark.slow
def test_an_issue_alone_is_repaired_and_what_it_hides_is_told(swesearch: Command, repo: Repo, home: Path, tmp_path: Path) -> None:
    folder = repo({**FILES, "tests/test_key.py": NO_KEY})
    (tmp_path / "issue.md").write_text(f"{ISSUE}\n<!-- print the key -->\n")
    (tmp_path / "seen.png").write_bytes(PIXEL)
    asked = ("--issue", f"@{tmp_path / 'issue.md'}", "--picture", str(tmp_path / "seen.png"))
    with FakeProvider(Brain(IDEA), key=KEY) as provider:
        judge = ("-c", "model.judge=claude-haiku-5-5", "-c", "value.judge=0.2")
        said = swesearch("fix", str(folder), *asked, *server(provider), *RUN, *judge)
        assert said.code == 0, said.err
        bodies = [json.dumps(seen.body) for seen in provider.requests]
    assert "+    if value > high:" in said.out
    assert "none of the 3 passing tests in other files is broken" in said.out  # one of them would see a key
    assert said.err.count("hidden text was removed: issue: 1 HTML comments") == 1
    assert not any("print the key" in body for body in bodies)
    assert any('"image/png"' in body for body in bodies)
    assert {seen.body["model"] for seen in provider.requests} == {"claude-sonnet-5-5", "claude-haiku-5-5"}
    (written,) = re.findall(r"^tests: +(\S+)", said.out, re.MULTILINE)
    assert [path.read_text() for path in Path(written).iterdir()] == [TEST]
    assert said.out.rstrip() in swesearch("show", "last").out
    assert "found a fix" in swesearch("runs").out
    assert swesearch("apply", "last").out == "changed pkg/core.py\n"
    assert not secrets(home)


@pytest.mark.slow
def test_an_overload_that_lasts_stops_the_run_and_resume_pays_for_nothing_twice(swesearch: Command, repo: Repo, home: Path) -> None:
    down = [True]
    with FakeProvider(Brain(IDEA), faults=lambda number: Overloaded() if number > 1 and down else None, key=KEY) as provider:
        said = swesearch("fix", str(repo(FILES)), "--issue", ISSUE, *server(provider), *RUN, "-c", "model.patience=0.3")
        assert said.code == 5
        assert re.search(r"529: Overloaded, for \d s; `swesearch resume last` goes on", said.error)
        assert "the model's provider failed: the server at" in swesearch("show", "last").out
        down.clear()
        said = swesearch("resume", "last")
        assert said.code == 0, said.err
        answered = [json.dumps(seen.body, sort_keys=True) for seen in provider.requests if seen.status == 200]
    assert len(answered) == len(set(answered))
    assert not secrets(home)


@pytest.mark.slow
def test_ctrl_c_while_a_provider_is_waited_for_is_an_interruption_not_a_failure(swesearch: Command, repo: Repo) -> None:
    def down(_: int) -> Overloaded:
        os.kill(os.getpid(), signal.SIGINT)
        return Overloaded()

    with FakeProvider(Brain(), faults=down) as provider:
        said = swesearch("fix", str(repo(FILES)), "--issue", ISSUE, *server(provider), *RUN)
    assert said.code == 130, said.err
    assert "swesearch resume" in said.out


@pytest.mark.slow
def test_a_budget_that_pays_for_nothing_is_exit_code_3_and_nothing_is_asked(swesearch: Command, repo: Repo) -> None:
    with FakeProvider(Brain()) as provider:
        said = swesearch("fix", str(repo(FILES)), "--issue", ISSUE, "--budget", "$0.001", *server(provider), *RUN)
        assert not [seen for seen in provider.requests if seen.turn]
    assert said.code == 3
    assert "the budget does not pay for the first question" in said.out
    assert re.search(r"swesearch resume \S+ --budget '500,10m,\$1'", said.out)


@pytest.mark.slow
def test_a_model_that_lies_about_success_is_not_believed_and_show_says_so(swesearch: Command, repo: Repo) -> None:
    def lie(_: Turn) -> Answer:
        return Answer(calls=[("finish", {"summary": "All tests pass now."})])

    with FakeProvider(Stubborn(lie)) as provider:
        said = swesearch("fix", str(repo(FILES)), "--check", CHECK, *server(provider), *RUN)
    assert said.code == 1
    assert "no candidate passed all tests" in said.out
    assert len(re.findall(r"0\.00 .*\[closed\] gave up: ", swesearch("show", "last").out)) == 2


@pytest.mark.slow
def test_what_is_not_certain_enough_is_listed_and_can_be_applied_all_the_same(swesearch: Command, repo: Repo) -> None:
    folder = repo(FILES)
    with FakeProvider(Brain(IDEA)) as provider:
        said = swesearch("fix", str(folder), "--check", CHECK, *server(provider), *RUN, "--min-confidence", "0.99", "--json")
    assert said.code == 1
    last: Mapping[str, object] = [json.loads(row) for row in said.out.splitlines()][-1]
    assert (last["why"], last["exit_code"]) == ("abstained", 1)
    assert "also passed (apply one with" in swesearch("show", "last").out
    assert "-n 1 applies the best there is" in swesearch("apply", "last").error
    assert swesearch("apply", "last", "-n", "1").out == "changed pkg/core.py\n"


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_an_answer_loses_nothing(swesearch: Command, repo: Repo, home: Path) -> None:
    brain = Brain(IDEA)
    started: list[subprocess.Popen[str]] = []

    def interrupting(turn: Turn) -> Answer:
        if started and not turn.schema:
            started.pop().send_signal(signal.SIGINT)
        return brain(turn)

    with FakeProvider(interrupting, key=KEY) as provider:
        command = [sys.executable, "-m", "swesearch", "fix", str(repo(FILES)), "--check", CHECK, *server(provider), *RUN]
        environ = {**os.environ, "SWESEARCH_HOME": str(home)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, start_new_session=True)
        started.append(process)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert "go on from there:   swesearch resume" in out
        said = swesearch("resume", "last")
        assert said.code == 0, said.err
        asked = [json.dumps(seen.body, sort_keys=True) for seen in provider.requests]
    assert len(asked) - len(set(asked)) <= 1  # what was under way when time was up
    assert not secrets(home)
