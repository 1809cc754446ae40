import pytest
from boltons.dictutils import OMD


@pytest.mark.parametrize("nothing", [[], (), "", set()])
def test_adding_nothing_changes_nothing(nothing):
    multi = OMD([("a", 1), ("b", 2), ("a", 3)])
    multi.addlist("a", nothing)
    multi.addlist("new", nothing)
    assert multi == OMD([("a", 1), ("b", 2), ("a", 3)])
    assert list(multi.items(multi=True)) == [("a", 1), ("b", 2), ("a", 3)]
    assert len(multi) == 2


def test_values_after_nothing_are_added():
    multi = OMD()
    multi.addlist("a", [])
    multi.addlist("a", [0])
    multi.addlist("a", [None, 2])
    assert multi.getlist("a") == [0, None, 2]
    assert list(multi.items(multi=True)) == [("a", 0), ("a", None), ("a", 2)]
    assert multi.popall("a") == [0, None, 2]
    assert "a" not in multi
