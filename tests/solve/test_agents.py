"""Whole runs with agents: a real server that speaks the Claude or the OpenAI dialect, real processes, a real repository."""

from __future__ import annotations

import sys
import threading

import pytest

from swesearch import runs, solve
from swesearch.base import Check, ModelUnavailable, Task, UsageError
from swesearch.settings import Settings
from swesearch.testing import Answer, Dropped, FakeProvider, Overloaded, RateLimited
from tests.solve.brain import ISSUE, TEST, Brain, Stubborn
from tests.solve.project import CHECK, FILES

KEY = "sk-ant-a-very-secret-key"


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def begin(repo, home, url, model="claude-sonnet-5-5", check=CHECK, issue="", **changes):
    base = {"sandbox": {"kind": "local", "python": sys.executable}, "model": {"name": model, "base_url": url, "patience": 5.0}}
    settings = Settings().updated(base, "test")
    for name, value in changes.items():
        section, _, option = name.partition("_")
        settings = settings.updated({section: {option: value}}, "test")
    checks = (Check(tuple(check.split())),) if check else ()
    return runs.begin(Task(repo, checks, issue), settings, home)


def run(begun, stop=None):
    events = []
    return solve.search(begun, events.append, stop or threading.Event()), events


@pytest.mark.parametrize(("model", "path"), [("claude-sonnet-5-5", ""), ("openai:local-model", "/v1")])
def test_a_hypothesis_is_found_carried_out_verified_and_priced(repo, tmp_path, key, model, path):
    with FakeProvider(Brain()) as provider:
        begun = begin(repo(FILES), tmp_path / "home", provider.url + path, model, model_price="2/10")
        solution, events = run(begun)
        assert b"+    if value > high:" in solution.best.patch
        assert solution.best.verified
        assert solution.cost.dollars > 0
        assert 0 < solution.confidence < 1
        assert [e.data["exit_code"] for e in events if e.kind == "stopped"] == [0]
        assert KEY not in begun.folder.joinpath("journal.sqlite").read_bytes().decode("latin-1")


def test_where_no_check_is_given_a_test_is_written_and_shipped_but_is_not_in_the_patch(repo, tmp_path, key):
    folder = repo(FILES)
    with FakeProvider(Brain()) as provider:
        begun = begin(folder, tmp_path / "home", provider.url, check="", issue=ISSUE)
        solution, _ = run(begun)
    assert b"+    if value > high:" in solution.best.patch
    assert b"reproduction" not in solution.best.patch
    shipped = list((begun.folder / "reproduction").iterdir())
    assert [path.read_text() for path in shipped] == [TEST]
    assert solve.apply(begun) == ("pkg/core.py",)
    assert not list(folder.rglob("*reproduction*"))


def test_faults_of_the_provider_are_waited_out_and_never_scored(repo, tmp_path, key):
    faults = [RateLimited(0.01), Overloaded(), None, Dropped(), None, RateLimited(0.01)]
    with FakeProvider(Brain(), faults=faults) as provider:
        solution, _ = run(begin(repo(FILES), tmp_path / "home", provider.url))
    assert solution.best.verified


def test_a_lasting_outage_stops_the_run_with_its_own_code_and_it_can_go_on(repo, tmp_path, key):
    with FakeProvider(Brain(), faults=lambda number: Overloaded() if number > 1 else None) as provider:
        begun = begin(repo(FILES), tmp_path / "home", provider.url, model_patience=0.3)
        with pytest.raises(ModelUnavailable):
            run(begun)
    assert [e.data["exit_code"] for e in begun.events() if e.kind == "stopped"] == [5]
    with FakeProvider(Brain()) as provider:
        again = runs.Run(begun.folder, begun.task, begun.settings.updated({"model": {"base_url": provider.url}}, "test"))
        solution, _ = run(again)
    assert solution.best.verified


