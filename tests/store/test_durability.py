"""What the store acknowledged stays: through kill -9, between processes, in threads, and as plain git objects."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from swesearch.base import Create, Delete, Replace, State, SwesearchError
from swesearch.store import Store
from swesearch.store.log import DEEPEST

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
from pathlib import Path
from swesearch.base import Replace
from swesearch.store import Store

store = Store.open(Path(sys.argv[1]), Path(sys.argv[2]))
state = store.root()
for number in range(10**6):
    state = store.apply(state, [Replace("a/b.py", b"number = %d\\n" % number, b"number = %d\\n" % (number + 1))])
    sys.stdout.write(f"{state.tree}\\n")
    sys.stdout.flush()
"""


def start_writer(folder: Path, store: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(store)], stdout=subprocess.PIPE, text=True, cwd=ROOT)


def kill(writer: subprocess.Popen[str]) -> list[str]:
    """Kill -9, and everything that was acknowledged in full before."""
    os.kill(writer.pid, signal.SIGKILL)
    assert writer.stdout
    said = [line[:-1] for line in writer.stdout.read().splitlines(keepends=True) if len(line) == 41]
    writer.wait()
    writer.stdout.close()
    return said


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def numbered(repo) -> Path:
    return repo({"a/b.py": "number = 0\n" + "# a line of filling, so that deltas pay\n" * 500})


def test_no_acknowledged_state_is_lost_when_its_process_is_killed(numbered, git, tmp_path) -> None:
    chance, folder = random.Random(3), tmp_path / "store.git"
    for _ in range(4):
        writer = start_writer(numbered, folder)
        assert writer.stdout
        first = writer.stdout.readline().strip()
        time.sleep(chance.uniform(0, 0.3))
        states = [first, *kill(writer)]
        store = Store.open(numbered, folder)
        for number, tree in enumerate(states, 1):
            assert store.read(State(tree), "a/b.py").startswith(b"number = %d\n" % number)
        store.close()
        git(tmp_path, "--git-dir", str(folder), "fsck", "--full", "--strict")
        assert git(tmp_path, "--git-dir", str(folder), "cat-file", "-t", states[-1]) == b"tree\n"
    assert not list((folder / "logs").iterdir())


def test_a_torn_end_of_the_log_is_left_out(numbered, opened, tmp_path) -> None:
    writer = start_writer(numbered, tmp_path / "store.git")
    assert writer.stdout
    states = [writer.stdout.readline().strip() for _ in range(20)]
    kill(writer)
    (log,) = (tmp_path / "store.git/logs").iterdir()
    with log.open("ab") as file:
        file.write(os.urandom(20) + b"\0\0\0\xff\0\0\0\0half an object")
    store = opened(numbered)
    assert store.read(State(states[-1]), "a/b.py").startswith(b"number = 20\n")


def test_another_process_reads_along_while_one_writes(numbered, opened, tmp_path) -> None:
    writer = start_writer(numbered, tmp_path / "store.git")
    assert writer.stdout
    tree = writer.stdout.readline().strip()
    reader = opened(numbered)
    assert reader.read(State(tree), "a/b.py").startswith(b"number = 1\n")
    later = [writer.stdout.readline().strip() for _ in range(50)][-1]
    assert b"+number = 51\n" in reader.diff(State(tree), State(later))
    own = reader.apply(State(later), [Create("own", b"")])
    assert "own" in reader.files(own)
    kill(writer)
    assert reader.read(State(later), "a/b.py").startswith(b"number = 51\n")


def test_two_stores_of_one_folder_see_each_others_states(numbered, opened) -> None:
    one, other = opened(numbered), opened(numbered)
    state = one.apply(one.root(), [Create("x", b"1")])
    assert other.read(state, "x") == b"1"
    further = other.apply(state, [Create("y", b"2")])
    one.close()
    assert other.read(state, "x") == b"1"
    assert one.read(further, "y") == b"2"


def test_states_are_plain_git_objects_once_the_store_is_closed(numbered, git, opened, tmp_path) -> None:
    store = opened(numbered)
    root = store.root()
    state = store.apply(root, [Replace("a/b.py", b"= 0", b"= 1"), Create("new", b"text\n")])
    patch = store.diff(root, state)
    store.close()
    assert git(tmp_path, "--git-dir", "store.git", "cat-file", "blob", f"{state.tree}:new") == b"text\n"
    assert store.diff(root, state) == patch
    assert store.read(store.apply(state, [Delete("new")]), "a/b.py").startswith(b"number = 1\n")


