"""Places: the statements, clauses and decorators of a file, and the words in them."""

from swesearch.code import outline as o

SOURCE = b"""\
LIMIT = 3


@cache
def shop(items, *,
         limit=LIMIT):
    total = (items[0] +
             items[1])
    if total > limit:
        return limit
    elif total:
        total -= 1
    def later():
        return total
    return later
"""


def test_every_line_of_a_statement_belongs_to_its_first() -> None:
    code = o.outline(SOURCE)
    assert [code.place(line) for line in range(1, 16)] == [1, 0, 0, 4, 5, 5, 7, 7, 9, 10, 11, 12, 13, 14, 15]
    assert code.place(0) == code.place(99) == 0


def test_a_place_belongs_to_its_innermost_function_and_a_header_to_what_is_around_it() -> None:
    code = o.outline(SOURCE)
    named = {place: function.name if function else None for place, function in code.within.items()}
    assert named[1] is None
    assert named[13] == "shop"
    assert named[14] == "shop.later"
    assert named[15] == "shop"


def test_a_functions_places_leave_out_those_of_functions_inside_it() -> None:
    code = o.outline(SOURCE)
    assert 14 not in code.places(code.functions[0])
    assert {7, 9, 10, 11, 12, 13, 15} <= set(code.places(code.functions[0]))


def test_assigned_names_are_those_on_the_left() -> None:
    code = o.outline(b"a.b, c[d] = e\nf += g\nfor h in i:\n    j = k\n")
    assert o.assigned(code, 1) == {"a", "b", "c", "d"}
    assert o.assigned(code, 2) == {"f"}
    assert o.assigned(code, 3) == {"h"}


def test_branches_that_control_a_place_come_innermost_first_and_end_at_its_function() -> None:
    code = o.outline(b"if a:\n    def f():\n        while b:\n            if c:\n                d\n")
    assert list(o.controlling(code, 5)) == [4, 3]


def test_words_come_out_of_snake_and_camel_case() -> None:
    assert o.words("getHTTPHeader_fields of X1") == {"get", "http", "header", "fields"}


def test_the_text_of_a_compound_statement_is_its_header() -> None:
    code = o.outline(SOURCE)
    assert o.own_text(code, 9) == "if total > limit:"


def test_operators_and_builtins_call_special_methods() -> None:
    code = o.outline(b"assert len(a) == b[c]\nwith d in e:\n    pass\n")
    assert {"__len__", "__eq__", "__getitem__", "a", "b", "c"} <= o.calls(code, 1)
    assert {"__enter__", "__contains__"} <= o.calls(code, 2)
    assert "__eq__" not in o.calls(code, 2)
