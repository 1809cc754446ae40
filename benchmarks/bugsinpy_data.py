"""The BugsInPy data set (https://github.com/soarsmu/BugsInPy): its bugs, work copies of them, and their environments.

Nothing of it is in this repository: the caller gives a checkout or a bare clone of it, and clones of the projects.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

OWN = {"pkg-resources", "unittest", "pip", "setuptools", "wheel"}  # in frozen lists, but nothing to install
PERIOD = "setuptools<60"  # newer ones bring a pytest plugin that the pinned packages of 2020 break
PLAIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^]]*\])?\s*([=<>!~]=?[^;#@]+)?(;.*)?")


class DataError(Exception):
    """The data set, a project's clone or an interpreter is not where it was said to be."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One bug as BugsInPy describes it. `tests` are pytest node ids, `gold` is the upstream patch of the code."""

    project: str
    number: int
    python: str  # "3.8"
    buggy: str
    fixed: str
    test_files: tuple[str, ...]
    script: str  # run_test.sh
    setup: str  # setup.sh
    requirements: tuple[str, ...]
    gold: bytes

    @property
    def name(self) -> str:
        """The name people use: "luigi-4"."""
        return f"{self.project}-{self.number}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A bug ready to be repaired: a git work copy of the buggy code under the fixed tests, and an interpreter that can run it."""

    bug: str
    repo: str
    python: str
    command: tuple[str, ...]
    gold: str  # path of the upstream patch
    skipped: tuple[str, ...]  # requirements that could not be installed


