"""What a changed test file carries with it: calls made with other arguments, and what came of them. See mutate.py.

Its text is put into the test file, so it stands alone, runs on Python 3.6, and every name in it begins with `_swe`.
"""

import functools
import hashlib
import itertools
import random
import re
from typing import Any

import pytest

_SWE_LONGEST = 1500  # characters of what one test shows; the rest only as a digest
_swe_now: Any = {"site": -1, "nth": 0, "seen": []}  # which call is changed, how, and what was seen


def _swe_arrange(places: Any, variants: Any, others: Any) -> None:
    """Put `variants[name]` changed copies of each chosen test into its place; take the other tests away.

    `places` maps a class name ("" for the module) to the namespace that holds its tests.
    """
    for where, name in others:
        _swe_take(places[where], name)
    for where, name, sites, most in variants:
        test = _swe_take(places[where], name)
        for site, nth in [(site, nth) for nth in range(most) for site in sites]:
            _swe_put(places[where], f"{name}__{site}_{nth}", _swe_changed(test, site, nth))


def _swe_take(place: Any, name: Any) -> Any:
    if isinstance(place, dict):
        return place.pop(name)
    test = place.__dict__[name]
    delattr(place, name)
    return test


def _swe_put(place: Any, name: Any, test: Any) -> None:
    if isinstance(place, dict):
        place[name] = test
    else:
        setattr(place, name, test)


def _swe_changed(test: Any, site: Any, nth: Any) -> Any:
    """`test` with the nth other arguments for the call at `site`; fails with what was seen."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> Any:
        _swe_now.update(site=site, nth=nth, seen=[])
        random.seed(0)
        try:
            test(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 (whatever a test raises is what is observed)
            if not _swe_now["seen"]:
                pytest.skip("no such change")
            _swe_saw("raises " + type(error).__name__)
        if not _swe_now["seen"]:
            pytest.skip("no such change")
        raise AssertionError("observed: " + _swe_short(" | ".join(_swe_now["seen"])))

    return run


def _swe_call(*args: Any, **kwargs: Any) -> Any:
    """Make a call of the test, changed if its turn has come. The first three arguments are its number, its name and what is called."""
    site, name, function, args = args[0], args[1], args[2], args[3:]
    if _swe_now["site"] != site:
        return function(*args, **kwargs)
    _swe_now["site"] = -1  # the first time only
    changes = list(_swe_changes((args, kwargs)))
    if _swe_now["nth"] >= len(changes):
        return function(*args, **kwargs)
    args, kwargs = changes[_swe_pick(_swe_now["nth"], len(changes))]
    shown = ", ".join([_swe_show(arg) for arg in args] + [f"{key}={_swe_show(kwargs[key])}" for key in sorted(kwargs)])
    _swe_saw(f"{name}({shown})")
    result = function(*args, **kwargs)
    _swe_saw("gives " + _swe_show(result))
    return result


def _swe_pick(nth: Any, count: Any) -> Any:
    """Far apart, so that few changes touch every argument: 7919 is prime and more than there ever are."""
    return nth * 7919 % count


def _swe_assert(*values: Any) -> None:
    """What an assertion would have compared, shown instead."""
    if _swe_now["seen"]:
        _swe_saw("compares " + ", ".join(map(_swe_show, values)))


def _swe_saw(text: Any) -> None:
    _swe_now["seen"].append(text)


def _swe_changes(value: Any, depth: Any = 0) -> Any:
    """`value` with one thing in it changed, in every way."""
    if depth > 6 or type(value) not in _SWE_OTHERS:
        return
    for other in _SWE_OTHERS[type(value)](value) if depth > 1 else ():  # above are the tuple and the dictionary of arguments
        if type(other) is not type(value) or other != value:
            yield other
    if isinstance(value, (list, tuple)):
        for place, part in enumerate(value[:20]):
            for other in _swe_changes(part, depth + 1):
                yield type(value)([*value[:place], other, *value[place + 1 :]])
    elif isinstance(value, dict):
        for key in list(value)[:20]:
            for other in _swe_changes(value[key], depth + 1):
                yield {**value, key: other}


def _swe_number(value: Any) -> Any:
    return [value + 1, value - 1, value * 0, -value]


def _swe_text(value: Any) -> Any:
    return [value[:0], value + value, value.swapcase(), value[::-1], value[1:]]


def _swe_list(value: Any) -> Any:
    return [value[:0], value[::-1], value + value[-1:], value[1:]]


_SWE_OTHERS: Any = {  # what else could stand in the place of a plain value
    bool: lambda value: [not value],
    int: _swe_number,
    float: _swe_number,
    str: _swe_text,
    bytes: _swe_text,
    list: _swe_list,
    tuple: _swe_list,
    set: lambda _: [set()],
    frozenset: lambda _: [frozenset()],
    dict: lambda value: [{}, dict(list(value.items())[1:])],
    type(None): lambda _: [0, ""],
}


def _swe_show(value: Any) -> Any:
    """A value as text that is the same for the same behaviour: no addresses, sets in order, objects by what they hold."""
    try:
        kind: Any = type(value)
        if kind in (set, frozenset):
            text = "{" + ", ".join(sorted(map(repr, value))) + "}"
        elif kind.__repr__ is object.__repr__:
            text = f"<{kind.__name__} {sorted(getattr(value, '__dict__', {}).items(), key=repr)}>"
        elif hasattr(value, "__next__"):
            text = f"yields {list(itertools.islice(value, 100))}"
        else:
            text = repr(value)
    except Exception as error:  # noqa: BLE001 (the code under test may raise whatever it likes)
        text = f"<cannot be shown: {type(error).__name__}>"
    return re.sub(r"0x[0-9a-fA-F]+", "0x", text)[:400]


def _swe_short(text: Any) -> Any:
    if len(text) <= _SWE_LONGEST:
        return text
    return text[:_SWE_LONGEST] + "... " + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
