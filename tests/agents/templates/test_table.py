"""Every template on one small example: what it is for, and that it is tried at all."""

from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

import pytest

from sandbox.base import Kind
from swesearch.agents.templates import (
    arithmetic,
    attributes,
    calls,
    comparison,
    conditions,
    definitions,
    expressions,
    guards,
    imports,
    keywords,
    literals,
    names,
    regexes,
    returns,
    statements,
    strings,
    subscripts,
    wraps,
)
from swesearch.agents.templates.catalog import TABLE
from swesearch.agents.templates.table import Template


@dataclass(frozen=True)
class Case:
    """`before` has `after` among what the template makes of its line; the rest is what the failing tests said."""

    template: Template
    before: str
    after: str
    line: int = 1
    known: dict[str, Any] = field(default_factory=dict)


def seen(expression: str, name: str, *attributes: str, line: int = 1) -> dict[str, Any]:
    """A runtime type at a line."""
    return {"types": {f"a.py:{line}": {expression: (Kind(name, attributes),)}}}


ARITHMETIC = [
    Case(arithmetic.operator, "x = a + b * c", "x = a - b * c"),
    Case(arithmetic.operator, "x = a * b", "x = a ** b"),
    Case(arithmetic.augmented, "n ^= n - 1", "n &= n - 1"),
    Case(arithmetic.augmented, "n += 1", "n = 1"),
    Case(arithmetic.off_by_one, "f(mid, end)", "f(mid + 1, end)"),
    Case(arithmetic.off_by_one, "x = a[i - 1]", "x = a[i]"),
    Case(arithmetic.constant, "x = a[0]", "x = a[1]"),
    Case(arithmetic.flip, "r = r + a[i]", "r = a[i] + r"),
    Case(arithmetic.flip, "x = (a - b) - c", "x = c - (a - b)"),
    Case(arithmetic.drop, "x = 1 + f(y)", "x = f(y)"),
    Case(arithmetic.term, "def f(k, n):\n    g(k)", "def f(k, n):\n    g(k - n)", 2),
    Case(arithmetic.power, "x = x - y", "x = x - y ** 2"),
    Case(arithmetic.power, "x = f(a)", "x = f(abs(a))"),
    Case(arithmetic.order, "x = a + b * c", "x = (a + b) * c"),
]
ATTRIBUTES = [
    Case(attributes.swap, "x = n.outgoing\nn.incoming", "x = n.incoming\nn.incoming"),
    Case(attributes.swap, "x = n.lenght", "x = n.length", known=seen("n", "T", "length")),
    Case(attributes.getattr_, "x = n.a", "x = getattr(n, 'a', None)"),
    Case(attributes.drop, "x = n.a", "x = n"),
    Case(attributes.deepen, "x = n.a\ny.items()", "x = n.a.items()\ny.items()", known=seen("n.a", "dict", "items()")),
    Case(attributes.reroute, "def f(s):\n    s.b.x()\n    y = s.a", "def f(s):\n    s.b.x()\n    y = s.b.a", 3),
]
CALLS = [
    Case(calls.swap, "x = f(a, b)", "x = f(b, a)"),
    Case(calls.drop, "x = f(a, b)", "x = f(a)"),
    Case(calls.add, "def f(a, b):\n    g(a)", "def f(a, b):\n    g(a, b)", 2),
    Case(calls.forward, "def f(a, *args, **kw):\n    g(a)", "def f(a, *args, **kw):\n    g(a, *args, **kw)", 2),
    Case(calls.function, "x = any(y)", "x = all(y)"),
    Case(calls.function, "d.pop()", "d.popleft()"),
    Case(calls.unwrap, "yield flatten(x)", "yield x"),
    Case(calls.unwrap, "x = s.split(',')", "x = s"),
    Case(calls.property_, "x = s.path()", "x = s.path"),
    Case(calls.call, "x = s.keys", "x = s.keys()", known=seen("s", "dict", "keys()")),
    Case(calls.method, "x = s\n", "x = s.lower()\n", known=seen("s", "str", "lower()")),
]
COMPARISON = [
    Case(comparison.operator, "if a <= b: pass", "if a < b: pass"),
    Case(comparison.operator, "if f(a) is None: pass", "if f(a) is not None: pass"),
    Case(comparison.operator, "if a in b: pass", "if a not in b: pass"),
    Case(comparison.flip, "if a in b: pass", "if b in a: pass"),
    Case(comparison.bound, "if len(a) == 0: pass", "if len(a) <= 1: pass"),
    Case(comparison.identity, "if a == None: pass", "if a is None: pass"),
    Case(comparison.membership, "if a == 'x': pass\nelif b == 'y': pass", "if a in ('x', 'y'): pass\nelif b == 'y': pass"),
]
CONDITIONS = [
    Case(conditions.strengthen, "if len(x.a) > 0: pass", "if x.a and len(x.a) > 0: pass"),
    Case(conditions.strengthen, "if a or b: pass", "if a is not None and (a or b): pass"),
    Case(conditions.strengthen_result, "def f(a, b):\n    return a > 1", "def f(a, b):\n    return b and a > 1", 2),
    Case(conditions.weaken, "if h.next is None: pass", "if h is None or h.next is None: pass"),
    Case(conditions.negate, "if not a: pass", "if a: pass"),
    Case(conditions.negate, "if a and b: pass", "if not (a and b): pass"),
    Case(conditions.drop, "x = a and b", "x = a"),
    Case(conditions.connective, "x = a and b or c", "x = a or b or c"),
    Case(conditions.replace, "def f(queue):\n    while True: pass", "def f(queue):\n    while queue: pass", 2),
    Case(conditions.truth, "if x: pass", "if x is not None: pass"),
    Case(conditions.truth, "if not x: pass", "if x is None: pass"),
    Case(conditions.alike, "x = a == b", "x = a.lower() == b.lower()"),
    Case(conditions.kind, "if x == '': pass", "if isinstance(x, str) and x == '': pass", known=seen("x", "str")),
    Case(conditions.isinstance_, "x = isinstance(a, list)", "x = isinstance(a, (list, tuple))"),
]
DEFINITIONS = [
    Case(definitions.default, "def f(a=1): pass", "def f(a=None): pass"),
    Case(definitions.optional, "def f(a, b): pass", "def f(a, b=None): pass"),
    Case(definitions.accept, "def f(a): pass", "def f(a, size=None): pass", known={"names": ("size",)}),
    Case(definitions.decorator, "class A:\n    def f(self): pass", "class A:\n    @property\n    def f(self): pass", 2),
    Case(definitions.undecorate, "@cache\ndef f(): pass", "def f(): pass"),
    Case(
        definitions.catch,
        "try: f()\nexcept OSError: pass",
        "try: f()\nexcept (OSError, ValueError): pass",
        2,
        {"errors": (("ValueError", ""),)},
    ),
    Case(definitions.raise_, "raise ValueError(x)", "raise TypeError(x)"),
    Case(
        definitions.handle,
        "def f():\n    g()",
        "def f():\n    try:\n        g()\n    except KeyError:\n        pass",
        2,
        {"errors": (("KeyError", "'a'"),)},
    ),
]
EXPRESSIONS = [
    Case(expressions.replace, "def f(b):\n    g(b[1:])\n    return h(b)", "def f(b):\n    g(b[1:])\n    return h(b[1:])", 3),
    Case(expressions.clamp, "best = n + 1", "best = max(best, n + 1)"),
    Case(expressions.default, "x = len(a)", "x = len(a or [])"),
    Case(expressions.conditional, "x = a.b", "x = a.b if a is not None else None"),
    Case(expressions.swap, "x = a if c else b", "x = b if c else a"),
    Case(expressions.join, "def f(a, b):\n    return a", "def f(a, b):\n    return b + a", 2),
]
GUARDS = [
    Case(guards.guard, "def f(t):\n    t *= 2", "def f(t):\n    if t:\n        t *= 2", 2),
    Case(guards.guard, "def f(t):\n    return g(t)", "def f(t):\n    if t is not None:\n        return g(t)", 2),
    Case(
        guards.leave,
        "def f(a):\n    for x in a:\n        x.y()",
        "def f(a):\n    for x in a:\n        if x is None:\n            continue\n        x.y()",
        3,
    ),
]
IMPORTS = [
    Case(
        imports.missing,
        '"""Doc."""\nx = defaultdict(list)',
        '"""Doc."""\nfrom collections import defaultdict\nx = defaultdict(list)',
        2,
        {"names": ("defaultdict",), "errors": (("NameError", ""),)},
    ),
]
KEYWORDS = [
    Case(keywords.add, "x = open(p)", "x = open(p, encoding='utf-8')"),
    Case(keywords.add, "def g(a, size=1): pass\ndef f(size):\n    g(1)", "def g(a, size=1): pass\ndef f(size):\n    g(1, size=size)", 3),
    Case(keywords.add, "x = sorted(c for c in b)", "x = sorted((c for c in b), key=str)"),
    Case(
        keywords.hand_on, "def f(a, deep=1):\n    return [f(b) for b in a]", "def f(a, deep=1):\n    return [f(b, deep=deep) for b in a]", 2
    ),
    Case(keywords.change, "f(a, deep=True)", "f(a, deep=False)"),
    Case(keywords.rename, "def g(size=1): pass\ng(sizes=2)", "def g(size=1): pass\ng(size=2)", 2),
]
LITERALS = [
    Case(literals.flag, "x = f(True)", "x = f(False)"),
    Case(literals.expected, "x = 12", "x = 15", known={"literals": ("15",)}),
    Case(literals.number, "def f():\n    a = 3\n    b = 4", "def f():\n    a = 4\n    b = 4", 2),
    Case(literals.entry, "x = ['a', 'b']", "x = ['a', 'b', 'c']", known={"literals": ("'c'",)}),
    Case(literals.entry, "x = {'a', 'b', 'a'}", "x = {'a', 'b'}"),
]
NAMES = [
    Case(names.replace, "def f(output):\n    open(output_path)", "def f(output):\n    open(output)", 2),
    Case(names.simplify, "def f(n):\n    g(n.a)", "def f(n):\n    g(n)", 2),
    Case(names.opposite, "left = right = 0\nx = left", "left = right = 0\nx = right", 2),
    Case(names.quoted, "def f(weight):\n    g('weight')", "def f(weight):\n    g(weight)", 2),
    Case(names.qualify, "import os\nx = getcwd()", "import os\nx = os.getcwd()", 2),
    Case(names.deepen, "def f(n):\n    h(n.a)\n    g(n)", "def f(n):\n    h(n.a)\n    g(n.a)", 3),
    Case(
        names.own,
        "class A:\n    def f(self):\n        self.x = 1\n        g(x)",
        "class A:\n    def f(self):\n        self.x = 1\n        g(self.x)",
        4,
    ),
    Case(names.target, "def f(a, b):\n    a += 1", "def f(a, b):\n    b += 1", 2),
]
REGEXES = [
    Case(regexes.change, r"x = re.compile(r'\d.\d+')", r"x = re.compile(r'\d\.\d+')"),
    Case(regexes.change, r"x = re.compile('[a-z]+')", r"x = re.compile('[a-z]*')"),
    Case(regexes.change, r"x = re.compile('[y|m]+')", r"x = re.compile('[ym]+')"),
    Case(regexes.change, r"x = re.compile('[a-z]+')", r"x = re.compile('^[a-z]+')"),
    Case(regexes.change, r"x = re.compile(rf'\s({a}|{b})\b')", r"x = re.compile(rf'\s({a}|{b})(?!\w)')"),
    Case(regexes.change, r"x = re.compile(r'\b\d')", r"x = re.compile(r'(?<!\w)\d')"),
    Case(regexes.change, r"x = re.compile(r'\b\d')", r"x = re.compile(r'\d')"),
]
RETURNS = [
    Case(returns.replace, "def f(depth):\n    return True", "def f(depth):\n    return depth == 0", 2),
    Case(returns.replace, "def f(n):\n    return []", "def f(n):\n    return [n]", 2),
    Case(returns.give, "def f():\n    g()", "def f():\n    return g()", 2),
    Case(returns.keep, "def f():\n    raise E()", "def f():\n    return", 2),
    Case(returns.finish, "def f(x):\n    y = x", "def f(x):\n    y = x\n    return y", 2),
    Case(returns.delegate, "def f(x):\n    yield g(x)", "def f(x):\n    yield from g(x)", 2),
    Case(returns.delegate, "async def f(x):\n    y = g(x)", "async def f(x):\n    y = await g(x)", 2),
]
STATEMENTS = [
    Case(statements.delete, "a()\nb()\nc()", "a()\nc()", 2),
    Case(statements.delete, "if x:\n    a()", "if x:\n    pass", 2),
    Case(statements.unguard, "if x:\n    a()\n    b()\nc()", "a()\nb()\nc()"),
    Case(statements.move, "a = 1\nb = 2", "b = 2\na = 1"),
    Case(statements.dedent, "for x in y:\n    a()\n    b()\nc()", "for x in y:\n    a()\nb()\nc()", 3),
    Case(statements.indent, "for x in y:\n    a()\nb()", "for x in y:\n    a()\n    b()", 3),
    Case(statements.insert, "def f(a, b):\n    a.x(b)\n    return a", "def f(a, b):\n    a.x(b)\n    b = a\n    return a", 3),
    Case(
        statements.insert,
        "def f(s, n):\n    g(n)\n    return s",
        "def f(s, n):\n    s.add(n)\n    g(n)\n    return s",
        2,
        seen("s", "set", line=2),
    ),
    Case(
        statements.insert,
        "def f(a, b):\n    out = []\n    g(a)\n    return out",
        "def f(a, b):\n    out = []\n    g(a)\n    out.append(b)\n    return out",
        3,
    ),
    Case(statements.keep, "value.strip()", "value = value.strip()"),
    Case(statements.keep, "d[k].update(e)", "d[k] = e"),
    Case(statements.branches, "if x:\n    a()\nelse:\n    b()", "if x:\n    b()\nelse:\n    a()"),
    Case(statements.chain, "if x:\n    a()\nif y:\n    b()", "if x:\n    a()\nelif y:\n    b()", 3),
    Case(statements.unchain, "if x:\n    a()\nelif y:\n    b()", "if x:\n    a()\nif y:\n    b()", 3),
    Case(statements.jump, "for x in y:\n    break", "for x in y:\n    continue", 2),
    Case(statements.repeat, "if x:\n    a()", "while x:\n    a()"),
]
STRINGS = [
    Case(
        strings.expected, "x = 'Not a valid string'", "x = 'Not a valid date string'", known={"literals": ("'! Not a valid date string'",)}
    ),
    Case(strings.expected, "x = r'\\left\\['", "x = r'\\left['", known={"literals": (repr("\\left[0, \\ldots]"),)}),
    Case(strings.all_expected, "x = '[[left' + y + 'right]]'", "x = '[left' + y + 'right]'", known={"literals": ("'[left 1 or right]'",)}),
    Case(strings.affix, "x = 'a:'", "x = 'a: '"),
    Case(strings.other, "def f(d):\n    g('a')\n    d['b']", "def f(d):\n    g('a')\n    d['a']", 3),
    Case(strings.interpolate, "def f(a, b):\n    x = '{a!r} ' 'or ' '{b.c:>3}'", "def f(a, b):\n    x = f'{a!r} ' 'or ' f'{b.c:>3}'", 2),
    Case(strings.prefix, "x = 'a'", "x = b'a'"),
    Case(strings.field, "x = '%d' % y", "x = '%s' % y"),
    Case(strings.mode, "x = open(p, 'r')", "x = open(p, 'rb')"),
]
SUBSCRIPTS = [
    Case(subscripts.slice_, "for x in arr: pass", "for x in arr[1:]: pass"),
    Case(subscripts.bounds, "x = a[1:n]", "x = a[1:]"),
    Case(subscripts.whole, "x = a[0]", "x = a"),
    Case(subscripts.end, "x = a[0]", "x = a[-1]"),
    Case(subscripts.get, "x = d['a']", "x = d.get('a')"),
    Case(subscripts.get, "x = d[k]\nd.get(k, 7)", "x = d.get(k, 7)\nd.get(k, 7)"),
    Case(subscripts.index, "x = d.get(k, 1)", "x = d[k]"),
    Case(subscripts.parts, "x = a[i, j]", "x = a[j, i]"),
    Case(subscripts.parts, "x = a[i][j]", "x = a[j][i]"),
    Case(subscripts.look_up, "def f(d, a):\n    h(d[0])\n    g(a)", "def f(d, a):\n    h(d[0])\n    g(d[a])", 3),
    Case(subscripts.modulo, "x = a[i + 1]", "x = a[(i + 1) % len(a)]"),
]
WRAPS = [
    Case(wraps.cast, "x = f(y)", "x = f(str(y))"),
    Case(wraps.cast, "for k in d.items(): pass", "for k in list(d.items()): pass"),
    Case(wraps.enclose, "return []", "return [[]]"),
    Case(wraps.display, "x = [1, 2]", "x = (1, 2)"),
    Case(wraps.apply, "def g(a): pass\nx = b", "def g(a): pass\nx = g(b)", 2),
]
CASES = [
    *ARITHMETIC, *ATTRIBUTES, *CALLS, *COMPARISON, *CONDITIONS, *DEFINITIONS, *EXPRESSIONS, *GUARDS, *IMPORTS, *KEYWORDS, *LITERALS, *NAMES,
    *REGEXES, *RETURNS, *STATEMENTS, *STRINGS, *SUBSCRIPTS, *WRAPS,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.template.name}: {c.before!r}")