def test_a_long_chain_of_edits_stays_readable_and_small(numbered, git, opened, tmp_path) -> None:
    store = opened(numbered)
    states = [store.root()]
    for number in range(3 * DEEPEST):
        states.append(store.apply(states[-1], [Replace("a/b.py", b"number = %d\n" % number, b"number = %d\n" % (number + 1))]))
    store.close()
    git(tmp_path, "--git-dir", "store.git", "fsck", "--full", "--strict")
    depths = git(
        tmp_path,
        "--git-dir",
        "store.git",
        "verify-pack",
        "-v",
        *(str(path) for path in (tmp_path / "store.git/objects/pack").glob("*.idx")),
    )
    deepest = max(int(line.split()[5]) for line in depths.splitlines() if len(line.split()) == 7)
    assert 10 < deepest <= DEEPEST
    again = opened(numbered)
    for number, state in enumerate(states):
        assert again.read(state, "a/b.py").startswith(b"number = %d\n" % number)


def test_a_thousand_states_of_a_big_file_stay_under_a_megabyte(repo, opened, tmp_path) -> None:
    lines = [b"value_%d = %d  # %x\n" % (n, n * n, n**5) for n in range(12_000)]
    store = opened(repo({"big.py": b"".join(lines), "pkg/a.py": "", "b.py": ""}))
    root = store.root()
    before, states = size(tmp_path / "store.git"), set()
    for number in range(0, 12_000, 12):
        states.add(store.apply(root, [Replace("big.py", lines[number], b"value = %d\n" % number)]))
    assert len(states) == 1000
    store.close()
    assert len(b"".join(lines)) > 400_000
    assert size(tmp_path / "store.git") - before < 1 << 20


def test_threads_make_the_same_states_as_one_after_the_other(repo, opened) -> None:
    folder = repo({f"pkg{n % 5}/m{n}.py": f"x = {n}\n" * 50 for n in range(40)})
    store, other = opened(folder), opened(folder, name="other.git")
    actions = [[Replace(f"pkg{n % 5}/m{n}.py", b"x", b"y", start=0), Create(f"new{n % 7}", b"%d" % n)] for n in range(40)]
    root, made = store.root(), {}

    def work(part: int) -> None:
        for number in range(part, len(actions), 8):
            state = store.apply(root, actions[number])
            made[number] = (state, store.diff(root, state))

    threads = [threading.Thread(target=work, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == len(actions)
    for number, edits in enumerate(actions):
        state = other.apply(root, edits)
        assert made[number] == (state, other.diff(root, state))


def test_closing_in_the_middle_of_the_work_of_other_threads_loses_nothing(numbered, opened) -> None:
    store = opened(numbered)
    root, made = store.root(), []

    def work(part: int) -> None:
        for number in range(60):
            content = b"%d %d\n" % (part, number)
            made.append((store.apply(root, [Create("new", content)]), content))
            assert store.read(made[-1][0], "a/b.py") == store.read(root, "a/b.py")

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        store.close()
    for thread in threads:
        thread.join()
    again = opened(numbered)
    assert len(made) == 240
    assert all(again.read(state, "new") == content for state, content in made)


def test_a_full_disk_is_told_and_leaves_the_log_whole(repo, tmp_path) -> None:
    folder = repo({"a.py": "x\n"})
    script = """
import resource, signal, sys
from pathlib import Path
from swesearch.base import Create, SwesearchError
from swesearch.store import Store
store = Store.open(Path(sys.argv[1]), Path(sys.argv[2]))
root = store.root()
kept = store.apply(root, [Create("small", b"kept")])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, resource.RLIM_INFINITY))
import os
try:
    store.apply(root, [Create("large", os.urandom(100_000))])
except SwesearchError as error:
    print("told:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(store.apply(kept, [Create("after", b"kept too")]).tree)
os._exit(9)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(tmp_path / "store.git")], capture_output=True, text=True, cwd=ROOT, check=False
    )
    told, tree = done.stdout.splitlines()
    assert told.startswith("told:")
    assert "cannot be written" in told
    store = Store.open(folder, tmp_path / "store.git")
    assert (store.read(State(tree), "small"), store.read(State(tree), "after")) == (b"kept", b"kept too")
    store.close()


def test_without_git_on_the_path_the_message_says_so(numbered, opened, tmp_path, monkeypatch) -> None:
    store = opened(numbered)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SwesearchError, match="git was not found"):
        store.root()
