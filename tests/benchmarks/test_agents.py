"""The benchmark of whole searches: its bugs and its model are what they say, and what it showed to be wrong stays mended."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks import agents
from benchmarks.agents import Place, searched, table, wilson
from benchmarks.agents_bugs import BUGS, CLAMP, INITIALS, PLACES
from benchmarks.agents_demo import DEMO_BUGS
from benchmarks.agents_model import PROFILES, NoisyModel, Profile
from swesearch.base import Replace
from swesearch.testing import Answer, FakeProvider
from swesearch.value.tests import Failing

SURE = Profile(right=1.0, edit=1.0, repair=1.0, judge=1.0, partial=1.0)
BOTH = next(bug for bug in BUGS if bug.kind == "two edits")


@pytest.fixture
def key(monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "any-key-will-do")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A bug that needs two edits, made ready."""
    place = Place(BOTH, tmp_path_factory.mktemp("two"))
    yield place
    place.close()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_place_passes_its_tests_with_the_right_line_and_the_overfit_one_only(place):
    def passes(line):
        space = {}
        exec(place.source(line), space)
        return [eval(call, space) == eval(value) for call, value in place.calls]

    assert all(passes(place.right))
    assert all(passes(place.overfit))
    assert not any(passes(place.broken))
    assert not any(all(passes(line)) for line in place.wrong)


@pytest.mark.parametrize("bug", BUGS[2::2], ids=lambda bug: bug.kind)
def test_a_bug_fails_its_check_until_every_place_is_mended(bug, tmp_path):
    folder = bug.check_out(tmp_path / "repo")

    def passes():
        return not subprocess.run([sys.executable, "-m", *bug.check.split()], cwd=folder, capture_output=True, check=False).returncode

    outcomes = [passes()]
    for place in bug.broken:
        file = folder / place.path
        file.write_text(file.read_text().replace(place.broken, place.right))
        outcomes.append(passes())
    assert outcomes == [False, False, True]


@pytest.mark.parametrize("bug", DEMO_BUGS, ids=lambda bug: bug.name)
def test_a_demo_bug_stands_where_the_model_looks_and_passes_its_tests_with_the_right_line_and_the_overfit_one_only(bug, tmp_path):
    with closing(Place(bug, tmp_path)) as prepared:
        looked_at_and_tried(bug, prepared.bench)


def looked_at_and_tried(bug, bench):
    spot, store, root = bug.broken[0], bench.store, bench.root
    for place in bug.places:
        lines = store.read(root, place.path).decode().splitlines()
        start, end = place.window
        assert lines.count(" " * place.indent + place.standing("\n".join(lines))) == 1
        assert place.standing("\n".join(lines[start - 1 : end])) == (place.broken if place is spot else place.right)

    def passes(line):
        start = re.search(rf"(?m)(?<=^{' ' * spot.indent}){re.escape(spot.broken)}(?=\r?$)".encode(), store.read(root, spot.path)).start()
        state = store.apply(root, [Replace(spot.path, spot.broken.encode(), line.encode(), start)])
        return bench.checks[0].verify(state, bench.sandbox).passed

    assert [line for line in spot.lines if line != spot.broken and passes(line)] == [spot.right, spot.overfit]


def test_a_model_that_is_always_right_mends_at_once_and_the_same_seed_does_the_same(two, key, monkeypatch):
    monkeypatch.setitem(PROFILES, "sure", SURE)
    row, again = (searched(two, "sure", "mcts", 3, 0.8) for _ in range(2))
    assert row.solved
    assert row.dollars < 0.3
    assert replace(again, seconds=0.0) == replace(row, seconds=0.0)


def test_a_model_that_is_never_right_mends_nothing_and_stays_within_its_money(two, key, monkeypatch):
    monkeypatch.setitem(PROFILES, "hopeless", Profile(right=0.0, edit=0.0, repair=0.0, judge=0.5, partial=1.0))
    row = searched(two, "hopeless", "best_of_n", 0, 0.4)
    assert not row.solved
    assert 0.1 < row.dollars <= 0.4


def test_progress_in_a_later_test_is_seen_where_candidates_are_dear(two):
    bench = two.bench
    later = bench.store.apply(bench.root, [Replace(INITIALS.path, INITIALS.broken.encode(), INITIALS.right.encode())])
    assert Failing(bench.checks).measure(later, None).score == 0.0
    assert Failing(bench.checks, hasty=False).measure(later, None).score == 0.5


class Doubtful(NoisyModel):
    """Gives its first hypothesis up."""

    def __call__(self, turn):
        if turn.tools and not hasattr(Doubtful, "gave"):
            Doubtful.gave = True
            return Answer(calls=[("give_up", {"reason": "the code is right"})])
        return super().__call__(turn)


def test_a_single_path_goes_on_where_a_hypothesis_was_given_up(two, key):
    with FakeProvider(Doubtful(BOTH, SURE, 0)) as provider:
        _, ranking, parts = two.search(provider.url, "linear", 0, 0.8)
    assert two.right(ranking[0].attempt.state)
    assert [node.closed for node in parts.hunt.tree.nodes] == [False, True, False, False]


def test_the_interval_is_wilsons():
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-3)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-3)


def test_results_are_kept_as_they_come_and_summed_up_again(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "")
    kept = tmp_path / "rows.jsonl"
    words = ["--seeds", "1", "--kinds", "one edit", "--profiles", "strong", "--strategies", "linear", "--apart", "--out", str(kept)]
    assert agents.main(words) == 0
    shown = capsys.readouterr().out
    assert [json.loads(line)["bug"] for line in kept.read_text().splitlines()] == [CLAMP.name, INITIALS.name]
    assert agents.main(["--apart", "--read", str(kept)]) == 0
    assert capsys.readouterr().out == shown
    assert "| one edit | strong | linear |" in shown
    assert table([]).count("\n") == 1
