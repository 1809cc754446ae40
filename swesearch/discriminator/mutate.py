"""Tests with other inputs, whose behaviour is observed instead of judged.

In a copy of the failing tests' file, one call at a time is made with other arguments (numbers nudged, zeroed and negated, strings and
lists emptied, doubled, reversed and shortened, and so on inside lists and dictionaries), and every assertion says what it would
have compared. Each such test fails with a message that begins with "observed:": two candidates with the same messages behave alike.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from sandbox.base import TestOutcome
from swesearch.code.touched import UNREADABLE

MARK = "observed: "
SUFFIX = re.compile(r"__\d+_\d+(?=\[|$)")
NOT_OURS = frozenset({"pytest", "unittest", "mock", "monkeypatch"})
OF_TESTS = re.compile(r"self\.(assert|fail|skip|subTest|add)\w*|_swe\w+")
KEPT = ("assertRaises", "assertWarns", "assertLogs", "assertNoLogs")

Test = ast.FunctionDef


def observing(source: bytes, tests: Collection[str], variants: int = 24) -> bytes | None:
    """A test file that observes at most `variants` changes of each of `tests` and runs no other test.

    `tests` are names as in pytest's ids, behind the file: "test_x", "TestX::test_y[1]". None where there is no call to change.
    """
    try:
        module = ast.parse(source)
    except UNREADABLE:
        return None
    wanted = {test.split("[")[0] for test in tests}
    found = list(_tests(module))
    chosen = [(where, test, _observe(test)) for where, test in found if "::".join(filter(None, (where, test.name))) in wanted]
    plan = [(where, test.name, list(range(min(sites, variants))), max(1, variants // sites)) for where, test, sites in chosen if sites]
    if not plan:
        return None
    planned = {(where, name) for where, name, *_ in plan}
    others = [(where, test.name) for where, test in found if (where, test.name) not in planned]
    return _with_observer(module, plan, others)


def behaviour(outcomes: Iterable[TestOutcome]) -> dict[str, str]:
    """What each changed test showed, by its id. Changes that a test has no place for are left out."""
    shown = ((outcome, outcome.message.partition(MARK)) for outcome in outcomes if SUFFIX.search(outcome.id))
    return {
        outcome.id: found if mark else f"{outcome.outcome} {outcome.error}".strip()
        for outcome, (_, mark, found) in shown
        if mark or outcome.outcome not in ("skipped", "passed")
    }


def original(test: str) -> str:
    """The id of the test that a changed one was made from."""
    return SUFFIX.sub("", test)


def _tests(module: ast.Module) -> Iterator[tuple[str, Test]]:
    """The tests of a file, with the name of their class."""
    for node in module.body:
        inside = [(node.name, part) for part in node.body] if isinstance(node, ast.ClassDef) else [("", node)]
        yield from ((where, part) for where, part in inside if isinstance(part, ast.FunctionDef) and part.name.startswith("test"))


def _observe(test: Test) -> int:
    """Rewrite a test's body. Returns how many calls in it can be changed."""
    rewriter = _Rewriter()
    test.body = [rewriter.visit(node) for node in test.body]
    return rewriter.sites


class _Rewriter(ast.NodeTransformer):
    """Calls become calls through the observer, assertions become observations."""

    def __init__(self) -> None:
        self.sites = 0

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        test = node.test
        values = [test.left, *test.comparators] if isinstance(test, ast.Compare) else [test]
        return ast.Expr(_call("_swe_assert", [self.visit(value) for value in values]))

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        call = node.value
        if isinstance(call, ast.Call) and _is_assertion(call.func):
            node.value = _call("_swe_assert", [self.visit(value) for value in call.args])
            return node
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if not (node.args or node.keywords) or _is_not_ours(node.func):
            return node
        name = ast.unparse(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else "call"
        changed = _call("_swe_call", [ast.Constant(self.sites), ast.Constant(name), node.func, *node.args], node.keywords)
        self.sites += 1
        return changed


def _call(name: str, arguments: list[ast.expr], keywords: list[ast.keyword] | None = None) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), arguments, keywords or [])


def _is_assertion(function: ast.expr) -> bool:
    """self.assertEqual and its like; what they do with a callable or a mock's own assertions stay as they are."""
    name = function.attr if isinstance(function, ast.Attribute) else ""
    return re.match(r"assert[A-Z]", name) is not None and not name.startswith(KEPT)


def _is_not_ours(function: ast.expr) -> bool:
    """Whether a call is certainly not of the code under test."""
    root = function
    while isinstance(root, ast.Attribute):
        root = root.value
    name = root.id if isinstance(root, ast.Name) else ""
    built_in = root is function and hasattr(builtins, name)
    return name in NOT_OURS or built_in or OF_TESTS.fullmatch(ast.unparse(function)) is not None


def _with_observer(module: ast.Module, plan: list[tuple[str, str, list[int], int]], others: list[tuple[str, str]]) -> bytes:
    """The whole file: the observer after what must come first, the arrangement of the tests at the end."""
    heads = [n for n, node in enumerate(module.body) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    first = max(heads, default=0 if ast.get_docstring(module) is not None else -1) + 1
    observer = Path(__file__).with_name("observer.py").read_bytes().decode()
    classes = dict.fromkeys([*(where for where, *_ in plan), *(where for where, _ in others)])
    places = "{" + ", ".join(f"{where!r}: {where or 'globals()'}" for where in classes) + "}"
    head, rest = ast.Module(module.body[:first], []), ast.Module(module.body[first:], [])
    parts = [_text(head), observer, _text(rest), f"_swe_arrange({places}, {plan!r}, {others!r})\n"]
    return "\n".join(parts).encode("utf-8", "surrogatepass")


def _text(module: ast.Module) -> str:
    return ast.unparse(ast.fix_missing_locations(module))
