from __future__ import annotations

import pytest

from swesearch.discriminator.rules import RULES, broken_rules, literals_of

BEFORE = """\
def total(items, limit):
    result = 0
    for item in items:
        if item > limit:
            result += item - limit
        else:
            result += item
    return result
"""


def guarded(handler: str) -> str:
    return BEFORE.replace("    return result", f"    try:\n        return result\n    {handler}")


def broken(after: str, literals: frozenset[object] = frozenset(), before: str = BEFORE) -> set[str]:
    return {rule.name for rule in broken_rules(before.encode(), after.encode(), literals)}


@pytest.mark.parametrize(
    "after",
    [
        BEFORE.replace("item > limit", "item >= limit"),
        BEFORE.replace("result = 0", "result = limit"),
        BEFORE.replace("result += item - limit", "result += limit"),
        BEFORE.replace("    return result", "    result += 1\n    return result"),
        "import math\n" + BEFORE,
        BEFORE.replace("item > limit", "item > limit and item is not None"),
    ],
)
def test_ordinary_repairs_break_no_rule(after: str) -> None:
    assert broken(after) == set()


@pytest.mark.parametrize(
    ("rule", "after"),
    [
        ("deletion", BEFORE.replace("            result += item - limit\n        else:\n", "")),
        ("deletion", "def other():\n    pass\n"),
        ("early exit", BEFORE.replace("    result = 0", "    if not items:\n        return limit\n    result = 0")),
        ("early exit", BEFORE.replace("        if item", "        if item is None:\n            continue\n        if item")),
        ("constant condition", BEFORE.replace("if item > limit", "if True")),
        ("constant condition", BEFORE.replace("item > limit", "item > limit or True")),
        ("constant condition", BEFORE.replace("item > limit", "1 < 0")),
        ("constant condition", BEFORE.replace("item > limit", "isinstance(item, int) is None")),
        ("constant condition", BEFORE.replace("item > limit", "(item > limit) is not None")),
        ("swallowed error", guarded("except KeyError:\n        pass")),
        (
            "swallowed error",
            guarded("except Exception as e:\n        print(e)"),
        ),
        ("swallowed error", BEFORE.replace("    return result", "    with contextlib.suppress(KeyError):\n        return result")),
        ("wholesale replacement", BEFORE.replace("item - limit", "len(items) * 7")),
    ],
)
def test_each_anti_pattern_is_seen(rule: str, after: str) -> None:
    assert rule in broken(after)


def test_a_call_of_a_function_of_the_project_that_is_gone_is_seen_and_one_of_a_builtin_is_not() -> None:
    before = BEFORE.replace("item > limit", "valued(item) > abs(limit)")
    assert broken(before.replace("valued(item)", "item"), before=before) == {"dropped call"}
    assert broken(before.replace("abs(limit)", "limit"), before=before) == set()


def test_comparing_with_a_value_of_the_failing_test_is_seen() -> None:
    after = BEFORE.replace("    result = 0", "    if limit == 1234:\n        items = []\n    result = 0")
    assert "special case" in broken(after, frozenset({1234}))
    assert "special case" not in broken(after, frozenset({99}))


def test_comparing_with_values_that_are_everywhere_is_no_special_case() -> None:
    after = BEFORE.replace("    result = 0", "    if limit == 0:\n        items = []\n    result = 0")
    assert "special case" not in broken(after, frozenset({0}))


def test_returning_a_value_of_the_failing_test_is_seen() -> None:
    after = BEFORE.replace("    result = 0", "    if not items:\n        return 1234\n    result = 0")
    assert "hard-coded result" in broken(after, frozenset({1234}))


def test_a_handler_that_passes_the_error_on_hides_nothing() -> None:
    assert "swallowed error" not in broken(guarded("except Exception:\n        print(1)\n        raise"))


def test_what_was_bad_before_is_not_held_against_the_change() -> None:
    before = BEFORE + "\ndef load():\n    try:\n        return 1\n    except Exception:\n        pass\n    if True:\n        return 2\n"
    assert broken(before.replace("item > limit", "item >= limit"), before=before) == set()


def test_text_that_is_not_python_breaks_no_rule() -> None:
    assert broken_rules(b"print 'old'", b"print 'new'") == ()
    assert broken_rules(b"\0", b"x = 1") == ()


def test_literals_are_read_with_their_sign() -> None:
    assert literals_of(b"assert f(-3, 'a') == [2.5, None]") >= {-3, "a", 2.5, None}
    assert literals_of(b"assert (") == frozenset()


def test_every_rule_has_a_name_of_its_own_and_costs_something() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.penalty > 0 and rule.sentence for rule in RULES)
