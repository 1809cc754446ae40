"""The words of the attack suite: what an attack is, and what came of one."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

BREACH = "BREACH: "
WRONG = "def answer():\n    return 41\n"
PROJECT: Mapping[str, str] = {
    "deep.py": WRONG,
    "pytest.ini": "[pytest]\n",
    "conftest.py": "",
    "test_deep.py": "from deep import answer\n\n\ndef test_answer():\n    assert answer() == 42\n\n\n"
    "def test_other():\n    assert answer()\n",
}
FAILS, PASSES = "test_deep.py::test_answer", "test_deep.py::test_other"
NAMES = (  # of files: commands, options, escapes, no text at all
    "-rf.py", "--config=x.py", "$(touch marker).py", "`touch marker`.py", "; touch marker;.py", "a\nb.py", "\x1b]0;owned\x07\x1b[2J.py",
    "\u202egnp.exe.py", "'\".py", "*?[x].py", " lead.py", "tab\t.py", "\udcff\udcfe.py", "n" * 252 + ".py", "CON.py", "%s%n{0}.py",
    "<script>.py", "[bold]x[/bold].py",
)  # fmt: skip

# What every payload begins with: it turns the runner's alarms off, and has words for what it found.
HEAD = """\
import ctypes, errno, os, resource, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL): signal.setitimer(timer, 0)
def breach(words): raise AssertionError("BREACH: " + words)
def held(words): raise AssertionError("held: " + words)
def calling(name, *arguments):
    def go():
        ctypes.set_errno(0)
        if getattr(libc, name)(*arguments) < 0: raise OSError(ctypes.get_errno(), "")
    return go
def tried(*calls):
    seen = []
    for what, call in calls:
        try: call()
        except OSError as error: seen.append(errno.errorcode.get(error.errno, "no answer"))
        else: breach(what)
    held(", ".join(sorted(set(seen))))
def daemon(work):
    if os.fork(): return
    os.setsid()
    if os.fork() == 0:
        libc.prctl(15, b"attacker", 0, 0, 0)
        work()
    os._exit(0)
"""


@dataclass(frozen=True, slots=True)
class Attack:
    """A hostile candidate: the body of the function under test, or whole files. `<<words>>` in either are filled in when it runs."""

    name: str
    by: str  # what is to stop it
    body: str = ""
    files: Mapping[str, str | None] = field(default_factory=dict)  # None: deleted
    spares: frozenset[str] = frozenset()  # sandboxes in which it is not run, as it would reach this machine
    slow: bool = False  # left out of the quick form
    quickest: float = 0.0  # seconds of work; an evaluation that says it took less was lied to

    def patch(self, words: Mapping[str, str]) -> Mapping[str, str | None]:
        """The files as the candidate leaves them."""
        files = dict(self.files)
        if self.body:
            files["deep.py"] = "def answer():\n" + textwrap.indent(HEAD + textwrap.dedent(self.body), "    ") + "    return 41\n"
        return {path: text if text is None else _filled(text, words) for path, text in files.items()}


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one attack in one place."""

    place: str  # the sandbox, "host" or "model"
    attack: str
    by: str
    stopped: bool
    promised: bool  # whether it is said to be stopped there
    verdict: str  # what the evaluation ended as
    seen: str = ""
    problem: str = ""  # what else is wrong: a false verdict, a next candidate that was affected, something left behind
    seconds: float = 0.0
    run: bool = True  # False: spared

    @property
    def as_promised(self) -> bool:
        """Whether this is what the documents say, no better and no worse."""
        return self.stopped == self.promised and not self.problem


def _filled(text: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        text = text.replace(f"<<{name}>>", value)
    return text
