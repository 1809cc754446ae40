"""Does the bot find what breaks, and is it silent where nothing does? Twenty pull requests made from the real history of five projects.

Ten break something: a real fix is taken back while its test stays, or its test comes alone. Ten are harmless: real changes as they were
merged. Nothing in the review knows which is which. A fix counts where the head with the fix, reviewed again, has nothing broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from swesearch.base import Event
from swesearch.github.bot.base import Report
from swesearch.github.bot.review import Request, review
from swesearch.store.gitsafe import Git, make_git_dir
from swesearch.value.protect import is_test

WHO = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "bench"), ("EMAIL", "b@example.com"))}
BUDGET = {"budget.evaluations": 120, "budget.seconds": 90.0, "bot.seconds": 60.0}  # for each search, and for tests on each side


@dataclass(frozen=True, slots=True)
class Case:
    """A pull request: made from this commit of this project, in this way."""

    repo: str
    commit: str
    way: Literal["taken back", "test alone", "as merged"]

    @property
    def breaks(self) -> bool:
        """Whether the bot has something to say."""
        return self.way != "as merged"


CASES = (
    Case("marshmallow-code/marshmallow", "8f493e66b3", "taken back"),
    Case("marshmallow-code/marshmallow", "853b144e12", "test alone"),
    Case("marshmallow-code/marshmallow", "c8ce7e8702", "test alone"),
    Case("pallets/werkzeug", "051fd66352", "test alone"),
    Case("pallets/werkzeug", "23142a3cb5", "taken back"),
    Case("pallets/werkzeug", "77bde33372", "taken back"),
    Case("pallets/werkzeug", "285af2c465", "taken back"),
    Case("networkx/networkx", "304b3ae481", "taken back"),
    Case("networkx/networkx", "6eb2a1db96", "test alone"),
    Case("psf/requests", "a4f9a5999b", "taken back"),
    Case("marshmallow-code/marshmallow", "6e72beb7da", "as merged"),
    Case("marshmallow-code/marshmallow", "10afde119b", "as merged"),
    Case("marshmallow-code/marshmallow", "7cc1de477b", "as merged"),
    Case("pallets/werkzeug", "fa0f4f2710", "as merged"),
    Case("pallets/werkzeug", "60ea32c88e", "as merged"),
    Case("pallets/werkzeug", "ff1b12a662", "as merged"),
    Case("networkx/networkx", "139259c6c5", "as merged"),
    Case("networkx/networkx", "56e3d0e418", "as merged"),
    Case("pallets/click", "6f85d26dcd", "as merged"),
    Case("psf/requests", "bc7dd0fc4d", "as merged"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one pull request."""

    repo: str
    commit: str
    way: str
    breaks: bool
    found: bool
    ending: str
    tests: int
    fix: str  # how the first fix came about, "" for none
    fix_passes: bool
    seconds: float  # until the report
    evaluations: int
    dollars: float
    notes: tuple[str, ...]


class Maker:
    """Makes the commits of pull requests in a git directory of its own, which borrows from a mirror."""

    def __init__(self, mirror: Path, folder: Path) -> None:
        folder.mkdir()
        make_git_dir(folder, mirror / "objects")
        self.folder, self._git = folder, Git(folder, {**WHO, "GIT_INDEX_FILE": str(folder / "index")})

    def pair(self, case: Case) -> tuple[str, str]:
        """Base and head. Raises SwesearchError where the mirror lacks the commit."""
        commit = self._line("rev-parse", "--verify", f"{case.commit}^{{commit}}")
        parent = self._line("rev-parse", f"{commit}^")
        if case.way == "as merged":
            return parent, commit
        tests = case.way == "test alone"
        base = parent if tests else commit
        return base, self._with(base, commit if tests else parent, lambda path: is_test(path) is tests)

    def fixed(self, head: str, patch: str) -> str:
        """The head with a patch."""
        self._git.run("read-tree", head)
        self._git.run("apply", "--cached", stdin=patch.encode())
        return self._commit(head)

    def _with(self, base: str, other: str, wanted: object) -> str:
        """A commit on `base` that has the wanted Python files as in `other`."""
        assert callable(wanted)
        names = self._line("diff-tree", "-r", "--no-renames", "--name-only", base, other).splitlines()
        self._git.run("read-tree", base)
        for path in (name for name in names if name.endswith(".py") and wanted(name)):
            entry = self._line("ls-tree", other, "--", path).split()
            self._git.run(
                "update-index", *(("--add", "--cacheinfo", f"{entry[0]},{entry[2]},{path}") if entry else ("--force-remove", path))
            )
        return self._commit(base)

    def _commit(self, parent: str) -> str:
        return self._line("commit-tree", self._line("write-tree"), "-p", parent, "-m", "A pull request")

    def _line(self, *arguments: str) -> str:
        return self._git.run(*arguments).decode().strip()


