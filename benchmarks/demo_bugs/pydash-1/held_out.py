import pydash


def longest(ours, theirs):
    if isinstance(ours, str) and isinstance(theirs, str):
        return max(ours, theirs, key=len)
    return None


def test_the_function_reaches_every_depth():
    ours = {"a": {"b": {"c": {"d": "short"}}}, "z": "x"}
    theirs = {"a": {"b": {"c": {"d": "no"}}}, "z": ""}
    assert pydash.merge_with(ours, theirs, longest) == {"a": {"b": {"c": {"d": "short"}}}, "z": "x"}


def test_the_function_reaches_lists_inside_dicts():
    assert pydash.merge_with({"a": ["long", "b"]}, {"a": ["no", "longer"]}, longest) == {"a": ["long", "longer"]}


def test_the_function_gets_keys_and_objects_of_the_level_it_works_on():
    seen = []
    pydash.merge_with({"a": {"b": 1}}, {"a": {"b": 2}}, lambda ours, theirs, key: seen.append(key))
    assert seen == ["a", "b"]


def test_several_sources_are_merged_in_order():
    merged = pydash.merge_with({"a": {"b": "1"}}, {"a": {"b": "22"}}, {"a": {"b": "3"}}, longest)
    assert merged == {"a": {"b": "22"}}


def test_merge_still_overwrites():
    assert pydash.merge({"a": {"b": 1}}, {"a": {"b": 2}}) == {"a": {"b": 2}}