def test_a_template_makes_what_it_is_for(case, mend):
    assert dedent(case.after) in mend(case.template, case.before, case.line, **case.known)


def test_every_template_of_the_table_has_an_example():
    assert not {t.name for t in TABLE} - {case.template.name for case in CASES}


def test_names_of_templates_tell_them_apart():
    assert len({t.name for t in TABLE}) == len(TABLE)


@pytest.mark.parametrize("line", ["x = '{a}'.format(a=a)", "x = '{b}'", "x = '{}'", "x = f'{a}'", "x = b'{a}'"])
def test_a_string_whose_braces_are_filled_in_otherwise_or_by_nothing_known_stays(line, mend):
    assert not list(mend(strings.interpolate, f"def f(a):\n    {line}", 2))


@pytest.mark.parametrize("call", ["f(b, deep)", "f(b, deep=2)", "f(*b)", "g(b)"])
def test_a_parameter_is_handed_on_only_where_it_is_missing(call, mend):
    assert not list(mend(keywords.hand_on, f"def g(a): pass\ndef f(a, deep=1):\n    {call}", 3))


def test_the_opposite_of_a_variable_is_one_that_is_known_there(mend):
    source = "def f(left):\n    g(left)\n\n\ndef h(right):\n    pass"
    assert not list(mend(names.opposite, source, 2))
    assert "def f(left):\n    g(x.right)" in mend(names.opposite, "def f(left):\n    g(x.left)\nh.right", 2)[0]


@pytest.mark.parametrize("condition", ["isinstance(a, int)", "not isinstance(a, int)", "hasattr(a, 'b')"])
def test_what_is_true_or_false_is_never_asked_for_none(condition, mend):
    assert not list(mend(conditions.truth, f"if {condition}: pass"))


def test_a_value_is_not_turned_into_what_its_variable_never_held(mend):
    found = mend(wraps.cast, "x = f(y)", **seen("x", "generator"))
    assert "x = list(f(y))" in found
    assert "x = str(f(y))" not in found
