"""The runtime type profile: which types variables and attributes have at chosen lines, found without running anybody's code.

No property is read, no `repr`, `dir` or `getattr` of a user's object is called: only the dictionaries behind them are looked at.
"""

import ast
import types
from typing import Any, Callable, Dict, Iterator, List, Set, Tuple

from swesearch_probe.failures import inside  # type: ignore[import-not-found]
from swesearch_probe.tracing import Seen  # type: ignore[import-not-found]

MOST_ATTRIBUTES = 200
MOST_KINDS = 4  # per expression and line
MOST_VISITS = 50  # per line
MOST_NAMES = 60  # variables, and attributes of `self`, per visit
LONGEST = 80
PLAIN = (str, int, float, bool, bytes, type(None))
MISSING = object()
slot_of = types.MemberDescriptorType.__get__


def _own(thing: Any) -> Dict[str, Any]:
    """The dictionary of an object, {} where it has none or hides it."""
    if type(thing) is types.ModuleType:
        return thing.__dict__
    slot = _dict_slot(type(thing))
    found = slot.__get__(thing) if slot is not None else None
    return found if type(found) is dict else {}


def _dict_slot(kind: type) -> Any:
    """The descriptor through which the instances of a class keep their dictionary, None where it is not Python's own."""
    for base in type.__dict__["__mro__"].__get__(kind):
        slot = type.__dict__["__dict__"].__get__(base).get("__dict__")
        if slot is not None:
            return slot if type(slot) is types.GetSetDescriptorType else None
    return None


def _value(thing: Any, name: str) -> Any:
    """`thing.name` where that is plain data or a function, else MISSING."""
    found = _own(thing).get(name, MISSING)
    if found is MISSING:
        kind = thing if isinstance(thing, type) else type(thing)
        for base in type.__dict__["__mro__"].__get__(kind):
            found = type.__dict__["__dict__"].__get__(base).get(name, MISSING)
            if found is not MISSING:
                break
    if type(found) is types.MemberDescriptorType and not isinstance(thing, type):
        try:
            return slot_of(found, thing)
        except AttributeError:
            return MISSING
    return MISSING if isinstance(found, (property, types.GetSetDescriptorType)) else found


def _called(value: Any) -> str:
    return "()" if isinstance(value, (staticmethod, classmethod)) or callable(value) else ""


def _attributes(thing: Any) -> List[str]:
    """Public attribute names, those of the object itself first."""
    found = {}
    bases = type.__dict__["__mro__"].__get__(thing if isinstance(thing, type) else type(thing))
    for table in [_own(thing)] + [type.__dict__["__dict__"].__get__(base) for base in bases]:
        for name, value in list(table.items()):
            if isinstance(name, str) and name[:1] != "_" and name not in found:
                found[name] = name + _called(value)
    return list(found.values())[:MOST_ATTRIBUTES]


def sample(value: Any, depth: int = 2) -> str:
    """A short `repr` of plain data, "" of anything else."""
    kind = type(value)
    if kind is int and not -(1 << 64) < value < 1 << 64:
        return ""
    if kind in (str, bytes):
        return repr(value[:LONGEST])[:LONGEST]
    if kind in PLAIN:
        return repr(value)
    if depth and kind in (list, tuple, set, dict) and len(value) <= 8:
        parts = list(value.items() if kind is dict else value)
        if all(sample(part, depth - (kind is not dict)) for part in (list(value) + list(value.values()) if kind is dict else parts)):
            return repr(value)[:LONGEST]
    return ""


def _written(source: str) -> Dict[int, Set[Any]]:
    """Line -> what is written there: `name` as (name, ""), `name.attribute` as (name, attribute)."""
    found: Dict[int, Set[Any]] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name):
            found.setdefault(node.lineno, set()).add((node.id, ""))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.setdefault(node.lineno, set()).add((node.value.id, node.attr))
    return found


class Types:
    """Tells each type that an expression has at a line of `focus` (path -> lines; none: all), and where tests fail."""

    def __init__(self, focus: Dict[str, List[int]], send: Callable[..., None], root: str) -> None:
        self._send, self._root = send, root
        self._focus = {path: frozenset(lines) for path, lines in focus.items()}
        self._texts: Dict[str, Dict[int, Set[Any]]] = {}
        self._visits: Dict[Any, int] = {}
        self._told: Dict[Any, Set[int]] = {}
        self._kinds: Dict[Any, int] = {}
        self._seen = Seen(root, self._focus.get, self._visit)

    def start(self, _: str) -> None:
        """A test begins."""
        self._seen.start()

    def stop(self) -> None:
        """It has ended."""
        self._seen.stop()

    def caught(self, error: BaseException) -> None:
        """What the variables were where an exception passed."""
        trace = error.__traceback__
        while trace is not None:
            path = inside(trace.tb_frame.f_code.co_filename, self._root)
            if path:
                self._look(path, trace.tb_lineno, trace.tb_frame)
            trace = trace.tb_next

    def _visit(self, path: str, line: int, frame: Any) -> bool:
        count = self._visits[path, line] = self._visits.get((path, line), 0) + 1
        if count <= MOST_VISITS:
            self._look(path, line, frame)
        return count >= MOST_VISITS

    def _look(self, path: str, line: int, frame: Any) -> None:
        at = path + ":" + str(line)
        for text, value in self._expressions(path, line, frame):
            told = self._told.setdefault((at, text), set())
            if len(told) < MOST_KINDS:
                number = self._kind(value)
                if number not in told:
                    told.add(number)
                    self._send("types", at=at, text=text, number=number, sample=sample(value))

    def _expressions(self, path: str, line: int, frame: Any) -> Iterator[Tuple[str, Any]]:
        local, outer = frame.f_locals, frame.f_globals
        for name in list(local)[:MOST_NAMES]:
            if name[:1] not in ("@", "."):  # what pytest and comprehensions keep there
                yield name, local[name]
        if "self" in local:
            for name, value in list(_own(local["self"]).items())[:MOST_NAMES]:
                yield "self." + str(name), value
        for name, attribute in self._on(path).get(line, ()):
            value = local.get(name, MISSING) if name in local else outer.get(name, MISSING)
            if value is not MISSING and attribute:
                value = _value(value, attribute)
            if value is not MISSING and (attribute or name not in local):
                yield name + ("." + attribute if attribute else ""), value

    def _on(self, path: str) -> Dict[int, Set[Any]]:
        if path not in self._texts:
            try:
                with open(self._root + path, encoding="utf-8") as file:
                    self._texts[path] = _written(file.read())
            except (OSError, ValueError, SyntaxError):
                self._texts[path] = {}
        return self._texts[path]

    def _kind(self, value: Any) -> int:
        name = ("type[" + value.__name__ + "]") if isinstance(value, type) else type(value).__name__
        attributes = _attributes(value)
        key = (name, tuple(attributes))
        if key not in self._kinds:
            self._kinds[key] = len(self._kinds)
            self._send("kind", number=self._kinds[key], name=name, attributes=attributes)
        return self._kinds[key]
