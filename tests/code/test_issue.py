"""What an issue mentions."""

import time

from swesearch.code.issue import FILE, LINE, NAME, mentions

ISSUE = """Crash in `format_meter`

When calling tqdm.format_sizeof(x) from src/bar.py I get:

  File "/home/me/venv/lib/site-packages/tqdm/_tqdm.py", line 323, in format_meter
TypeError: unsupported operand
"""


def test_the_very_line_of_a_pasted_traceback_weighs_most() -> None:
    said = mentions(ISSUE)
    assert said.weight("tqdm/_tqdm.py", "tqdm.format_meter", 323) == FILE * NAME * LINE
    assert said.weight("tqdm/_tqdm.py", "tqdm.close", 12) == FILE


def test_a_file_is_known_by_the_end_of_its_path() -> None:
    assert mentions("see bar.py").weight("src/bar.py", "", 1) == FILE
    assert mentions("see foobar.py").weight("src/bar.py", "", 1) == 1


def test_prose_mentions_no_names() -> None:
    assert mentions("The close button should always run format").names == frozenset()


def test_code_in_prose_is_found_by_its_looks() -> None:
    assert mentions("use `x` or getText, a.b_c and run()").names >= {"x", "getText", "a", "b_c", "run"}


def test_an_empty_issue_changes_nothing() -> None:
    assert mentions("").weight("a.py", "f", 1) == 1


def test_a_hostile_issue_costs_little() -> None:
    start = time.process_time()
    mentions("x" * 20_000 + "a.b_" * 5_000 + "`" * 5_000)
    assert time.process_time() - start < 1
