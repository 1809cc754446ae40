"""Attacks on the next candidate: what is left behind, planted, or still running when a candidate's own run is over."""

from __future__ import annotations

from benchmarks.attack.base import NAMES, Attack
from benchmarks.attack.screen import STEERING

LOCAL = frozenset({"local"})
RIGHT = "def answer():\\n    return 42\\n"

RESIDUE = (
    Attack("hostile file names in the work tree", "names are data", files={name: "b = 1\n" for name in NAMES}),
    Attack(
        "terminal escapes in a failing test", "escapes are written out",
        body=f"""
        print({STEERING!r}, flush=True)
        raise AssertionError({STEERING!r})
        """,
    ),
    Attack(
        "files left everywhere", "every folder that can be written is wiped after a run",
        body="""
        for place in {".", "pkg/deep", os.environ["TMPDIR"], os.environ["HOME"], os.environ["HOME"] + "/.cache", <<shared>>}:
            os.makedirs(place, exist_ok=True)
            for name in (".hidden", "it's $(odd)\\n\\x1b[2J", "-rf", "*", "\\udcff", "n" * 250):
                open(os.path.join(place, name), "w").close()
        os.makedirs(".git/hooks"), os.makedirs("locked/in"), os.chmod("locked", 0)
        os.symlink("/etc/passwd", "link"), os.mkfifo("fifo"), os.chmod(".", 0o700)
        """,
    ),
    Attack(
        "start-up files for the next Python", "every folder that can be written is wiped after a run",
        body="""
        user = os.environ["HOME"] + "/.local/lib/python3.%d/site-packages" % sys.version_info[1]
        os.makedirs(user)
        for place in (".", user, os.environ["TMPDIR"]):
            for name in ("sitecustomize.py", "usercustomize.py", "pytest.py", "conftest.py", "now.pth"):
                with open(f"{place}/{name}", "w") as file: file.write("import os; os._exit(0)\\n")
        with open("pytest.ini", "w") as file: file.write("[pytest]\\naddopts = -k nothing\\n")
        """,
    ),
    Attack(
        "poisoned bytecode", "every folder that can be written is wiped after a run",
        body=f"""
        import importlib.util, marshal
        code = compile("{RIGHT}", os.path.abspath("deep.py"), "exec")
        for name in ("deep.py", "test_deep.py"):
            path = importlib.util.cache_from_source(name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
            with open(path, "wb") as file: file.write(head + marshal.dumps(code))
        """,
    ),
    Attack(
        "a deep tree", "wiping moves folders up before it removes them",
        body="""
        top = os.getcwd()
        for _ in range(1500):
            os.mkdir("d")
            os.chdir("d")
        os.chdir(top)
        """,
    ),
    Attack(
        "a link where the next candidate's file goes", "no link is followed, and nothing is read back from the box's files",
        body="""
        for name in ("deep.py", "test_deep.py"):
            os.remove(name)
            os.symlink("<<outside>>", name)
        """,
    ),
    Attack(
        "a FIFO where the next candidate's file goes", "nothing is read back from the box's files",
        body="""
        for name in ("deep.py", "test_deep.py", "report.xml"):
            if os.path.exists(name): os.remove(name)
            os.mkfifo(name)
        """,
    ),
    Attack(
        "a sparse file of a terabyte", "a limit on file size, and nothing is read back from the box's files",
        body="tried(('a terabyte', lambda: os.truncate('deep.py', 1 << 40)))\n",
    ),
    Attack(
        "a daemon that goes on rewriting the code", "everything is killed once the run has ended",
        body=f"""
        def rewrite():
            while True:
                for name in ("deep.py", "test_deep.py"):
                    with open(name, "w") as file: file.write("{RIGHT}")
        for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
        daemon(rewrite)
        """,
    ),
    Attack(
        "shared memory, semaphores and message queues", "kernel objects are removed after a run", spares=LOCAL,
        body="""
        libc.shmget(7, 4096, 0o1666), libc.msgget(7, 0o1666), libc.semget(7, 1, 0o1666), libc.mq_open(b"/q", 0o102, 0o600, None)
        """,
    ),
    Attack(
        "a git repository with hooks in the work tree", "host git never looks at a box's files",
        body="""
        os.makedirs(".git/hooks")
        for path, text in ((".git/HEAD", "ref: refs/heads/main"), (".git/config", "[core]\\nfsmonitor = touch <<outside>>\\n"),
                           (".gitattributes", "* filter=f"), (".gitmodules", "[submodule \\"x\\"]\\nupdate = !touch <<outside>>\\n")):
            with open(path, "w") as file: file.write(text)
        """,
    ),
)  # fmt: skip
