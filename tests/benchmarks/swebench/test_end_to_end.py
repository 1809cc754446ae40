"""From two rows to a report, with nothing made before: two bugs that flask had in 2.3.0 and 2.3.1, and mended in the next release.

The repository is made from the published source archives, one commit each; the tests are ours.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks import sdists
from benchmarks.swebench.data import load
from benchmarks.swebench.preds import read
from sandbox.docker import connect
from sandbox.images import remove_image

pytestmark = [pytest.mark.docker, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
ARCHIVES = {
    "2.3.0": "4088b4986f13cae23e02081e67df7e4e434ec6f85a5238bce5e6db6d1de61e06",
    "2.3.1": "a6059db4297106e5a64b3215fa16ae641822c1cb97ecb498573549b2478602cb",
    "2.3.2": "8c2f9abd47a9e8df7f0c3f091ce9497d011dc3b31effcf4c85a6e2b50f4114ef",
}
MARKUP = """\
import flask
import pytest


def test_markup_is_still_there():
    with pytest.warns(DeprecationWarning, match="Markup"):
        assert flask.Markup("<b>") == "<b>"


def test_escape_escapes():
    with pytest.warns(DeprecationWarning):
        assert flask.escape("<") == "&lt;"


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError):
        flask.nothing_of_this_name
"""
VARY = """\
import flask
import pytest


@pytest.fixture
def client():
    app = flask.Flask(__name__)
    app.secret_key = "key"

    @app.get("/forget")
    def forget():
        flask.session.clear()
        return ""

    @app.get("/static-page")
    def page():
        return ""

    return app.test_client()


def test_a_session_that_is_cleared_depends_on_the_cookie(client):
    with client.session_transaction() as session:
        session["a"] = 1
    response = client.get("/forget")
    assert "session=;" in response.headers["Set-Cookie"]
    assert "Cookie" in response.headers.getlist("Vary")


def test_a_page_without_a_session_does_not(client):
    assert "Vary" not in client.get("/static-page").headers
"""


@dataclass(frozen=True)
class Data:
    """Rows, recorded patches and a bare mirror."""

    rows: Path
    patches: Path
    mirrors: Path
    output: Path

    def bench(self, mode: str, instance: str, *arguments: str) -> dict[str, object]:
        """Run the command on one instance; returns its report."""
        output = self.output / mode
        words = [sys.executable, "-m", "benchmarks.cli", "swebench", "--subset", str(self.rows), "--instances", instance]
        words += ["--mode", mode, "--repos", str(self.mirrors), "--no-pull", "--budget", "60,3m", "-o", str(output), *arguments]
        if (pythons := interpreters(self.output)) is not None:
            words += ["--python-root", str(pythons)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        assert (output / instance / f"{instance}.traj.json").exists()
        found: dict[str, object] = json.loads((output / "report.json").read_text())
        return found


def interpreters(folder: Path) -> Path | None:
    """A folder of interpreters with Python 3.11, which flask 2.3 is tested with; None to let uv download it."""
    beside = Path(sys.base_prefix).parent
    if [*beside.glob("3.11*/bin/python3.11")]:
        return beside
    found = shutil.which("python3.11")
    asked = (
        subprocess.run([found, "-c", "import sys; print(sys.base_prefix)"], capture_output=True, text=True, check=False) if found else None
    )
    if asked is None or asked.returncode or asked.stdout.strip() == "/usr":  # a system's Python is spread over its folders
        return None
    (folder / "pythons").mkdir(parents=True, exist_ok=True)
    (folder / "pythons" / "3.11").symlink_to(asked.stdout.strip())
    return folder / "pythons"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def added(name: str, text: str) -> str:
    """The patch that adds a file."""
    rows = text.splitlines()
    body = "".join(f"+{row}\n" for row in rows)
    return f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(rows)} @@\n{body}"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("flask")
    tree, commits = folder / "tree", []
    tree.mkdir()
    git(tree, "init", "-q", "-b", "main")
    for version, digest in ARCHIVES.items():
        top = sdists.unpack(sdists.fetch("flask", f"Flask-{version}.tar.gz", digest, folder / "archives"), folder / version)
        for old in [path for path in tree.iterdir() if path.name != ".git"]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(top, tree, dirs_exist_ok=True)
        (tree / "requirements" / "dev.txt").write_text("-r tests.txt\n")  # what the documents and the types need is not used here
        git(tree, "add", "-A", "-f")
        git(tree, "commit", "-q", "-m", f"flask {version}")
        commits.append(git(tree, "rev-parse", "HEAD").strip())
    git(folder, "clone", "-q", "--bare", "tree", "mirrors/pallets__flask")
    fixes = [git(tree, "diff", *pair, "--", "src/flask") for pair in (commits[:2], commits[1:])]
    names = ("test_markup.py::{}", "test_vary.py::{}")
    failing = (["test_markup_is_still_there", "test_escape_escapes"], ["test_a_session_that_is_cleared_depends_on_the_cookie"])
    passing = (["test_what_is_not_there_is_an_attribute_error"], ["test_a_page_without_a_session_does_not"])
    issues = ("flask.Markup is gone in 2.3.0", "No Vary: Cookie header when the session is cleared")
    rows = [
        {
            "instance_id": f"pallets__flask-{23 + number}", "repo": "pallets/flask", "base_commit": commits[number], "version": "2.3",
            "created_at": "2023-05-01T00:00:00Z", "problem_statement": issues[number], "patch": fixes[number],
            "test_patch": added(f"tests/{names[number].partition('::')[0]}", (MARKUP, VARY)[number]),
            "FAIL_TO_PASS": [f"tests/{names[number].format(name)}" for name in failing[number]],
            "PASS_TO_PASS": [f"tests/{names[number].format(name)}" for name in passing[number]],
        }
        for number in (0, 1)
    ]  # fmt: skip
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    breaks = git(tree, "diff", commits[1], commits[2], "--", "src/flask/sessions.py").replace('.vary.add("Cookie")', '.vary.addd("Cookie")')
    recorded = [{"source": "breaks", "patch": breaks}, {"source": "misfit", "patch": fixes[0]}, {"source": "right", "patch": fixes[1]}]
    (folder / "patches.jsonl").write_text(json.dumps({"instance_id": "pallets__flask-24", "patches": recorded}) + "\n")
    return Data(folder / "rows.jsonl", folder / "patches.jsonl", folder / "mirrors", folder / "results")


@pytest.fixture(scope="module", autouse=True)
def _no_image_is_left(data: Data) -> object:
    yield
    client = connect()
    ids = [one.id for one in load(str(data.rows))]
    for tag in [tag for image in client.images.list("swebench-instance") for tag in image.tags]:
        if any(f":{name}-" in tag for name in ids):
            remove_image(client, tag)
    client.close()


def test_a_bug_is_searched_with_its_failing_tests_and_graded(data: Data) -> None:
    report = data.bench("check", "pallets__flask-23", "--oracle", "1")
    assert report["resolved_ids"] == ["pallets__flask-23"]
    assert "flask/__init__.py" in read(data.output / "check" / "preds.json")["pallets__flask-23"].patch


def test_the_right_one_of_recorded_patches_is_chosen_and_graded(data: Data) -> None:
    report = data.bench("recorded", "pallets__flask-24", "--patches", str(data.patches))
    assert report["resolved_ids"] == ["pallets__flask-24"]
    assert (data.output / "recorded" / "report.html").read_text().count("pallets__flask-24") == 1
