"""Words of the fix: what failing assertions compare with, and what messages mention."""

import pytest

from sandbox.base import Frame, TestOutcome
from swesearch.code import parse
from swesearch.code.literals import compared, expected_first, literals, names, of_message
from swesearch.code.scene import Scene
from swesearch.value.protect import is_test


def failed(error: str = "AssertionError", message: str = "", line: int = 0, case: str = "") -> TestOutcome:
    frames = (Frame("test_a.py", line, "test_f"),) if line else ()
    return TestOutcome(f"test_a.py::test_f{case}", "failed", error=error, message=message, frames=frames)


def scene(test: TestOutcome, source: bytes) -> Scene:
    return Scene([test], [], is_test, lambda path: source)


def statement(source: bytes) -> list[str]:
    return list(expected_first(parse.statements_at(source, 1)[0]))


@pytest.mark.parametrize(
    ("source", "first"),
    [
        (b"assert f('in') == 'out'", "'out'"),
        (b"self.assertEqual(f('in', 1), -2)", "-2"),
        (b"assert f([1, 2]) == {'a': None}", "{'a': None}"),
        (b"assert 'a' 'b' == g(1.5)", "'a' 'b'"),
    ],
)
def test_expected_values_come_before_the_inputs_of_calls(source: bytes, first: str) -> None:
    assert statement(source)[0] == first


def test_a_container_that_is_not_constant_is_no_literal_but_its_parts_are() -> None:
    assert statement(b"assert f() == [x, 'y']") == ["'y'"]


def test_both_sides_of_a_comparison_in_a_message_are_literals() -> None:
    assert list(of_message("assert 'a' == 'b'\n  +  where 'a' = f(1)")) == ["'a'", "'b'"]
    assert list(of_message("'None' != None")) == ["'None'", "None"]


def test_lines_of_a_text_diff_become_strings() -> None:
    assert list(of_message("Texts differ\n  - it's so\n  + it was so")) == ['"it\'s so"', "'it was so'"]


def test_literals_of_the_failing_statement_come_before_those_of_the_message() -> None:
    test = failed(message="assert 'got' == 'want'", line=2)
    assert literals(scene(test, b"def test_f():\n    assert f() == 'want'\n")) == ("'want'", "'got'")


def test_parameters_of_the_failing_case_come_first() -> None:
    source = b"@parametrize('x', ['one', 'two'])\ndef test_f(x):\n    assert f(x)\n"
    found = literals(scene(failed(line=3, case="[two]"), source))
    assert found.index("'two'") < found.index("'one'")


@pytest.mark.parametrize(
    ("error", "message", "found"),
    [
        ("AttributeError", "'NoneType' object has no attribute 'decode'", ("decode",)),
        ("AttributeError", "module 'os.path' has no attribute 'jion'", ("os", "path", "jion")),
        ("NameError", "name 'output_path' is not defined", ("output_path",)),
        ("TypeError", "f() got an unexpected keyword argument 'limit'", ("f", "limit")),
        ("KeyError", "'Host'", ("Host",)),
        ("AssertionError", "'a' != 'b'", ()),
    ],
)
def test_identifiers_that_a_message_quotes_are_found(error: str, message: str, found: tuple[str, ...]) -> None:
    assert names(failed(error, message)) == found


def test_a_hostile_message_costs_little() -> None:
    assert len(literals(scene(failed(message="[" * 4000 + "'" * 90), b""))) <= 60


def test_a_message_that_holds_half_a_character_is_read_all_the_same() -> None:
    assert list(of_message("assert '\ud800' == 7")) == ["'\\ud800'", "7"]


@pytest.mark.parametrize(
    ("message", "sides"),
    [
        ("assert 'a...' == 'b...'\n  \n  - bc\n  + ac\n  ? ^", ("bc", "ac")),
        ("'one' != 'two'\n- one\n+ two", ("one", "two")),
        ("assert 'one' == 'two'", ("one", "two")),
        ("assert 1 == 2", ("", "")),
        ("assert 'one' in ['two', 'three']", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_two_texts_that_an_assertion_compares(message: str, sides: tuple[str, str]) -> None:
    assert compared(message) == sides
