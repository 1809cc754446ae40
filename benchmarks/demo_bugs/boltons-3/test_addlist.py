from boltons.dictutils import OMD


def test_adding_no_values_adds_no_key():
    multi = OMD()
    multi.addlist("colour", [])
    assert "colour" not in multi
    assert multi.get("colour") is None


def test_values_are_added_in_order():
    multi = OMD([("colour", "red")])
    multi.addlist("colour", ["green", "blue"])
    assert multi.getlist("colour") == ["red", "green", "blue"]


def test_adding_values_adds_a_new_key():
    multi = OMD()
    multi.addlist("size", (1, 2))
    assert multi["size"] == 2
    assert len(multi) == 1
