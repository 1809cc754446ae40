"""Keyword arguments: added where the callee accepts them, dropped, or given another value."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from swesearch.agents.templates.calls import arguments, callee, listed, positional
from swesearch.agents.templates.context import Context
from swesearch.agents.templates.scope import signature_of
from swesearch.agents.templates.table import Drafts, template

# What often-used callees of the standard library accept, with the values that are usually meant.
WELL_KNOWN: dict[str, tuple[str, ...]] = {
    "open": ("encoding='utf-8'", "newline=''", "errors='replace'", "errors='ignore'"),
    "decode": ("'utf-8'", "errors='replace'", "errors='ignore'", "'utf-8', 'replace'", "'utf-8', 'ignore'"),
    "encode": ("'utf-8'", "errors='replace'", "errors='ignore'", "'utf-8', 'replace'", "'ascii', 'ignore'"),
    "dumps": ("ensure_ascii=False", "sort_keys=True", "indent=4", "indent=2", "default=str", "separators=(',', ':')"),
    "dump": ("ensure_ascii=False", "sort_keys=True", "indent=4", "indent=2", "default=str"),
    "sorted": ("reverse=True", "key=str", "key=len", "key=lambda x: x[0]", "key=lambda x: x[1]", "key=str.lower"),
    "sort": ("reverse=True", "key=str", "key=len", "key=lambda x: x[0]", "key=lambda x: x[1]"),
    "max": ("default=0", "default=None", "key=len"),
    "min": ("default=0", "default=None", "key=len"),
    "next": ("None",),
    "getattr": ("None",),
    "pop": ("None", "0", "-1"),
    "get": ("''", "[]", "{}", "0", "None", "False"),
    "split": ("1", "','", "None, 1", "maxsplit=1"),
    "rsplit": ("1",),
    "splitlines": ("True", "keepends=True"),
    "replace": ("1",),
    "round": ("1", "2"),
    "int": ("0", "16", "10"),
    "join": ("''",),
    "strip": ("'/'", "'\\n'", "' '"),
    "rstrip": ("'/'", "'\\n'", "'.'"),
    "lstrip": ("'/'", "'.'", "'0'"),
    "compile": ("re.I", "re.M", "re.S", "re.X", "re.IGNORECASE", "re.MULTILINE", "re.DOTALL"),
    "search": ("re.I", "re.M", "re.S", "flags=re.IGNORECASE"),
    "match": ("re.I", "re.M", "re.S", "flags=re.IGNORECASE"),
    "findall": ("re.I", "re.M", "re.S", "flags=re.IGNORECASE"),
    "sub": ("flags=re.I", "flags=re.M", "flags=re.S", "count=1"),
    "Popen": ("shell=True", "universal_newlines=True", "stderr=subprocess.PIPE", "stdout=subprocess.PIPE", "env=env", "cwd=cwd"),
    "run": ("check=True", "shell=True", "text=True", "capture_output=True"),
    "check_output": ("universal_newlines=True", "shell=True", "stderr=subprocess.STDOUT"),
    "makedirs": ("exist_ok=True",),
    "mkdir": ("parents=True", "exist_ok=True", "parents=True, exist_ok=True"),
    "rmtree": ("ignore_errors=True",),
    "zip": ("strict=True",),
    "print": ("file=sys.stderr", "end=''", "flush=True"),
    "urlencode": ("doseq=True", "True"),
    "quote": ("safe=''", "''"),
    "parse_qs": ("keep_blank_values=True", "True"),
    "parse_qsl": ("keep_blank_values=True", "True"),
    "add_argument": ("default=None", "type=int", "type=str", "nargs='?'", "nargs='*'", "action='store_true'", "required=True"),
    "range": ("-1",),
    "warn": ("stacklevel=2", "DeprecationWarning", "DeprecationWarning, stacklevel=2"),
    "exists": (),
    "literal_eval": (),
    "enumerate": ("1", "start=1"),
    "sum": ("0.0", "[]"),
    "mean": ("axis=0", "axis=1", "axis=-1"),
    "read": ("-1",),
    "wraps": (),
    "field": ("default=None", "default_factory=list", "default_factory=dict"),
    "strftime": (),
    "loads": ("encoding='utf-8'",),
    "NamedTemporaryFile": ("delete=False", "mode='w'"),
    "deepcopy": (),
}  # fmt: skip


@template(5, "call", on="TypeError UnicodeDecodeError UnicodeEncodeError")
def add(node: Node, context: Context) -> Drafts:
    """Pass a keyword argument."""
    texts = [context.text(a) for a in arguments(node)]
    given = {t.split("=")[0] for t in texts}
    for text, weight in _offers(node, context):
        if text.split("=")[0] not in given and len(texts) < 12:
            at = next((i for i, t in enumerate(texts) if t.startswith("**")), len(texts))
            yield context.put(node, listed(node, [*texts[:at], text, *texts[at:]], context), weight, f"also pass {text}")


def _offers(node: Node, context: Context) -> Iterator[tuple[str, float]]:
    name = callee(node, context)
    visible = {n.text for n in context.locals(node)}
    for signature in context.around.signatures.get(name, ())[:4]:
        for parameter in signature.parameters:
            yield from _values(parameter, visible, context)
    for text in WELL_KNOWN.get(name, ()):
        yield text, 1.0 if "=" in text else 0.7
    for (key, value), count in context.around.keywords.most_common(40):
        if key in context.localisation.names or context.around.attributes.get(name):
            yield f"{key}={value}", 0.05 * min(count, 4) + 0.5 * (key in visible)
    for local in sorted(visible):
        yield f"{local}={local}", 0.15


def _values(parameter: str, visible: set[str], context: Context) -> Iterator[tuple[str, float]]:
    """What to pass for a parameter of a callee: the local or attribute of that name, or a plain constant."""
    wanted = 3.0 if parameter in context.localisation.names else 1.0
    if parameter in visible:
        yield f"{parameter}={parameter}", 4.0 * wanted
    if f"self.{parameter}" in context.fields or f"self._{parameter}" in context.fields:
        own = parameter if f"self.{parameter}" in context.fields else "_" + parameter
        yield f"{parameter}=self.{own}", 3.0 * wanted
    for value, weight in (("True", 0.7), ("False", 0.7), ("None", 0.5), ("0", 0.2), ("''", 0.1)):
        yield f"{parameter}={value}", weight * wanted


@template(5, "call")
def hand_on(node: Node, context: Context) -> Drafts:
    """Hand a parameter on. `f(a)` becomes `f(a, deep=deep)` where f takes `deep` as the function around does, which often is f itself."""
    given = arguments(node)
    if any("splat" in a.type for a in given) or context.unit.function is None:
        return
    name, texts, plain = callee(node, context), [context.text(a) for a in given], len(positional(node))
    around = signature_of(context.file, context.unit.function, method=False)
    for signature in context.around.signatures.get(name, ())[:4]:
        for own in signature.optional:
            if own in around.parameters and not any(t.startswith(f"{own}=") for t in texts) and signature.parameters.index(own) >= plain:
                weight = (3.0 if name == around.name else 1.0) * (3.0 if own in context.localisation.names else 1.0)
                yield context.put(node, listed(node, [*texts, f"{own}={own}"], context), weight, f"hand {own} on")


@template(2, "keyword_argument")
def change(node: Node, context: Context) -> Drafts:
    """Pass another value by keyword."""
    key, value = node.named_children[0], node.named_children[-1]
    known = {v: c for (k, v), c in context.around.keywords.items() if k == context.text(key)}
    for text, count in known.items():
        yield context.put(value, text, 1.0 + 0.2 * min(5, count), f"pass {context.text(key)}={text}")
    opposite = {"True": "False", "False": "True"}.get(context.text(value), "None")
    yield context.put(value, opposite, 2.0, f"pass {context.text(key)}={opposite}")


@template(2, "keyword_argument", on="TypeError")
def rename(node: Node, context: Context) -> Drafts:
    """Pass it under another keyword."""
    key = node.named_children[0]
    call = next((n for n in context.unit.around(node) if n.type == "call"), None)
    for signature in context.around.signatures.get(callee(call, context), ())[:4] if call is not None else ():
        for parameter in signature.parameters:
            yield context.put(key, parameter, 1.0 * context.alike(context.text(key), parameter), f"pass it as {parameter}")
