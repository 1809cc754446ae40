import pydash


def add(ours, theirs):
    if isinstance(ours, int) and isinstance(theirs, int):
        return ours + theirs
    return None


def test_nested_values_are_merged_by_the_callers_function():
    assert pydash.merge_with({"a": {"b": 1}}, {"a": {"b": 2}}, iteratee=add) == {"a": {"b": 3}}


def test_outer_values_are_merged_by_the_callers_function():
    assert pydash.merge_with({"a": 1}, {"a": 2}, add) == {"a": 3}


def test_nested_dicts_are_merged_without_a_function():
    assert pydash.merge({"a": {"b": 1}}, {"a": {"c": 2}}) == {"a": {"b": 1, "c": 2}}


def test_new_keys_are_added():
    assert pydash.merge_with({}, {"a": {"b": 2}}, add) == {"a": {"b": 2}}