def git(repo: Path, *arguments: str) -> bytes:
    """What a git command says. Raises DataError with git's own words."""
    done = subprocess.run(["git", "-C", str(repo), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise DataError(f"git {' '.join(arguments)} in {repo}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def read(data: Path, path: str) -> bytes:
    """A file of the data set, from a checkout or a bare clone. Raises DataError where there is none."""
    if (data / "projects").is_dir():
        try:
            return (data / path).read_bytes()
        except OSError as error:
            raise DataError(str(error)) from error
    return git(data, "show", f"HEAD:{path}")


def optional(data: Path, path: str) -> bytes:
    """A file of the data set, empty where there is none."""
    try:
        return read(data, path)
    except DataError:
        return b""


def text(raw: bytes) -> str:
    """Text of a file that may be UTF-16, as some of the data set's are."""
    return raw.decode("utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8", "replace").lstrip("\ufeff")


def load(data: Path, name: str) -> Bug:
    """The bug of that name. Raises DataError where the data set has none."""
    project, _, number = name.rpartition("-")
    folder = f"projects/{project}/bugs/{number}"
    info = dict(re.findall(r'^(\w+)\s*=\s*"([^"]*)"', text(read(data, f"{folder}/bug.info")), re.MULTILINE))
    return Bug(
        project=project,
        number=int(number),
        python=".".join(info["python_version"].split(".")[:2]),
        buggy=info["buggy_commit_id"],
        fixed=info["fixed_commit_id"],
        test_files=tuple(f for f in info["test_file"].split(";") if f),
        script=text(read(data, f"{folder}/run_test.sh")),
        setup=text(optional(data, f"{folder}/setup.sh")),
        requirements=tuple(text(optional(data, f"{folder}/requirements.txt")).splitlines()),
        gold=read(data, f"{folder}/bug_patch.txt"),
    )


def clone_of(repos: Path, project: str) -> Path:
    """The clone of a project below `repos`: NAME, NAME.git, OWNER+NAME or OWNER+NAME/repo. Raises DataError where there is none."""
    pattern = re.compile(rf"(?:.*\+)?{re.escape(project)}(?:\.git)?", re.IGNORECASE)
    for folder in sorted(p for p in repos.iterdir() if pattern.fullmatch(p.name)):
        for place in (folder, folder / "repo"):
            if (place / "HEAD").exists() or (place / ".git").exists():
                return place
    raise DataError(f"no clone of {project} below {repos}")


def node_ids(script: str, root: Path) -> tuple[str, ...]:
    """The tests a run_test.sh runs, as pytest node ids."""
    words = [word for line in script.splitlines() for word in line.split()]
    return tuple(dict.fromkeys(i for word in words if (i := _node_id(word, root))))


def _node_id(word: str, root: Path) -> str:
    """A pytest node id or path as it is; a dotted unittest name turned into one; anything else is empty."""
    if (root / word.split("::")[0]).is_file():
        return word
    parts = word.split(".")
    for count in range(len(parts), 0, -1):
        path = "/".join(parts[:count]) + ".py"
        if (root / path).is_file():
            return "::".join([path, *parts[count:]])
    return ""


def work_copy(bug: Bug, clone: Path, overlay: Path | None, target: Path) -> None:
    """Write the buggy code with the fixed version's test files over it, as a git repository of one commit."""
    target.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(git(clone, "archive", bug.buggy))) as tar:
        tar.extractall(target, filter="tar")
    for path in bug.test_files:
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(git(clone, "show", f"{bug.fixed}:{path}"))
    if overlay is not None and overlay.is_dir():
        shutil.copytree(overlay, target, dirs_exist_ok=True)
    git(target, "init", "-q")
    git(target, "add", "--all", "--force")
    identity = ("-c", "user.name=bugsinpy", "-c", "user.email=bugsinpy@localhost")
    git(target, *identity, "commit", "-q", "--no-verify", "-m", f"{bug.name}: the buggy code, the fixed tests")


def wanted(bug: Bug, repo: Path) -> tuple[str, ...]:
    """What to install: the data set's list and what setup.sh adds, or else the repository's own lists.

    Leaves out the project itself and lines that name no package of an index.
    """
    listed = (*bug.requirements, *re.findall(r"pip3? install ([A-Za-z][\w.-]*)", bug.setup))
    own = [line for path in sorted(repo.glob("*requirements*.txt")) for line in text(path.read_bytes()).splitlines()]
    found: dict[str, str] = {}
    for line in (*listed, *(() if bug.requirements else own)):
        match = PLAIN.fullmatch(line.strip())
        if match and (name := _normal(match[1])) not in OWN | {_normal(bug.project)}:
            found.setdefault(name, line.strip())
    return tuple(found.values())


def _normal(name: str) -> str:
    """A package name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def interpreter(root: Path, version: str) -> Path:
    """The newest python MAJOR.MINOR below `root`. Raises DataError where there is none."""
    found = [p for p in root.glob(f"{version}*/bin/python") if re.match(rf"{re.escape(version)}(\.|$)", p.parts[-3])]
    if not found:
        raise DataError(f"no Python {version} below {root}")
    return max(found, key=lambda p: [int(n) for n in re.findall(r"\d+", p.parts[-3])])


def environment(bug: Bug, repo: Path, root: Path, target: Path) -> tuple[Path, tuple[str, ...]]:
    """Make a virtual environment for a bug. Gives its interpreter, and the requirements that could not be installed."""
    _uv("venv", "--quiet", "--python", str(interpreter(root, bug.python)), str(target))
    python = target / "bin" / "python"
    packages = wanted(bug, repo)
    frozen = [p for p in packages if "==" in p]
    loose = [p for p in (*packages, PERIOD, "pytest") if "==" not in p and not (p == "pytest" and _has_pytest(packages))]
    skipped = [*_install_all(python, frozen, "--no-deps"), *_install_all(python, loose)]
    if "pytest" in skipped:
        raise DataError(f"{bug.name}: pytest cannot be installed for Python {bug.python}")
    return python, tuple(skipped)


def _has_pytest(packages: Iterable[str]) -> bool:
    return any(re.match(r"pytest\b(?!-)", p) for p in packages)


def _install_all(python: Path, packages: Sequence[str], *options: str) -> list[str]:
    """Install all at once, or where that fails one by one. Gives those that could not be."""
    if not packages or _install(python, *options, *packages):
        return []
    return [p for p in packages if not _install(python, *options, p)]


def _uv(*arguments: str) -> None:
    done = subprocess.run(["uv", *arguments], capture_output=True, check=False)
    if done.returncode:
        raise DataError(f"uv {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")


def _install(python: Path, *arguments: str) -> bool:
    command = ["uv", "pip", "install", "--quiet", "--python", str(python), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=600, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def prepare(bug: Bug, repos: Path, pythons: Path, target: Path, overlay: Path | None = None) -> Prepared:
    """Make the work copy and environment of a bug below `target`, or find those made before.

    Files below `overlay`/NAME replace the data set's: tests that need the internet can be given in a form that does not.
    """
    record = target / "env.json"
    if not record.exists():
        shutil.rmtree(target, ignore_errors=True)
        work_copy(bug, clone_of(repos, bug.project), overlay / bug.name if overlay else None, target / "repo")
        (target / "gold.patch").write_bytes(bug.gold)
        python, skipped = environment(bug, target / "repo", pythons, target / "venv")
        command = (str(python), "-m", "pytest", "-q", *node_ids(bug.script, target / "repo"))
        ready = Prepared(bug.name, str(target / "repo"), str(python), command, str(target / "gold.patch"), skipped)
        record.write_text(json.dumps(asdict(ready), indent=2))
    return _prepared(json.loads(record.read_text()))


def _prepared(raw: Mapping[str, str | list[str]]) -> Prepared:
    return Prepared(**{key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()})  # type: ignore[arg-type]


def gold_lines(patch: bytes) -> Mapping[str, tuple[int, ...]]:
    """The lines of the old version that a patch changes, by path; for a pure insertion the lines on both sides of it."""
    found: dict[str, list[int]] = {}
    path, line, removed, added = "", 0, False, False
    for row in patch.decode("utf-8", "replace").splitlines():
        if row.startswith("--- "):
            path = row[4:].split("\t")[0].removeprefix("a/")
        elif match := re.match(r"@@ -(\d+)", row):
            line, removed, added = int(match[1]), False, False
        elif path and row.startswith("-"):
            found.setdefault(path, []).append(line)
            line, removed = line + 1, True
        elif path and row.startswith("+") and not row.startswith("+++"):
            if not removed and not added:
                found.setdefault(path, []).extend((line - 1, line))
            added = True
        elif path and row.startswith(" "):
            line, removed, added = line + 1, False, False
    return {path: tuple(dict.fromkeys(lines)) for path, lines in found.items()}


def gold_files(bug: Bug, clone: Path) -> Mapping[str, bytes | None]:
    """The upstream version of every file that the upstream patch touches, None where it deletes one."""
    files: dict[str, bytes | None] = {}
    for old, new in re.findall(rb"^--- (\S+).*\n\+\+\+ (\S+)", bug.gold, re.MULTILINE):
        if old != b"/dev/null":
            files[old.decode().removeprefix("a/")] = None
        if new != b"/dev/null":
            path = new.decode().removeprefix("b/")
            files[path] = git(clone, "show", f"{bug.fixed}:{path}")
    return files


def names(bugs: Iterable[str]) -> tuple[str, ...]:
    """Bug names from the command line: separated by commas or spaces."""
    return tuple(name for word in bugs for name in word.split(",") if name)
