"""Anti-patterns: what patches that only please the tests look like. Each is penalised, none is forbidden.

A penalty is a log-odds: ln of how much oftener wrong patches show the pattern than right ones. For deletion, early exit and wholesale
replacement that was measured on template repairs of QuixBugs: 12 of 18 wrong patches, 41 of 135 right ones, so ln 2.2 = 0.8.
The others are guesses in proportion. After Tan et al., "Anti-patterns in search-based program repair" (2016).
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from swesearch.code.parse import PREDICATES
from swesearch.code.touched import UNREADABLE

MEASURED = 0.8
EXITS = (ast.Return, ast.Continue, ast.Break)
BROAD = {"Exception", "BaseException"}
USUAL = {0, 1, -1, 2, "", None}  # such values (True and False are 1 and 0) are compared with everywhere
ALIKE = 1 / 3  # a new expression that shares less than this with the old one was not edited but replaced
FEW = 3  # names and values in an expression too small to speak of its replacement


@dataclass(frozen=True)
class Change:
    """One Python file before and after, and the literals of the tests that failed."""

    before: ast.Module
    after: ast.Module
    literals: frozenset[object] = field(default_factory=frozenset)

    @cached_property
    def removed(self) -> Counter[str]:
        """Simple statements and headers that are there no more, with how often."""
        return _statements(self.before) - _statements(self.after)

    @cached_property
    def added(self) -> Counter[str]:
        """Simple statements and headers that are new."""
        return _statements(self.after) - _statements(self.before)

    def more(self, count: Callable[[ast.AST], int]) -> bool:
        """Whether there is more of something than there was."""
        return sum(map(count, ast.walk(self.after))) > sum(map(count, ast.walk(self.before)))


@dataclass(frozen=True, slots=True)
class Rule:
    """An anti-pattern: what it costs, what the user is told, and how it is found."""

    name: str
    penalty: float
    sentence: str
    found: Callable[[Change], bool]


def deletes_code(change: Change) -> bool:
    """Fewer statements than before."""
    return change.removed.total() > change.added.total()


def drops_a_call(change: Change) -> bool:
    """A call fewer of a function that the project defines."""
    return sum(map(_own_call, ast.walk(change.after))) < sum(map(_own_call, ast.walk(change.before)))


def leaves_early(change: Change) -> bool:
    """A return, continue or break more than before."""
    return change.more(lambda node: isinstance(node, EXITS))


def decides_in_advance(change: Change) -> bool:
    """A condition more that is always true or always false."""
    return change.more(lambda node: sum(map(_constant, _conditions(node))))


def special_cases_the_test(change: Change) -> bool:
    """A comparison more of something with a literal of the failing tests."""
    return change.more(lambda node: isinstance(node, ast.Compare) and _compares(node, change.literals))


def hard_codes_the_result(change: Change) -> bool:
    """A literal of the failing tests more that is returned as it stands."""
    return change.more(lambda node: isinstance(node, ast.Return) and _value(node.value) in change.literals - USUAL)


def swallows_errors(change: Change) -> bool:
    """A handler more that catches everything, or does nothing with what it caught."""
    return change.more(_swallows)


def replaces_wholesale(change: Change) -> bool:
    """A statement whose expression has next to nothing in common with the one it replaces."""
    pairs = zip(_values(change.before, change.removed), _values(change.after, change.added), strict=False)
    return any(_unlike(_leaves(old), _leaves(new)) for old, new in pairs)


RULES = (
    Rule("deletion", MEASURED, "removes code", deletes_code),
    Rule("dropped call", MEASURED, "no longer calls a function that it called", drops_a_call),
    Rule("early exit", MEASURED, "leaves a function or loop early where it did not before", leaves_early),
    Rule("constant condition", 1.0, "makes a condition always true or always false", decides_in_advance),
    Rule("special case", 2.0, "compares with a value that the failing test uses", special_cases_the_test),
    Rule("hard-coded result", 2.0, "returns a value that the failing test expects", hard_codes_the_result),
    Rule("swallowed error", 2.0, "catches an error and hides it", swallows_errors),
    Rule("wholesale replacement", MEASURED, "replaces a whole expression by an unlike one", replaces_wholesale),
)


def broken_rules(before: bytes, after: bytes, literals: frozenset[object] = frozenset()) -> tuple[Rule, ...]:
    """The rules that a change of one file goes against; none where either text is not Python that this interpreter can read."""
    try:
        change = Change(*_different(ast.parse(before), ast.parse(after)), literals)
    except UNREADABLE:
        return ()
    try:
        return tuple(rule for rule in RULES if rule.found(change))
    except RecursionError:
        return ()


def literals_of(source: bytes) -> frozenset[object]:
    """The numbers, strings and other plain values in a test's source; nothing where it cannot be read."""
    try:
        return frozenset(_value(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant | ast.UnaryOp)) - {...}
    except UNREADABLE:
        return frozenset()


