"""What a template may know of the place it mends, and how it says what to put there."""

from __future__ import annotations

import builtins
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tree_sitter import Node

from sandbox.base import Kind
from swesearch.agents.templates import forms
from swesearch.agents.templates.draft import Draft
from swesearch.agents.templates.scope import Idiom, Role, Scope, Signature, identifiers, likeness, module_scope, scope_of, signatures
from swesearch.agents.templates.source import File, Unit
from swesearch.code.localise import Localisation

WEIGHTS: dict[Role, float] = {
    "parameter": 1.0, "local": 1.0, "outer": 0.4, "constant": 0.15, "function": 0.08, "import": 0.06, "class": 0.05, "builtin": 0.05,
}  # fmt: skip
UNSEEN = frozenset({"__file__", "__class__", "unicode", "basestring", "xrange", "long", "unichr", "reduce", "raw_input"})
KEYWORDS = frozenset(
    {b"if", b"in", b"and", b"or", b"not", b"return", b"elif", b"while", b"yield", b"print", b"def", b"class", b"for", b"is"}
)
NUMBERS = frozenset({"int", "float", "bool", "complex", "Decimal", "Fraction"})
SEQUENCES = frozenset({"list", "tuple", "deque"})
GROUPS = (NUMBERS, SEQUENCES, frozenset({"dict", "OrderedDict", "defaultdict"}), frozenset({"set", "frozenset"}))


@dataclass(frozen=True, slots=True)
class Name:
    """A name that can be used at a place, with how likely it is to be wanted there."""

    text: str
    role: Role
    weight: float


class Surroundings:
    """What all places of one file share: scopes, signatures, words. Computed when first asked for."""

    def __init__(self, file: File, localisation: Localisation, neighbours: Callable[[], Iterable[File]] = tuple) -> None:
        self.file, self.localisation, self.neighbours = file, localisation, neighbours
        self._scopes: dict[int, Scope] = {}
        self._kinds: dict[tuple[int, int], dict[str, tuple[Kind, ...]]] = {}

    def scope(self, function: Node | None) -> Scope:
        """The scope of a function, or of the module."""
        if function is None:
            return self.module
        if function.id not in self._scopes:
            self._scopes[function.id] = scope_of(self.file, function)
        return self._scopes[function.id]

    @cached_property
    def module(self) -> Scope:
        """The scope of the module."""
        return module_scope(self.file)

    @cached_property
    def signatures(self) -> dict[str, list[Signature]]:
        """What can be called, by bare name: functions of this file, then of the files it imports."""
        found = signatures(self.file)
        for other in self.neighbours():
            for name, known in signatures(other).items():
                found.setdefault(name, known)
        return found

    @cached_property
    def known(self) -> frozenset[str]:
        """The names that need no local binding: builtins, and what the module binds."""
        return frozenset(dir(builtins)) | frozenset(self.module.names) | UNSEEN

    @cached_property
    def members(self) -> dict[str, set[str]]:
        """The attributes that the file takes of each dotted name."""
        found: dict[str, set[str]] = {}
        for chain in {m.decode() for m in re.findall(rb"(?<![\w.])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", self.file.data)}:
            parts = chain.split(".")
            for end in range(1, len(parts)):
                found.setdefault(".".join(parts[:end]), set()).add(parts[end])
        return found

    @cached_property
    def quoted(self) -> frozenset[str]:
        """The words that stand in quotes in the file."""
        return frozenset(m.decode() for m in re.findall(rb"['\"]([A-Za-z_]\w*)['\"]", self.file.data))

    @cached_property
    def fallbacks(self) -> dict[str, set[str]]:
        """What the file gives as default to `.get`, by key."""
        found: dict[str, set[str]] = {}
        for key, value in re.findall(r"\.get\(([^(),]{1,40})(, ?[^()]{1,20})\)", self.file.slice(0, len(self.file.data))):
            found.setdefault(key, set()).add(value)
        return found

    @cached_property
    def words(self) -> frozenset[str]:
        """All identifiers of the file."""
        return frozenset(m.decode() for m in re.findall(rb"[A-Za-z_]\w*", self.file.data))

    @cached_property
    def called(self) -> Counter[str]:
        """How often each function is called in the file, by its dotted name."""
        found = re.findall(rb"(?<![\w.])([A-Za-z_][\w.]*)\(", self.file.data)
        return Counter(m.decode() for m in found if m not in KEYWORDS)

    @cached_property
    def attributes(self) -> Counter[str]:
        """How often each attribute name is used in the file."""
        return Counter(m.decode() for m in re.findall(rb"\.([A-Za-z_]\w*)", self.file.data))

    @cached_property
    def keywords(self) -> Counter[tuple[str, str]]:
        """How often each keyword argument with a short value is used in the file."""
        found = re.findall(rb"[(,]\s*([a-z_]\w*)=([\w.'\"-]+)(?=[,)])", self.file.data)
        return Counter((k.decode(), v.decode("utf-8", "surrogateescape")) for k, v in found)

    def kinds(self, first: int, last: int) -> dict[str, tuple[Kind, ...]]:
        """The runtime types seen on some lines, by expression."""
        if (first, last) not in self._kinds:
            merged: dict[str, tuple[Kind, ...]] = {}
            for line in range(first, last + 1):
                for text, kinds in self.localisation.types.get(f"{self.file.path}:{line}", {}).items():
                    merged[text] = tuple(dict.fromkeys((*merged.get(text, ()), *kinds)))
            self._kinds[first, last] = merged
        return self._kinds[first, last]


