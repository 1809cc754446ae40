"""Bundles: packed and unpacked as they were, replayed on real code in a real sandbox, and refused where they lie."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from swesearch.base import Check, UsageError
from swesearch.github.bundle import LARGEST, Bundle, Change, head, lay, pack, tree_of, unpack
from swesearch.github.verify import replay
from swesearch.settings import Settings
from swesearch.solve.proofs import Proof
from swesearch.store import Store

Repo = Callable[..., Path]
BUGGY = {
    "calc.py": "def total(items):\n    result = 0\n    for item in items:\n        result -= item\n    return result\n",
    "test_calc.py": (
        "from calc import total\n\n\ndef test_total():\n    assert total([1, 2, 3]) == 6\n\n\n"
        "def test_nothing():\n    assert total([]) == 0\n"
    ),
}
MENDED = Change("calc.py", BUGGY["calc.py"].replace("-=", "+=").encode())
SETTINGS = Settings().updated({"sandbox": {"kind": "local", "python": sys.executable}}, "test")
CHECK = Check(("pytest", "-q", "test_calc.py::test_total"))


def bundle_of(folder: Path, scratch: Path, *after: Change, before: tuple[Change, ...] = (), check: Check = CHECK) -> Bundle:
    """What `make` would say of a run on this repository."""
    store = Store.open(folder, scratch / "store.git")
    commit = head(store)
    root = lay(store, tree_of(store, commit), before)
    result = lay(store, root, after)
    patch = store.diff(root, result)
    store.close()
    return Bundle(commit, before, after, root.tree, result.tree, (check,), patch, {"run": "20240101-x"})


def proofs_of(bundle: Bundle, folder: Path, home: Path) -> list[Proof]:
    return list(replay(bundle, folder, SETTINGS, home, lambda _: None))


def test_a_bundle_comes_back_as_it_was(repo: Repo, tmp_path: Path) -> None:
    before = (Change("old.py", None), Change("bin/run", b"\x00\xff", executable=True))
    bundle = bundle_of(repo({**BUGGY, "old.py": "x\n"}), tmp_path, MENDED, Change("naïve\n.py", b""), before=before)
    assert unpack(pack(bundle)) == bundle
    assert pack(bundle) == pack(unpack(pack(bundle)))


def test_tests_that_were_written_for_the_issue_come_along_and_nothing_stays_behind(repo: Repo, tmp_path: Path) -> None:
    folder = repo({"calc.py": BUGGY["calc.py"]})
    written = Change("test_swesearch_reproduction_1.py", BUGGY["test_calc.py"].encode())
    bundle = bundle_of(folder, tmp_path, MENDED, before=(written,), check=Check(("pytest", "-q", written.path)))
    with closing(replay(bundle, folder, SETTINGS, tmp_path / "home", lambda _: None)) as found:
        first, second = (next(found) for _ in range(2))
    assert (first.holds, first.words.partition("beforehand: ")[2]) == (True, "test_swesearch_reproduction_1.py")
    assert (second.holds, second.words.partition(" fails ")[2]) == (
        True, "without the fix (1: test_swesearch_reproduction_1.py::test_total)"
    )  # fmt: skip
    assert list((tmp_path / "home" / "verifications").iterdir()) == []
    assert not (folder / written.path).exists()


def test_a_fix_of_what_is_not_broken_is_found_out(repo: Repo, tmp_path: Path) -> None:
    folder = repo({**BUGGY, "calc.py": MENDED.content})
    found = proofs_of(bundle_of(folder, tmp_path, Change("other.py", b"x = 1\n")), folder, tmp_path / "home")
    assert [proof.holds for proof in found] == [True, False]
    assert "already passes" in found[-1].words


def test_a_bundle_cannot_speak_of_other_code_than_it_holds(repo: Repo, tmp_path: Path) -> None:
    folder = repo(BUGGY)
    bundle = bundle_of(folder, tmp_path, MENDED)
    for lie in (replace(bundle, patch=b"diff --git a/x b/x\n"), replace(bundle, root=bundle.result), replace(bundle, result=bundle.root)):
        found = proofs_of(lie, folder, tmp_path / "home")
        assert [proof.holds for proof in found] == [False]
        assert "not about this code" in found[0].words


def test_code_that_is_not_here_must_be_fetched_first(repo: Repo, tmp_path: Path) -> None:
    bundle = bundle_of(repo(BUGGY), tmp_path, MENDED)
    with pytest.raises(UsageError, match=r"does not have the commit .* fetch it"):
        proofs_of(bundle, repo({"x.py": "y\n"}, "other"), tmp_path / "home")


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", ".git/hooks/post-checkout", "a/../../evil", "a\\..\\evil", ".GIT/config"])
def test_no_path_of_a_bundle_leaves_the_repository(repo: Repo, tmp_path: Path, path: str) -> None:
    folder = repo(BUGGY)
    bundle = replace(bundle_of(folder, tmp_path, MENDED), after=(Change(path, b"evil"),))
    with pytest.raises(UsageError, match="cannot be laid over the code"):
        proofs_of(unpack(pack(bundle)), folder, tmp_path / "home")
    assert not (tmp_path / "evil").exists()
    assert not (folder / ".git" / "hooks" / "post-checkout").exists()


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


GOOD = {
    "format": 1,
    "commit": "a" * 40,
    "root": "b" * 40,
    "result": "c" * 40,
    "checks": [["pytest"]],
    "before": [],
    "after": [],
    "about": {},
}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 no archive",
        zipped({}),
        zipped({"manifest.json": "{}", "patch.diff": ""}),
        zipped({"manifest.json": "[]", "patch.diff": ""}),
        zipped({"manifest.json": "{", "patch.diff": ""}),
        zipped({"manifest.json": json.dumps(GOOD)}),
        *(
            zipped({"manifest.json": json.dumps(GOOD | change), "patch.diff": ""})
            for change in (
                {"format": 2},
                {"commit": "HEAD"},
                {"commit": "--help"},
                {"commit": 1},
                {"checks": []},
                {"checks": [[]]},
                {"checks": [[1]]},
                {"checks": [["a\0b"]]},
                {"checks": None},
                {"after": [{"path": "x"}]},
                {"after": [{"path": "x", "file": "../../etc/passwd"}]},
                {"after": [{"path": 1, "deleted": True}]},
                {"about": []},
            )
        ),
    ],
)
def test_what_is_no_bundle_is_told_in_one_line(data: bytes) -> None:
    with pytest.raises(UsageError) as failed:
        unpack(data)
    assert "\n" not in str(failed.value)


def test_an_archive_that_swells_is_refused() -> None:
    with pytest.raises(UsageError, match="more than 64 MB"):
        unpack(zipped({"manifest.json": json.dumps(GOOD), "patch.diff": bytes(LARGEST + 1)}))
    with pytest.raises(UsageError, match="too many files"):
        unpack(zipped({f"f{n}": "" for n in range(2001)}))


def test_the_least_that_a_bundle_can_be_is_read() -> None:
    assert unpack(zipped({"manifest.json": json.dumps(GOOD), "patch.diff": ""})).checks == (Check(("pytest",)),)