def _own_call(node: ast.AST) -> bool:
    """A call by a plain name that is not built in."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not hasattr(builtins, node.func.id)


def _different(before: ast.Module, after: ast.Module) -> tuple[ast.Module, ast.Module]:
    """Both without the top-level statements that they share: files are long, changes short."""
    texts = [{ast.dump(node) for node in tree.body} for tree in (before, after)]
    shared = texts[0] & texts[1]
    old, new = ([node for node in tree.body if ast.dump(node) not in shared] for tree in (before, after))
    return ast.Module(old, []), ast.Module(new, [])


def _statements(tree: ast.Module) -> Counter[str]:
    return Counter(_header(node) for node in ast.walk(tree) if isinstance(node, ast.stmt | ast.ExceptHandler))


def _header(node: ast.AST) -> str:
    """A statement as text; of one that has a body, only its kind and head."""
    if not hasattr(node, "body"):
        return ast.unparse(node)
    heads = [ast.unparse(part) for _, part in ast.iter_fields(node) if isinstance(part, ast.AST)]
    return f"{type(node).__name__} {getattr(node, 'name', '')} {heads}"


def _conditions(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        yield node.test
        yield from node.test.values if isinstance(node.test, ast.BoolOp) else ()


def _constant(node: ast.expr) -> bool:
    """Whether an expression is the same whatever the program does."""
    match node:
        case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot()], comparators=[ast.Constant(value=None)]) if _is_truth(left):
            return True
    names = (ast.Name, ast.Call, ast.Attribute, ast.Await, ast.Yield, ast.YieldFrom)
    return not any(isinstance(part, names) for part in ast.walk(node))


def _is_truth(node: ast.expr) -> bool:
    """Whether an expression is True or False, whatever the program does."""
    match node:
        case ast.Compare() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in PREDICATES
    return False


def _compares(node: ast.Compare, literals: frozenset[object]) -> bool:
    operands = [node.left, *node.comparators]
    values = [item for operand in operands for item in (operand.elts if isinstance(operand, ast.List | ast.Tuple | ast.Set) else [operand])]
    named = any(isinstance(operand, ast.Name | ast.Attribute | ast.Subscript | ast.Call) for operand in operands)
    return named and any(_value(value) in literals - USUAL for value in values)


def _value(node: ast.AST | None) -> object:
    """The plain value that an expression stands for; an ellipsis for anything else."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        number = node.operand.value
        return -number if isinstance(number, int | float) else ...
    return node.value if isinstance(node, ast.Constant) else ...


def _swallows(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).endswith("suppress")
    if not isinstance(node, ast.ExceptHandler):
        return False
    broad = node.type is None or ast.unparse(node.type).split(".")[-1] in BROAD
    silent = all(isinstance(part, ast.Pass | ast.Continue | ast.Break) or _is_constant_return(part) for part in node.body)
    raises = any(isinstance(part, ast.Raise) for part in ast.walk(node))
    return silent or (broad and not raises)


def _is_constant_return(node: ast.stmt) -> bool:
    return isinstance(node, ast.Return) and (node.value is None or _constant(node.value))


def _values(tree: ast.Module, wanted: Counter[str]) -> Iterator[ast.expr]:
    """The expressions of the wanted statements, in order."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return | ast.Assign | ast.AugAssign | ast.Expr) and node.value is not None and wanted[_header(node)]:
            yield node.value


def _leaves(node: ast.expr) -> Counter[str]:
    return Counter(ast.dump(part) for part in ast.walk(node) if isinstance(part, ast.Name | ast.Constant | ast.operator | ast.cmpop))


def _unlike(old: Counter[str], new: Counter[str]) -> bool:
    most = max(old.total(), new.total())
    return most >= FEW and (old & new).total() < ALIKE * most
