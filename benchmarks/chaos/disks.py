"""What disks do: full, read-only, and a journal whose end is torn, empty or nonsense."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.chaos.case import Stage, case
from benchmarks.chaos.look import events, nothing_left, nothing_lost
from benchmarks.chaos.place import Place, must
from swesearch.base import Event

PAGE = 4096
KNOWN = {"journal.sqlite": 2 * PAGE, "journal.sqlite-wal": 32}  # bytes at the beginning without which nothing can be read


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[None]:
    """A small disk of its own at `folder`."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "chaos", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on the disk of `folder`."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(PAGE)):
                pass
        except OSError:
            pass
    return filler


@case("home-full", "the disk that holds the runs fills up in the middle of a search", "root")
def home_full(stage: Stage) -> str:
    """The run stops with one line; with room again it goes on."""
    with stage.place() as made, mounted(made.home, "8m"):
        running = made.fix()
        running.until_nodes(4)
        filler = fill(made.home)
        running.ends(4)
        filler.unlink()
        made.resume().ends(0)
        stage.whole(made)
        return f"stopped with exit code 4 after {len(running.nodes)} states; with room again, resumed to the same result"


@case("home-full-at-once", "the disk that holds the runs is full from the beginning", "root", quick=False)
def home_full_at_once(stage: Stage) -> str:
    """One line and exit code 2 or 4: nothing was begun."""
    with stage.place() as made, mounted(made.home, "1m"):
        filler = fill(made.home)
        running = made.fix()
        running.ends(2, 4)
        filler.unlink()
        made.swesearch("runs")
        return f"one line, exit code {running.wait()}"


@case("tmp-full", "the disk for temporary files fills up in the middle of a search", "root", quick=False)
def tmp_full(stage: Stage) -> str:
    """No room is never a test result: it stops resumable, or needs no room there."""
    with stage.place() as made, mounted(made.tmp, "8m"):
        running = made.fix()
        running.until_nodes(4)
        filler = fill(made.tmp)
        running.ends(0, 4)
        code = running.wait()
        filler.unlink()
        if code:
            made.resume().ends(0)
        stage.whole(made)
        return f"exit code {code} after {len(running.nodes)} states{'; with room again, resumed' if code else ''} to the same result"


@case("home-read-only", "the disk that holds the runs fails in the middle of a search and cannot be written any more", "root", "mkfs.ext4")
def home_read_only(stage: Stage) -> str:
    """As with a full disk."""
    with stage.place() as made, _disk(made) as (mount, fail, repair):
        mount()
        running = made.fix()
        running.until_nodes(4)
        fail()
        running.ends(4)
        made.resume().ends(4)
        repair()
        made.resume().ends(0)
        stage.whole(made)
        return f"stopped with exit code 4 after {len(running.nodes)} states, resume too; repaired, it came to the same result"


@contextmanager
def _disk(made: Place) -> Iterator[tuple[Callable[[], object], Callable[[], object], Callable[[], object]]]:
    """An ext4 disk for the home: what mounts it, what makes the kernel give it up as after an error, what repairs it."""
    image, home = made.folder / "disk", str(made.home)

    def run(*words: str) -> None:
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)

    def mount() -> None:
        run("mount", "-o", "loop", str(image), home)
        (made.home / "lost+found").rmdir()

    def repair() -> None:
        run("umount", home)
        subprocess.run(["e2fsck", "-p", str(image)], check=False, stdout=subprocess.DEVNULL)  # 1 where it mended something
        run("mount", "-o", "loop", str(image), home)

    with image.open("wb") as file:
        file.truncate(48 << 20)
    run("mkfs.ext4", "-q", "-F", str(image))
    try:
        yield mount, lambda: run("mount", "-o", "remount,abort", home), repair
    finally:
        run("umount", "-l", home)


Damage = Callable[[int, random.Random], bytes]  # what comes in the place of so many bytes
DAMAGES: tuple[Damage, ...] = (lambda *_: b"", lambda count, _: bytes(count), lambda count, chance: chance.randbytes(count))