class Context:
    """One place: a unit in its file."""

    def __init__(self, around: Surroundings, unit: Unit) -> None:
        self.around, self.unit = around, unit
        self.file, self.localisation = around.file, around.localisation
        self.text = self.file.text
        self._names: dict[tuple[str, ...], list[Name]] = {}

    # What to put where

    def put(self, node: Node, after: str, weight: float = 1.0, why: str = "") -> Draft:
        """Put `after` in place of a node."""
        return Draft(node.start_byte, node.end_byte, after, weight, why or f"put {_short(after)} for {_short(self.text(node))}")

    def fit(self, node: Node, after: str, level: int, weight: float = 1.0, why: str = "") -> Draft:
        """Put an expression of some precedence in place of a node, in brackets where it needs them."""
        return self.put(node, forms.bracketed(after, level, forms.room(node, self.unit.parent(node))), weight, why)

    def operand(self, node: Node, level: int) -> str:
        """The text of a node, in brackets where an operator of that level needs them."""
        return forms.bracketed(self.text(node), forms.level(node), level)

    def before(self, statement: str, weight: float, why: str) -> Draft:
        """Put a statement on a line of its own before the unit. Lines of `statement` are indented as the unit is."""
        at = self.anchor.start_byte
        return Draft(at, at, self.lines(statement) + self.file.newline + self.indent, weight, why)

    def after(self, statement: str, weight: float, why: str) -> Draft:
        """Put a statement on a line of its own after the unit's whole statement."""
        at = self.anchor.end_byte
        return Draft(at, at, self.file.newline + self.indent + self.lines(statement), weight, why)

    def lines(self, statement: str) -> str:
        """A statement of several lines, written with \\n and four spaces, in the file's line ends and at the unit's depth."""
        return statement.replace("    ", self.step).replace("\n", self.file.newline + self.indent)

    @cached_property
    def anchor(self) -> Node:
        """The statement that the unit belongs to: for an elif or except clause the whole if or try."""
        node = self.unit.node
        for above in reversed(self.unit.above):
            if above.type in {"block", "module"}:
                break
            node = above
        return node

    @cached_property
    def indent(self) -> str:
        """The white space before the statement."""
        return self.file.indent(self.anchor)

    @cached_property
    def step(self) -> str:
        """One step of indentation, as the file has it."""
        found = re.search(rb"\n([ \t]+)\S", self.file.data)
        text = found.group(1).decode() if found else "    "
        return "\t" if "\t" in text else " " * min(len(text), 4)

    def performed(self, node: Node) -> bool:
        """Whether a node is a statement by itself, so that its value does not matter."""
        parent = self.unit.parent(node)
        return parent is not None and parent.type == "expression_statement"

    # What to make it from

    @cached_property
    def scope(self) -> Scope:
        """The scope of the function around the unit."""
        return self.around.scope(self.unit.function)

    def names(self, node: Node | None = None) -> list[Name]:
        """The names that can be used at a node, those of comprehensions around it included."""
        inner = tuple(self._comprehension_names(node))
        if inner not in self._names:
            self._names[inner] = list(self._visible(inner))
        return self._names[inner]

    def _visible(self, inner: Sequence[str]) -> Iterator[Name]:
        found: dict[str, Role] = dict.fromkeys(inner, "local")
        found |= {k: r for k, r in self.scope.names.items() if k not in found and k not in {"self", "cls"}}
        for function in reversed([n for n in self.unit.above if n.type == "function_definition" and n != self.unit.function]):
            found |= {k: "outer" for k in self.around.scope(function).names if k not in found and k != "self"}
        found |= {k: r for k, r in self.around.module.names.items() if k not in found}
        return (Name(text, role, WEIGHTS[role]) for text, role in found.items())

    def locals(self, node: Node | None = None) -> list[Name]:
        """The parameters and local variables that can be used at a node."""
        return [n for n in self.names(node) if n.role in {"parameter", "local", "outer"}]

    def _comprehension_names(self, node: Node | None) -> Iterator[str]:
        for above in self.unit.around(node) if node is not None else ():
            for clause in above.named_children if "comprehension" in above.type or above.type == "generator_expression" else ():
                target = clause.child_by_field_name("left") if clause.type == "for_in_clause" else None
                yield from (self.text(n) for n in identifiers(target)) if target is not None else ()

    @cached_property
    def fields(self) -> list[str]:
        """The attributes of `self` in the class around the unit, the most used first."""
        if self.unit.owner is None or "self" not in self.scope.names:
            return []
        found = re.findall(rb"\bself\.([A-Za-z_]\w*)", self.unit.owner.text or b"")
        return ["self." + name.decode() for name, _ in Counter(found).most_common()]

    @cached_property
    def idioms(self) -> list[Idiom]:
        """The expressions that the function already uses, those near the unit first."""
        at = self.unit.node.start_byte
        return sorted(self.scope.idioms.values(), key=lambda i: abs(i.start - at))

    @cached_property
    def used(self) -> frozenset[str]:
        """The identifiers that stand in the unit."""
        return frozenset(self.text(n) for n in self.unit.nodes if n.type == "identifier")

    def doubt(self, node: Node) -> float:
        """How suspicious a node is among those of its unit: more where it is a name that nothing binds, or that the error mentions."""
        if node.type not in {"identifier", "attribute", "keyword_argument", "call"}:
            return 1.0
        text = self.text(node)
        last = text.split("(")[0].split("=")[0].rsplit(".", 1)[-1]
        if node.type == "identifier" and text not in self.around.known and not self.bound(node):
            return 6.0
        return 2.5 if last in self.localisation.names else 1.0

    def bound(self, node: Node) -> bool:
        """Whether something around binds the name that a node is."""
        text = self.text(node)
        return text in self.scope.names or text in {"self", "cls"} or any(name.text == text for name in self.names(node))

    @cached_property
    def seen(self) -> dict[str, tuple[Kind, ...]]:
        """Runtime types by expression: those seen on the unit's lines, then elsewhere in the function."""
        first, last = self.unit.node.start_point.row + 1, self.unit.node.end_point.row + 1
        function = self.unit.function
        wide = self.around.kinds(function.start_point.row + 1, function.end_point.row + 1) if function is not None else {}
        return wide | self.around.kinds(first, min(last, first + 20))

    def kinds(self, text: str) -> frozenset[str]:
        """The names of the runtime types seen for an expression; empty where none was seen."""
        return frozenset(k.name for k in self.seen.get(text, ()))

    def agree(self, old: str, new: str) -> float:
        """How well two expressions go together by their runtime types: 1 where one is unknown, little where they differ."""
        if not self.seen:
            return 1.0
        a, b = self.kinds(old), self.kinds(new)
        if not a or not b or "NoneType" in a | b:
            return 1.0
        together = any(a & g and b & g for g in GROUPS) or a & b
        return 1.5 if together else 0.2

    def alike(self, old: str, new: str) -> float:
        """How likely it is that `new` was meant where `old` stands, by name."""
        return 1.0 + 4.0 * likeness(old, new)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:37] + "..."