def test_what_was_paid_once_is_not_paid_again_after_a_resume(repo, tmp_path, key):
    with FakeProvider(Brain()) as provider:
        begun = begin(repo(FILES), tmp_path / "home", provider.url)
        first, _ = run(begun)
        asked = len(provider.requests)
        second, _ = run(begun)
        assert len(provider.requests) == asked
    assert second.best.patch == first.best.patch
    assert second.cost.dollars == pytest.approx(first.cost.dollars)


def test_a_run_is_replayed_without_a_key_or_a_network(repo, tmp_path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with FakeProvider(Brain()) as provider:
        begun = begin(repo(FILES), tmp_path / "home", provider.url)
        first, _ = run(begun)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    offline = begun.settings.updated({"model": {"answers": "record"}}, "test")
    second, _ = run(runs.Run(begun.folder, begun.task, offline))
    assert second.best.patch == first.best.patch
    with pytest.raises(UsageError, match="holds no answer to this question"):
        run(runs.begin(begun.task, offline, tmp_path / "other"))


def test_the_cap_is_never_exceeded_and_what_was_found_is_kept(repo, tmp_path, key):
    with FakeProvider(Brain(("The low bound is wrong", 0.5))) as provider:
        begun = begin(repo(FILES), tmp_path / "home", provider.url, budget_dollars=0.12, agents_rounds=50)
        solution, events = run(begun)
    assert solution.cost.dollars <= 0.12
    assert solution.best is None
    assert next(e.data["why"] for e in events if e.kind == "stopped") in ("budget", "exhausted")


def test_without_a_key_there_is_one_clear_line_and_nothing_is_asked(repo, tmp_path, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    begun = begin(repo(FILES), tmp_path / "home", "")
    with pytest.raises(ModelUnavailable, match="ANTHROPIC_API_KEY"):
        run(begun)
    assert [e.data["exit_code"] for e in begun.events() if e.kind == "stopped"] == [5]


def test_a_model_without_a_price_is_refused(repo, tmp_path, key):
    with FakeProvider(Brain()) as provider, pytest.raises(UsageError, match="--price"):
        run(begin(repo(FILES), tmp_path / "home", provider.url, "openai:local-model"))


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda turn: Answer("I am thinking about it."), id="never calls a tool"),
        pytest.param(lambda turn: Answer(calls=[("view", {"path": "pkg/core.py", "start": 1, "end": 3})]), id="loops"),
        pytest.param(lambda turn: Answer(calls=[("finish", {"summary": "All tests pass now."})]), id="lies about success"),
        pytest.param(
            lambda turn: Answer(calls=[("replace", {"path": "tests/test_core.py", "before": "assert", "after": "#"})]), id="edits tests"
        ),
    ],
)
def test_a_model_that_behaves_badly_finds_nothing_and_the_run_ends(repo, tmp_path, key, work):
    with FakeProvider(Stubborn(work)) as provider:
        solution, events = run(begin(repo(FILES), tmp_path / "home", provider.url, agents_rounds=1, agents_steps=12))
    assert solution.best is None
    assert [e.data["exit_code"] for e in events if e.kind == "stopped"] == [1]


@pytest.mark.parametrize("strategy", ["linear", "best_of_n", "mcts", "synthesis", "progressive", "auto"])
def test_every_strategy_finds_the_fix(repo, tmp_path, key, strategy):
    ideas = (("The high bound is compared the wrong way round", 0.9), ("The low bound is wrong", 0.1))
    with FakeProvider(Brain(*ideas)) as provider:
        solution, _ = run(begin(repo(FILES), tmp_path / "home", provider.url, search_strategy=strategy))
    assert solution.best is not None


def test_less_certainty_than_was_asked_for_hands_over_nothing(repo, tmp_path, key):
    with FakeProvider(Brain()) as provider:
        begun = begin(repo(FILES), tmp_path / "home", provider.url, discriminator_confidence=0.999)
        solution, events = run(begun)
    assert solution.best is None
    assert solution.alternatives
    assert [e.data["why"] for e in events if e.kind == "stopped"] == ["abstained"]
