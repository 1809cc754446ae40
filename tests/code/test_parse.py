"""Syntax trees: lines, spans, statements and functions of files as they come."""

import pytest

from swesearch.code import parse

LATIN = (
    b"# -*- coding: latin-1 -*-\r\n"
    b'X = "caf\xe9"; Y = 1\r\n'
    b"class A:\r\n"
    b"    @property\r\n"
    b"    def f(self,\r\n"
    b"          x=1):\r\n"
    b"        if x:\r\n"
    b"            return (1,\r\n"
    b"               2)\r\n"
    b"        else:\r\n"
    b"            pass\r\n"
    b"        def g(): return 1\r\n"
)


def kinds(source: bytes, line: int) -> list[str]:
    return [node.type for node in parse.statements_at(source, line)]


def test_equal_sources_share_one_tree() -> None:
    assert parse.parse(b"x = 1\n") is parse.parse(bytes(bytearray(b"x = 1\n")))


def test_latin_1_and_crlf_parse_without_errors() -> None:
    assert parse.errors(LATIN) == ()


@pytest.mark.parametrize("source", [b"def f(:\n    x\n", b"x = (\n", b"print(1))\n"])
def test_broken_code_has_errors_that_point_into_it(source: bytes) -> None:
    found = parse.errors(source)
    assert found
    assert all(0 <= s.start <= s.end <= len(source) for s in found)


@pytest.mark.parametrize("source", [b"", b"\xef\xbb\xbfimport os\n", b"async def f():\n    return [x async for x in y]\n", b"x = 1"])
def test_sound_code_has_no_errors(source: bytes) -> None:
    assert parse.errors(source) == ()


def test_functions_are_named_by_where_they_stand() -> None:
    assert [(f.name, f.first, f.body, f.last) for f in parse.functions(LATIN)] == [("A.f", 4, 7, 12), ("A.f.g", 12, 12, 12)]


def test_the_innermost_function_around_a_line_is_found() -> None:
    found = {line: parse.function_at(LATIN, line) for line in (2, 8, 12)}
    assert {line: f.name if f else None for line, f in found.items()} == {2: None, 8: "A.f", 12: "A.f.g"}


def test_a_line_gives_the_statements_that_begin_on_it() -> None:
    assert kinds(LATIN, 2) == ["expression_statement", "expression_statement"]
    assert kinds(LATIN, 8) == ["return_statement"]


def test_a_line_inside_a_statement_gives_the_innermost_one() -> None:
    assert kinds(LATIN, 9) == ["return_statement"]
    assert kinds(LATIN, 10) == ["if_statement"]
    assert kinds(LATIN, 5) == ["decorated_definition"]


def test_a_line_span_leaves_out_the_line_end() -> None:
    span = parse.line_span(LATIN, 2)
    assert LATIN[span.start : span.end] == b'X = "caf\xe9"; Y = 1'
    assert parse.line_at(LATIN, span.start) == parse.line_at(LATIN, span.end) == 2


def test_a_line_that_is_not_there_is_an_index_error() -> None:
    with pytest.raises(IndexError, match="line 3 of 2"):
        parse.line_span(b"x\n", 3)


def test_nodes_on_a_line_come_outer_ones_first() -> None:
    found = parse.nodes_at(b"x = 1\ny = 2\n", 1)
    assert [n.type for n in found] == ["module", "expression_statement", "assignment", "identifier", "integer"]


def test_a_query_captures_nodes_by_name() -> None:
    found = parse.captures("(call function: (identifier) @name)", parse.parse(b"f(g(1))\n").root_node)
    assert [parse.text(n) for n in found["name"]] == ["f", "g"]


def test_a_very_deep_tree_is_walked_without_recursion() -> None:
    source = b"x = " + b"(" * 3000 + b"1" + b")" * 3000
    assert sum(1 for _ in parse.walk(parse.parse(source).root_node)) > 6000


def test_a_file_is_known_by_its_suffix() -> None:
    assert parse.language_of("a/b.py") == "python"
    assert parse.language_of("a/b.c") is None


def test_a_compound_statement_owns_its_header_only() -> None:
    source = b"if a:\n    b\nelif c:\n    d\n"
    (branch,) = parse.statements_at(source, 1)
    assert [parse.text(n) for n in parse.own(branch) if n.type == "identifier"] == ["a"]
    assert source[: parse.header(branch).end] == b"if a:"


def test_a_decorated_function_owns_its_decorators_and_signature() -> None:
    source = b"@cache\ndef f(x=1):\n    return x\n"
    (function,) = parse.statements_at(source, 1)
    assert [parse.text(n) for n in parse.own(function) if n.type == "identifier"] == ["cache", "f", "x"]


def test_a_simple_statement_owns_all_of_itself() -> None:
    source = b"x = [\n    1,\n]\n"
    (assignment,) = parse.statements_at(source, 2)
    assert parse.header(assignment) == parse.Span(0, len(source) - 1)
