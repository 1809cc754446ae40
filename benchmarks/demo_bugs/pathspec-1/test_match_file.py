import pathspec

SPEC = pathspec.PathSpec.from_lines("gitwildmatch", ["*.log", "!keep.log"])


def test_a_file_that_no_pattern_mentions_does_not_match():
    assert SPEC.match_file("main.py") is False


def test_a_file_that_a_pattern_names_matches():
    assert SPEC.match_file("build/run.log") is True


def test_a_file_that_is_taken_out_again_does_not_match():
    assert SPEC.match_file("keep.log") is False


def test_the_files_that_match_are_listed():
    assert list(SPEC.match_files(["a.log", "b.py", "keep.log"])) == ["a.log"]
