import parse
import pytest


@pytest.mark.parametrize(("pattern", "text"), [("Name: {}", "name: Bob"), ("{a} AND {b}", "x and y"), ("K{:d}", "k7")])
def test_compile_agrees_with_parse_about_case(pattern, text):
    for strict in (False, True):
        compiled = parse.compile(pattern, case_sensitive=strict).parse(text)
        direct = parse.parse(pattern, text, case_sensitive=strict)
        assert (compiled is None) == (direct is None) == strict


def test_case_and_extra_types_go_together():
    kinds = {"twice": lambda text: text * 2}
    compiled = parse.compile("Say {:twice}", kinds, case_sensitive=True)
    assert compiled.parse("Say ho")[0] == "hoho"
    assert compiled.parse("say ho") is None
    assert parse.compile("Say {:twice}", kinds).parse("SAY ho")[0] == "hoho"


def test_case_matters_in_search_and_findall_of_a_compiled_format():
    strict = parse.compile("X{:d}", case_sensitive=True)
    assert strict.search("x1 X2")[0] == 2
    assert [found[0] for found in strict.findall("x1 X2 x3 X4")] == [2, 4]
