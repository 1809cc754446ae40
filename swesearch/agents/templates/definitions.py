"""Definitions and handlers: default values, parameters, decorators, base classes, the exceptions that are caught or raised."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.draft import Draft
from swesearch.agents.templates.table import Drafts, template

BROADER = {
    "KeyError": ("(KeyError, IndexError)", "LookupError", "(KeyError, TypeError)", "(KeyError, AttributeError)"),
    "IndexError": ("(IndexError, KeyError)",),
    "ValueError": ("(ValueError, TypeError)", "(ValueError, OverflowError)", "(ValueError, AttributeError)"),
    "TypeError": ("(TypeError, ValueError)",),
    "AttributeError": ("(AttributeError, TypeError)", "(AttributeError, KeyError)"),
    "ImportError": ("(ImportError, AttributeError)",),
    "IOError": ("(IOError, OSError)", "OSError"),
    "OSError": ("(OSError, IOError)", "(OSError, ValueError)"),
    "UnicodeDecodeError": ("UnicodeError",),
    "UnicodeEncodeError": ("UnicodeError",),
    "Exception": ("BaseException",),
    "StopIteration": ("(StopIteration, RuntimeError)",),
}
NEVER_PASSED_OVER = {
    "AssertionError",
    "RecursionError",
    "Timeout",
    "Failed",
    "SyntaxError",
    "NameError",
    "ImportError",
    "ModuleNotFoundError",
}
RAISED = ("ValueError", "TypeError", "KeyError", "AttributeError", "RuntimeError", "NotImplementedError", "IndexError", "OSError")


@template(5, "default_parameter", "typed_default_parameter")
def default(node: Node, context: Context) -> Drafts:
    """Another default value."""
    value = node.child_by_field_name("value")
    if value is None:
        return
    old = context.text(value)
    for text, weight in {
        "None": 2.0,
        "True": 1.5,
        "False": 1.5,
        "0": 0.7,
        "1": 0.7,
        "''": 0.5,
        "()": 0.5,
        "[]": 0.2,
        "{}": 0.1,
        "-1": 0.2,
    }.items():
        if text != old:
            yield context.put(value, text, weight, f"default {text} for {context.text(node.named_children[0])}")
    for text in context.localisation.literals[:10]:
        yield context.put(value, text, 0.5, f"default {text[:30]}")


@template(3, "parameters", on="TypeError")
def optional(node: Node, context: Context) -> Drafts:
    """Give it a default. `def f(a)` becomes `def f(a=None)`."""
    entries = [c for c in node.named_children if c.type != "comment"]
    plain = [e for e in entries if e.type == "identifier" and context.text(e) not in {"self", "cls"}]
    for entry in plain[-1:]:
        wanted = 3.0 if context.text(entry) in context.localisation.names else 1.0
        for value, weight in {"None": 2.0, "False": 1.0, "True": 0.7, "''": 0.4, "0": 0.4, "()": 0.3}.items():
            yield context.put(entry, f"{context.text(entry)}={value}", weight * wanted, f"default {value} for {context.text(entry)}")


@template(3, "parameters", on="TypeError")
def accept(node: Node, context: Context) -> Drafts:
    """Accept another parameter."""
    entries = [c for c in node.named_children if c.type != "comment"]
    texts = [context.text(e) for e in entries]
    for name in context.localisation.names[:6]:
        if name.isidentifier() and not any(t.split("=")[0].split(":")[0] == name for t in texts):
            for value, weight in (("None", 1.5), ("False", 0.5), ("True", 0.5)):
                at = next((i for i, t in enumerate(texts) if t.startswith("**")), len(texts))
                new = [*texts[:at], f"{name}={value}", *texts[at:]]
                yield context.put(node, f"({', '.join(new)})", weight, f"accept {name}")
    for star in ("*args", "**kwargs"):
        if star not in texts and not any(t.startswith("**") for t in texts):
            yield context.put(node, f"({', '.join([*texts, star])})", 0.5, f"accept {star}")


@template(2, "function_definition")
def decorator(node: Node, context: Context) -> Drafts:
    """Another decorator. Put one of the decorators of the file, or a usual one, on the function."""
    used = {"@" + line.split()[0] for line in _decorators(context)}
    usual = ["@property", "@staticmethod", "@classmethod"] if context.unit.owner is not None else []
    decorated = context.unit.above[-1] if context.unit.above and context.unit.above[-1].type == "decorated_definition" else node
    for text in dict.fromkeys([*usual, *sorted(used)]):
        if text not in context.text(decorated)[: node.start_byte - decorated.start_byte]:
            at = decorated.start_byte
            yield Draft(at, at, f"{text}{context.file.newline}{context.file.indent(decorated)}", 1.0, f"put {text} on the function")


def _decorators(context: Context) -> Iterator[str]:
    for line in context.file.data.decode("utf-8", "replace").splitlines():
        if line.lstrip().startswith("@") and len(line) < 80 and line.count("(") == line.count(")") and len(line.split()) == 1:
            yield line.strip().removeprefix("@")


@template(2, "decorator")
def undecorate(node: Node, context: Context) -> Drafts:
    """Without the decorator."""
    end = context.file.data.find(b"\n", node.end_byte) + 1
    start = context.file.data.rfind(b"\n", 0, node.start_byte) + 1
    if end:
        yield Draft(start, end, "", 1.0, f"without {context.text(node)[:40]}")


@template(9, "except_clause")
def catch(node: Node, context: Context) -> Drafts:
    """Catch another exception."""
    value = next((c for c in node.named_children if c.type not in {"block", "comment"}), None)
    if value is None:
        return
    if value.type == "as_pattern":
        value = value.named_children[0]
    old = context.text(value)
    bare = old.strip("()").rstrip(",")
    for error, _ in context.localisation.errors:
        if error and error not in bare:
            yield context.put(value, f"({bare}, {error})", 4.0, f"also catch {error}")
            yield context.put(value, error, 1.0, f"catch {error} instead")
    for text in BROADER.get(old, ()):
        yield context.put(value, text, 1.0, f"catch {text}")
    for name in ("Exception", "ValueError", "TypeError", "AttributeError", "KeyError", "OSError", "IndexError", "ImportError"):
        if name not in bare and old != "Exception":
            yield context.put(value, f"({bare}, {name})" if name != "Exception" else name, 0.3, f"also catch {name}")


@template(3, "raise_statement")
def raise_(node: Node, context: Context) -> Drafts:
    """Raise another exception."""
    value = node.named_children[0] if node.named_children else None
    name = value.named_children[0] if value is not None and value.type == "call" else value
    if name is None or name.type not in {"identifier", "attribute"}:
        return
    known = [n.text for n in context.names() if n.text.endswith(("Error", "Exception", "Warning", "Exit"))]
    for text in dict.fromkeys([*known, *RAISED]):
        wanted = 4.0 if text in context.localisation.names else 1.0
        if text != context.text(name):
            yield context.put(name, text, wanted * context.alike(context.text(name), text), f"raise {text}")


@template(1, "statement")
def handle(node: Node, context: Context) -> Drafts:
    """Catch the error. `s` becomes `try: s` with the failing error passed over."""
    if node.type not in {"expression_statement", "return_statement"} or context.unit.function is None:
        return
    newline, indent, step = context.file.newline, context.indent, context.step
    inner = context.text(node).replace(newline, newline + step)
    for error in dict.fromkeys(e for e, _ in context.localisation.errors if e.isidentifier() and e not in NEVER_PASSED_OVER):
        for way, weight in (("pass", 1.0), ("return None", 0.5), ("return False", 0.5), ("continue", 0.2)):
            if way != "continue" or any(n.type in {"for_statement", "while_statement"} for n in context.unit.above):
                text = f"try:{newline}{indent}{step}{inner}{newline}{indent}except {error}:{newline}{indent}{step}{way}"
                yield context.put(node, text, weight, f"pass over a {error}")