@case("journal-tail", "the journal's newest part (its WAL) is cut off, zeroed or overwritten with noise from a random place on")
def journal_tail(stage: Stage) -> str:
    """What is whole before that place is kept, and the run goes on from there."""
    damages: Sequence[Damage] = DAMAGES * (stage.rounds // 2) or [stage.chance.choice(DAMAGES)]
    found = [_damaged(stage, "journal.sqlite-wal", damage) for damage in damages]
    must(all(kept for _, kept in found), "nothing was kept")
    return _kept(found)


@case("journal-main", "the journal's main file is cut off, zeroed or overwritten with noise from a random place on", quick=False)
def journal_main(stage: Stage) -> str:
    """The same, as far as that can be: SQLite does not keep events in the order of time there."""
    return _kept([_damaged(stage, "journal.sqlite", damage) for _ in range(stage.rounds) for damage in DAMAGES])


def _kept(found: list[tuple[int, int]]) -> str:
    begun = sum(kept == 0 for _, kept in found)
    words = f"; the other {begun} were damaged from the beginning on, and ended with exit code 4 and one line" if begun else ""
    of, kept = sum(before for before, after in found if after), sum(after for _, after in found)
    return f"{len(found) - begun} of {len(found)} went on from the last whole event to the same result, with {kept} of {of} events{words}"


def _damaged(stage: Stage, name: str, damage: Damage) -> tuple[int, int]:
    """Damage one file of a run's journal and resume. Returns the number of events before, and how many of them were kept."""
    with stage.place() as made:
        running = made.fix()
        running.until_nodes(stage.chance.randint(5, 9))
        running.send(signal.SIGKILL)
        running.wait()
        before = _copied(made, name == "journal.sqlite")
        _spoil(made.run / name, stage.chance.uniform(0, 1), damage, stage.chance)
        running.events.clear()  # some of them are lost now, and that is no fault of ours
        again = made.resume()
        if again.wait() == 4:
            again.ends(4, line="damaged from its beginning on")
            return len(before), 0
        again.ends(0)
        stage.whole(made)
        after = events(made)
        return len(before), next((n for n, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), len(before))


def _spoil(file: Path, share: float, damage: Damage, chance: random.Random) -> None:
    data, known = file.read_bytes(), KNOWN[file.name]
    start = known + int(share * (len(data) - known - 1))
    file.write_bytes(data[:start] + damage(len(data) - start, chance))


def _copied(made: Place, checkpoint: bool) -> list[Event]:
    """The events before the damage; with all of them in the main file, if that is to be damaged."""
    import sqlite3
    from contextlib import closing

    if checkpoint:
        with closing(sqlite3.connect(made.run / "journal.sqlite")) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return events(made)
    files = {path.name: path.read_bytes() for path in made.run.glob("journal.sqlite*")}
    found = events(made)
    for name, data in files.items():  # a reader that is the last to close takes the WAL away
        (made.run / name).write_bytes(data)
    return found


@case("journal-head", "the journal's first page is overwritten with noise", quick=False)
def journal_head(stage: Stage) -> str:
    """Nothing can be read without it: that is said, and nothing is invented."""
    with stage.place() as made:
        running = made.fix()
        running.until_nodes(3)
        running.send(signal.SIGKILL)
        running.wait()
        (made.run / "journal.sqlite-wal").unlink()
        (made.run / "journal.sqlite").write_bytes(stage.chance.randbytes(5 * PAGE))
        made.resume().ends(4, line="damaged from its beginning on")
        nothing_left(made, sealed=False)
        return "resume ends with exit code 4 and one line; the run must be started again"


@case("read-only-repository", "the repository cannot be written, nor the folder it lies in", "root", quick=False)
def read_only_repository(stage: Stage) -> str:
    """Nothing is ever written there before `apply`."""
    with stage.place() as made, _bound_read_only(made.repo):
        made.fix().ends(0)
        nothing_lost(made)
        nothing_left(made)
        return "the run does not notice"


@contextmanager
def _bound_read_only(folder: Path) -> Iterator[None]:
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", os.fspath(folder)], check=True)
