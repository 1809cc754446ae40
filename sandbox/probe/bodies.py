"""Which function bodies of a module differ between two texts of it, and the code of each, compiled alone.

The text outside the outermost functions must be the same, character by character. A function is compiled in a scaffold of its
classes, so that its code is what it would be in the whole file: parsing a large module takes longer than a small test.
"""

import __future__

import ast
import sys
import types
from typing import Any, Iterator, List, Set, Tuple

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
BLOCKS = ("body", "handlers", "orelse", "finalbody")


class Refused(Exception):
    """This change cannot be swapped in. Nothing was changed."""


class Function:
    """An outermost function of a source file: its lines and what it stands in."""

    def __init__(self, node: Any, inside: Tuple[Any, ...], until: int) -> None:
        self.name = node.name
        self.inside = inside  # class and block statements, outermost first
        self.start = _start(node)
        self.end = getattr(node, "end_lineno", until)  # Python 3.8 on

    def where(self) -> Tuple[Any, ...]:
        """What must be the same in the old and the new file."""
        return (self.name, *(getattr(node, "name", "") for node in self.inside))


class Source:
    """A module's text, parsed into its outermost functions."""

    def __init__(self, data: bytes) -> None:
        try:
            text = data.decode("utf-8-sig").replace("\r\n", "\n")
            tree = ast.parse(text)
        except (SyntaxError, ValueError) as error:
            raise Refused("cannot be parsed: " + str(error)) from error
        if "\r" in text or "\f" in text:
            raise Refused("odd line ends")
        self.lines = text.split("\n")
        self.functions = list(_outermost(tree.body, (), len(self.lines)))
        self.flags = 0
        self.imported: Set[str] = set()  # the compiler treats names that a module imports in a way of its own
        for node in _outside(tree.body):
            self.imported.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                self.flags |= sum(_flag(alias.name) for alias in node.names)

    def imports(self) -> List[ast.Import]:
        """A statement that imports the names of the module, if there are any."""
        names = [ast.alias(name=name, asname=None) for name in sorted(self.imported - {"*"})]
        return [ast.fix_missing_locations(ast.Import(names=names, lineno=1, col_offset=0))] if names else []


def _flag(name: str) -> int:
    """The compiler flag of a feature that is not yet on by itself."""
    feature = getattr(__future__, name)
    since = feature.getMandatoryRelease()
    return 0 if since is not None and since <= sys.version_info else int(feature.compiler_flag)


def _outside(body: Any) -> Iterator[Any]:
    """The import statements of a module's own scope."""
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            for field in BLOCKS:
                yield from _outside(getattr(node, field, None) or ())


def _start(node: Any) -> int:
    return int(min([node.lineno] + [decorator.lineno for decorator in getattr(node, "decorator_list", ())]))


def _outermost(body: Any, inside: Tuple[Any, ...], until: int) -> Iterator[Function]:
    """The outermost functions among statements, the last of which ends before line `until + 1`."""
    for node, following in zip(body, [*body[1:], None]):
        end = _start(following) - 1 if following else until
        if isinstance(node, FUNCTIONS):
            yield Function(node, inside, end)
            continue
        for field in BLOCKS:
            inner = getattr(node, field, None)
            if isinstance(inner, list):
                yield from _outermost(inner, inside if field == "handlers" else (*inside, node), end)


def compiled(lines: List[str], function: Function, source: Source, filename: str, lower: int) -> Tuple[Any, types.CodeType]:
    """The definition that stands in `lines`, alone: its syntax tree, and its code as in the whole file, `lower` lines further down."""
    head = []
    for node in function.inside:
        line = source.lines[node.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        head.append(indent + (f"class {node.name}:" if isinstance(node, ast.ClassDef) else "if 1:"))
    try:
        tree = ast.parse("\n".join(head + lines) + "\n")
    except (SyntaxError, ValueError) as error:
        raise Refused("does not compile: " + str(error)) from error
    ast.increment_lineno(tree, function.start - 1 - len(head) + lower)
    body: Any = list(tree.body)
    for _ in function.inside:
        if len(body) != 1 or not hasattr(body[0], "body"):
            raise Refused("more than a function changed")
        body = body[0].body
    if len(body) != 1 or not isinstance(body[0], FUNCTIONS):
        raise Refused("more than a function changed")
    tree.body[:0] = source.imports()
    try:
        code: Any = compile(tree, filename, "exec", flags=source.flags, dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise Refused("does not compile: " + str(error)) from error
    for name in [node.name for node in function.inside if isinstance(node, ast.ClassDef)] + [function.name]:
        found = [const for const in code.co_consts if isinstance(const, types.CodeType) and const.co_name == name]
        if len(found) != 1:
            raise Refused(f"which code belongs to {name} is not clear")
        code = found[0]
    return body[0], code


def header(node: Any) -> str:
    """All of a definition but its body; the docstring counts: it was copied when the function was made."""
    parts = [node.args, *node.decorator_list, *([node.returns] if node.returns else [])]
    kind = type(node).__name__
    return "\n".join(
        [kind, node.name, str(ast.get_docstring(node, clean=False)), str(len(getattr(node, "type_params", ())))]
        + [ast.dump(p) for p in parts]
    )


def changes(old: Source, data: bytes) -> Iterator[Tuple[Function, List[str], List[str]]]:
    """Each outermost function whose text changed, with its old and new lines. Raises Refused if anything else changed."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except ValueError as error:
        raise Refused("is not UTF-8") from error
    lines = text.split("\n")
    first, last = _differ(old.lines, lines)
    by = len(lines) - len(old.lines)
    for function in old.functions:
        if function.start - 1 <= first and last <= function.end:
            yield function, old.lines[function.start - 1 : function.end], lines[function.start - 1 : function.end + by]
            return
    yield from _several(old, Source(data))


def _differ(old: List[str], new: List[str]) -> Tuple[int, int]:
    """Where two lists of lines differ: old[first:last] is all that is not common at the start and at the end."""
    most = min(len(old), len(new))
    first = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - first) if old[-1 - i] != new[-1 - i]), most - first)
    return first, len(old) - tail


def _several(old: Source, new: Source) -> Iterator[Tuple[Function, List[str], List[str]]]:
    if [f.where() for f in old.functions] != [f.where() for f in new.functions] or _between(old) != _between(new):
        raise Refused("more than function bodies changed")
    for before, after in zip(old.functions, new.functions):
        was, now = old.lines[before.start - 1 : before.end], new.lines[after.start - 1 : after.end]
        if was != now:
            yield before, was, now


def _between(source: Source) -> List[List[str]]:
    """The text outside the outermost functions."""
    ends = [0] + [function.end for function in source.functions]
    starts = [function.start - 1 for function in source.functions] + [len(source.lines)]
    return [source.lines[end:start] for end, start in zip(ends, starts)]