def measure(case: Case, repos: Path, home: Path, find_only: bool) -> Row:
    """Review one pull request, and its first fix."""
    with tempfile.TemporaryDirectory(prefix="swesearch-bench-") as name:
        maker = Maker(_mirror(repos, case.repo), Path(name) / "pull.git")
        base, head = maker.pair(case)
        began = time.monotonic()
        report = reviewed(maker.folder, base, head, home, find_only)
        seconds = time.monotonic() - began
        fix = next((fix for finding in report.findings for fix in finding.fixes[:1]), None)
        passes = bool(fix) and not reviewed(maker.folder, base, maker.fixed(head, fix.patch if fix else ""), home, True).findings
    return Row(
        case.repo, case.commit, case.way, case.breaks, bool(report.findings), report.ending, report.tests, fix.how if fix else "",
        passes, round(seconds, 1), report.evaluations, report.dollars, (*report.notes, *(f"flaky: {name}" for name in report.flaky)),
    )  # fmt: skip


def reviewed(repo: Path, base: str, head: str, home: Path, find_only: bool) -> Report:
    """A review as the bot makes it, or one that searches for no fix."""
    flags = {**BUDGET, "bot.fixes": 0} if find_only else BUDGET
    return review(Request(repo, base, head, home, flags=flags), _tell, threading.Event())


def _tell(event: Event) -> None:
    if event.kind == "phase" and event.data["name"] == "review":
        print("  " + str(event.data["detail"])[:160], file=sys.stderr)


def _mirror(repos: Path, name: str) -> Path:
    """The bare mirror of a project: owner+name/repo, owner/name.git or owner+name."""
    ways = (repos / name.replace("/", "+") / "repo", repos / f"{name}.git", repos / name.replace("/", "+"))
    found = next((way for way in ways if (way / "objects").is_dir()), None)
    if found is None:
        raise SystemExit(f"there is no bare mirror of {name} in {repos}: git clone --mirror https://github.com/{name} {ways[1]}")
    return found


def table(rows: Sequence[Row]) -> Iterable[str]:
    """The rows as Markdown, and what they come to."""
    yield "| pull request | said | tests run | first fix | the fix passes | seconds | states |"
    yield "|---|---|---:|---|---|---:|---:|"
    for row in rows:
        said = "broken" if row.found else "nothing"
        mark = "" if row.found is row.breaks else " (wrong)"
        fixed = ("yes" if row.fix_passes else "no") if row.fix else ""
        name = f"{row.repo.partition('/')[2]} {row.commit}, {row.way}"
        yield f"| {name} | {said}{mark} | {row.tests} | {row.fix} | {fixed} | {row.seconds:.0f} | {row.evaluations} |"
    yield ""
    yield from totals(rows)


def totals(rows: Sequence[Row]) -> Iterable[str]:
    """Precision, recall and cost."""
    told, broken = [row for row in rows if row.found], [row for row in rows if row.breaks]
    right = [row for row in told if row.breaks]
    silent = [row for row in rows if not row.breaks and not row.found]
    seconds = sorted(row.seconds for row in silent)
    yield f"precision {len(right)}/{len(told)}, recall {len(right)}/{len(broken)}"
    yield f"silent on {len(silent)} of {len(rows) - len(broken)} harmless ones"
    yield f"fixes offered for {sum(bool(row.fix) for row in right)}, of which {sum(row.fix_passes for row in right)} pass"
    yield f"median seconds of a silent review {seconds[len(seconds) // 2]:.0f}" if seconds else "no silent review"
    yield f"model calls 0, ${sum(row.dollars for row in rows):.2f}"


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repos", type=Path, required=True, metavar="DIR", help="bare mirrors of the projects")
    parser.add_argument("--home", type=Path, metavar="DIR", help="where environments are kept for the next time [a temporary folder]")
    parser.add_argument("--only", metavar="TEXT", default="", help="only cases whose project, commit or way has this in it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="append each row as it is done, and do no row again that is there")
    parser.add_argument("--find-only", action="store_true", help="search for no fix: what is found is the same, and takes less time")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swesearch-home-") as scratch:
        rows = _rows(options, options.home or Path(scratch))
    print("\n".join(table(rows)))


def _rows(options: argparse.Namespace, home: Path) -> list[Row]:
    kept = options.json.read_text().splitlines() if options.json and options.json.exists() else []
    done = {(row.commit, row.way): row for row in (Row(**json.loads(line)) for line in kept)}
    rows = []
    for case in (each for each in CASES if options.only in f"{each.repo} {each.commit} {each.way}"):
        print(f"{case.repo} {case.commit} {case.way}", file=sys.stderr)
        if (case.commit, case.way) not in done:
            done[case.commit, case.way] = measure(case, options.repos, home, options.find_only)
            if options.json:
                with options.json.open("a") as file:
                    file.write(json.dumps(asdict(done[case.commit, case.way])) + "\n")
        rows.append(done[case.commit, case.way])
    return rows


if __name__ == "__main__":
    main()
