import pathspec
import pytest

SPEC = pathspec.PathSpec.from_lines("gitwildmatch", ["*.log", "!keep.log", "build/"])
FILES = {"a.log": True, "deep/er/a.log": True, "keep.log": False, "build/x": True, "src/main.py": False, "log": False}


@pytest.mark.parametrize(("file", "expected"), FILES.items())
def test_the_answer_is_a_truth_value(file, expected):
    assert SPEC.match_file(file) is expected


def test_no_patterns_match_nothing():
    assert pathspec.PathSpec([]).match_file("anything") is False


def test_listing_and_asking_agree():
    assert set(SPEC.match_files(FILES)) == {file for file, expected in FILES.items() if expected}
