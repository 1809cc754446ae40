"""Give live functions the code of a changed source file, where the change is inside function bodies and nothing else.

Every live function made from the old text must carry exactly the code that the old text compiles to: whatever an import hook, a
decorator or an assertion rewriter did to it shows here, and is refused. So is code that ran while the base was imported.
"""

import contextlib
import gc
import linecache
import os
import sys
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Set, Tuple

from swesearch_probe import failures  # type: ignore[import-not-found]
from swesearch_probe.bodies import Refused, Source, changes, compiled, header  # type: ignore[import-not-found]

MONITORING: Any = getattr(sys, "monitoring", None)  # Python 3.12 on
SHAPE = 0x20 | 0x80 | 0x100 | 0x200 | 0x04 | 0x08  # generator, coroutine, iterable coroutine, async generator, *args, **kwargs
REWRITERS = ("AssertionRewritingHook",)
Key = Any  # (file, first line, name) of a code object


def _nested(code: types.CodeType) -> List[types.CodeType]:
    return [const for const in code.co_consts if isinstance(const, types.CodeType)]


def _alike(old: types.CodeType, new: types.CodeType) -> bool:
    """Whether two code objects do the same by themselves, whatever is in the functions they make."""
    plain = [[(type(c), repr(c)) for c in code.co_consts if not isinstance(c, types.CodeType)] for code in (old, new)]
    names = [[c.co_name for c in _nested(code)] for code in (old, new)]
    fields = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags", "co_argcount", "co_kwonlyargcount")
    return plain[0] == plain[1] and names[0] == names[1] and all(getattr(old, f) == getattr(new, f) for f in fields)


def _pairs(old: types.CodeType, new: types.CodeType) -> Iterator[Tuple[types.CodeType, Optional[types.CodeType], bool]]:
    """(old code, new code, whether it changed by itself) for a function and all within it; no new code where there is none."""
    same = _alike(old, new)
    yield old, new, not same
    if same:
        for before, after in zip(_nested(old), _nested(new)):
            yield from _pairs(before, after)
    else:
        for before in _nested(old):
            yield from _gone(before)


def _gone(code: types.CodeType) -> Iterator[Tuple[types.CodeType, None, bool]]:
    yield code, None, True
    for inner in _nested(code):
        yield from _gone(inner)


def _key(code: types.CodeType) -> Key:
    return (code.co_filename, code.co_firstlineno, code.co_name)


def listing(root: str) -> Set[str]:
    """The absolute names of all files below `root`."""
    return {os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names}


def is_module(full: str, before: Set[str]) -> bool:
    """Whether a file is a plain module now, and was there `before`."""
    return full.endswith(".py") and full in before and os.path.isfile(full) and not os.path.islink(full)


class Watch:
    """Which functions run, while it is on."""

    def __init__(self) -> None:
        self.ran: Set[Key] = set()
        if MONITORING:
            events: Any = MONITORING
            events.use_tool_id(3, "swesearch")
            events.register_callback(3, events.events.PY_START, self._started)
            events.set_events(3, events.events.PY_START)
        else:
            sys.setprofile(self._called)

    def _started(self, code: types.CodeType, _: int) -> Any:
        self.ran.add(_key(code))
        return MONITORING.DISABLE

    def _called(self, frame: Any, event: str, _: Any) -> None:
        if event == "call":
            self.ran.add(_key(frame.f_code))

    def stop(self) -> None:
        """Look no more. Raises Refused where somebody else took our place."""
        if MONITORING:
            MONITORING.free_tool_id(3)
            return
        mine = getattr(sys.getprofile(), "__self__", None) is self
        sys.setprofile(None)
        if not mine:
            raise Refused("the base sets a profiler of its own while it is imported")


