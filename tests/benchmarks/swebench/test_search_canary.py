"""In mode `issue` no answer can be seen: a model looks everywhere, and everything that was sent or written is searched."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from benchmarks.swebench.base import Instance, Place
from benchmarks.swebench.search import search_one
from swesearch.settings import Settings
from swesearch.testing import Answer, FakeProvider
from tests.solve.brain import ISSUE, Brain
from tests.solve.project import FILES

NAME, TEXT, GOLD, ROW = "test_canary_of_the_name", "canary-of-the-test-patch", "canary-of-the-gold-patch", "canary-of-the-row"
TEST_PATCH = f"""\
diff --git a/tests/test_core.py b/tests/test_core.py
--- a/tests/test_core.py
+++ b/tests/test_core.py
@@ -1,3 +1,6 @@
 from pkg.core import clamp, mean
\x20
+def {NAME}():
+    assert clamp(3, 1, 5) == 3  # {TEXT}
+
\x20
"""


LOOKS = {
    "view": {"path": "tests/test_core.py", "start": 0, "end": 0},
    "search": {"pattern": "canary", "regex": False, "path": "", "page": 1},
    "symbols": {"name": "canary", "page": 1},
}


class Snoop(Brain):
    """Looks for the answer with the tools that look, then works as told."""

    def __init__(self):
        super().__init__()
        self.looked = set()

    def work(self, turn):
        looks = [(name, LOOKS[name]) for name in turn.tools if name in LOOKS and name not in self.looked]
        self.looked |= {name for name, _ in looks}
        return Answer(calls=looks) if looks else super().work(turn)


@pytest.fixture
def searched(repo, tmp_path, monkeypatch):
    """(requests, home, outcome) of a whole search on an instance full of canaries."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-a-key")
    folder = repo(FILES)
    row = {"FAIL_TO_PASS": [NAME], "hints_text": ROW}
    instance = Instance(
        "tiny__tiny-1",
        "tiny/tiny",
        "0" * 40,
        ISSUE,
        "1",
        "2024-01-01",
        f"+ {GOLD}\n",
        TEST_PATCH,
        (f"tests/test_core.py::{NAME}",),
        (NAME,),
        row=row,
    )
    with FakeProvider(Snoop()) as provider:
        model = {"name": "claude-sonnet-5-5", "base_url": provider.url, "patience": 5.0}
        settings = Settings().updated({"sandbox": {"kind": "local"}, "model": model, "agents": {"patience": 0}}, "test")
        outcome = search_one(instance, Place("", sys.executable, folder), "issue", settings, tmp_path / "home")
        return [json.dumps(seen.body) for seen in provider.requests], tmp_path / "home", outcome


def everything_in(home):
    """Every file below a folder as it is, and every object of every git directory unpacked."""
    for path in home.rglob("*"):
        if path.is_file():
            yield path.read_bytes()
        if path.is_dir() and (path / "objects").is_dir():
            yield subprocess.run(
                ["git", "--git-dir", path, "cat-file", "--batch", "--batch-all-objects"], check=True, capture_output=True
            ).stdout


def test_nothing_of_the_answer_is_sent_written_or_laid_into_a_box(searched):
    requests, home, outcome = searched
    seen = [*(request.encode() for request in requests), *everything_in(home)]

    assert outcome.mode == "issue"
    assert "+    if value > high:" in outcome.patch
    assert any("nothing was found" in request for request in requests)  # there were agents, who had tools and looked
    assert any(b"def mean" in text for text in seen)  # and the code was laid out before us
    for canary in (NAME, TEXT, GOLD, ROW):
        assert not [text for text in seen if canary.encode() in text], canary


def test_the_canaries_are_found_where_they_are(searched):
    _, home, _ = searched
    (home / "leak.txt").write_text(f"# {TEXT}")

    assert any(TEXT.encode() in text for text in everything_in(home))