class Memory:
    """The base as it was loaded: sources, live functions, and what already ran."""

    def __init__(self) -> None:
        self._watch = Watch()
        self._texts: Dict[str, bytes] = {}
        self._parsed: Dict[str, Source] = {}
        self._alive: Dict[Key, List[Any]] = {}
        self._files: Set[str] = set()  # absolute names of files that code was loaded from
        self._rewritten: Set[str] = set()

    def freeze(self, root: str) -> None:
        """Remember what was loaded from the work tree below `root`. Raises Refused."""
        self._watch.stop()
        self.root = root
        for module in list(sys.modules.values()):
            self._remember(module)
        for thing in gc.get_objects():
            if type(thing) is types.FunctionType and failures.inside(thing.__code__.co_filename, root):
                self._alive.setdefault(_key(thing.__code__), []).append(thing)
                self._files.add(thing.__code__.co_filename)
        self._listing = listing(root)

    def _remember(self, module: Any) -> None:
        spec = getattr(module, "__spec__", None)
        name = getattr(spec, "origin", None) or getattr(module, "__file__", None)
        path = failures.inside(name, self.root) if isinstance(name, str) else ""
        if not path.endswith(".py"):
            return
        with open(self.root + path, "rb") as file:
            self._texts[path] = file.read()
        self._files.add(str(name))
        if type(getattr(spec, "loader", None)).__name__ in REWRITERS:
            self._rewritten.add(path)

    def prepare(self, paths: str) -> None:
        """Parse files of the base ahead: a candidate changed them, others will."""
        for path in paths.split("\n"):
            if path in self._texts and path not in self._parsed:
                with contextlib.suppress(Refused):  # it will be refused again
                    self._parsed[path] = Source(self._texts[path])

    def swap(self, changed: List[str], hint: Callable[[str], None]) -> None:
        """Make the loaded base what the work tree is now. Raises Refused before anything was changed."""
        plan: List[Tuple[Any, types.CodeType]] = []
        shifts = {}
        hint("\n".join(path for path in changed if path in self._texts and path not in self._parsed))
        for path in changed:
            data = self._now(path)
            if path in self._texts and data != self._texts[path]:
                shifts[path] = self._plan(path, data, plan)
        for function, code in plan:
            function.__code__ = code
        for path, shift in shifts.items():
            failures.SHIFTS[path] = shift
            linecache.cache.pop(self.root + path, None)

    def _now(self, path: str) -> bytes:
        """The text of a changed file. Raises Refused where it is not a module whose change we can judge."""
        full = self.root + path
        if not is_module(full, self._listing):
            raise Refused(path + " is more than a change to a module")
        with open(full, "rb") as file:
            data = file.read()
        if data != self._texts.get(path) and (path in self._rewritten or (path not in self._texts and full in self._files)):
            raise Refused(path + " was loaded in a way of its own")
        return data

    def _plan(self, path: str, data: bytes, plan: List[Tuple[Any, types.CodeType]]) -> Any:
        if path not in self._parsed:
            self._parsed[path] = Source(self._texts[path])
        old = self._parsed[path]
        made: Dict[int, Any] = {}
        moved: List[Tuple[int, int]] = []
        filename = self._filename(path)
        for function, before, after in changes(old, data):
            node, was = compiled(before, function, old, filename, 0)
            fresh, now = compiled(after, function, old, filename, sum(by for _, by in moved))
            if header(node) != header(fresh) or getattr(node, "type_params", None):
                raise Refused(f"the signature of {function.name} changed")
            self._match(was, now, plan, made)
            moved.append((function.end, len(after) - len(before)))
        return lambda line, code: line if id(code) in made else line + sum(by for end, by in moved if line > end)

    def _filename(self, path: str) -> str:
        """The name that the code of a module carries."""
        full = self.root + path
        return full if full in self._files else next((f for f in self._files if failures.inside(f, self.root) == path), full)

    def _match(self, was: types.CodeType, now: types.CodeType, plan: List[Tuple[Any, types.CodeType]], made: Dict[int, Any]) -> None:
        """Plan new code for every live function made from `was` or from a function within it."""
        if not self._alive.get(_key(was)):
            raise Refused(f"no live function is {was.co_name}")
        known: Dict[types.CodeType, Any] = {}
        for old, new, changed in _pairs(was, now):
            if changed and _key(old) in self._watch.ran:
                raise Refused(f"{old.co_name} ran while the base was loaded")
            if new is not None and changed and (old.co_freevars != new.co_freevars or (old.co_flags ^ new.co_flags) & SHAPE):
                raise Refused(f"{old.co_name} closes over other variables, or is another kind of function")
            if known.setdefault(old, new) is not new:
                raise Refused("two functions on one line")
            made[id(new)] = new
        for key in {_key(old) for old in known}:
            for function in self._alive.get(key, ()):
                if known.get(function.__code__) is None:
                    raise Refused(f"{function.__name__} does not carry the code of its source")
                plan.append((function, known[function.__code__]))
