from __future__ import annotations

import json

import pytest

from swesearch.agents.tools import TOOLS, Toolbox
from swesearch.base import State
from swesearch.dialogue import ToolCall


class Hands:
    """Uses tools on one workspace."""

    def __init__(self, place) -> None:
        self.workspace = place.workspace()
        self.box = Toolbox(self.workspace, place.memory)

    def use(self, name: str, /, **arguments) -> str:
        result = self.box.use(ToolCall("id", name, arguments), "so far")
        assert not result.error, result.text
        return result.text

    def refused(self, name: str, /, **arguments) -> str:
        result = self.box.use(ToolCall("id", name, arguments), "so far")
        assert result.error, result.text
        return result.text

    def search(self, pattern: str, regex: bool = False, path: str = "", page: int = 1) -> str:
        return self.use("search", pattern=pattern, regex=regex, path=path, page=page)

    def view(self, path: str, start: int = 0, end: int = 0) -> str:
        return self.use("view", path=path, start=start, end=end)


@pytest.fixture
def hands(place) -> Hands:
    return Hands(place)


@pytest.fixture
def hands_on(make_place):
    return lambda files: Hands(make_place(files))


def test_every_schema_is_strict():
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)
    for tool in TOOLS:
        assert tool.schema["required"] == list(tool.schema["properties"])
        assert tool.schema["additionalProperties"] is False
        assert json.loads(json.dumps(tool.schema)) == tool.schema


def test_search_finds_plain_text_and_regular_expressions(hands):
    assert hands.search("add(") == (
        "5 found, page 1 of 1\ncalc.py:1: def add(a, b):\ncalc.py:6: return add(a, a)\n"
        "pkg/use.py:3: TOTAL = add(1, 2)  # add\ntest_calc.py:4: def test_add():\ntest_calc.py:5: assert add(1, 2) == 3"
    )
    assert hands.search("^def (add|twice)", regex=True).count("calc.py") == 2
    assert hands.search("^def (add|twice)") == "nothing was found"
    assert hands.search("add", path="pkg") == hands.search("add", path="./pkg/use.py")


def test_a_pattern_is_never_an_option_or_a_command(hands):
    assert hands.search("--help") == "nothing was found"
    assert hands.search("-e; touch x") == "nothing was found"
    assert "no such file or folder" in hands.refused("search", pattern="x", regex=False, path="../..", page=1)
    assert "no such file or folder" in hands.refused("search", pattern="x", regex=False, path="/etc", page=1)


def test_a_bad_pattern_says_why(hands):
    assert "Unmatched" in hands.refused("search", pattern="(a", regex=True, path="", page=1)
    assert "part of one line" in hands.refused("search", pattern="a\nb", regex=False, path="", page=1)


def test_search_sees_edits(hands):
    hands.use("replace", path="calc.py", before="a - b", after="a + b  # mended")
    assert hands.search("mended").startswith("1 found")


def test_results_come_in_pages(hands_on):
    hands = hands_on({"many.txt": "".join(f"needle {n}\n" for n in range(120))})
    assert hands.search("needle").startswith("120 found, page 1 of 3\nmany.txt:1: needle 0\n")
    assert hands.search("needle", page=3).endswith("many.txt:120: needle 119")
    assert hands.search("needle", page=99) == hands.search("needle", page=3)


@pytest.mark.parametrize("output", range(2_000, 2_080, 16))
def test_where_output_was_cut_no_place_is_made_up(make_place, output):
    place = make_place({f"folder/file{n}.txt": "calc.py:1: needle\n" * 50 for n in range(3)})
    hands = Hands(place)
    hands.workspace = place.workspace(output=output)
    hands.box = Toolbox(hands.workspace, place.memory)
    first, *lines = hands.search("needle").splitlines()
    assert "more than are counted here" in first
    assert len(lines) > 30
    assert all(line.startswith("folder/file") for line in lines)


def test_symbols_tell_definitions_from_uses_and_leave_out_comments_and_strings(hands_on):
    sized = "class C:\n    size = 0\n    def grow(self):\n        self.size = 'size'  # size\n"
    hands = hands_on({"c.py": sized, "bad.py": "def ( size\n"})
    assert hands.use("symbols", name="calc.add", page=1).splitlines() == [
        "6 found, page 1 of 1",
        "calc.py:1: defines def add(a, b):",
        "calc.py:6: uses return add(a, a)",
        "pkg/use.py:1: uses from calc import add",
        "pkg/use.py:3: uses TOTAL = add(1, 2)  # add",
        "test_calc.py:1: uses from calc import add",
        "test_calc.py:5: uses assert add(1, 2) == 3",
    ]
    assert hands.use("symbols", name="size", page=1).splitlines()[1:3] == [
        "c.py:2: sets size = 0",
        "c.py:4: sets self.size = 'size'  # size",
    ]
    assert "is no name" in hands.refused("symbols", name="a b", page=1)


def test_a_file_is_viewed_with_numbers_and_in_pages(hands_on):
    hands = hands_on({"long.py": "".join(f"x{n} = {n}\n" for n in range(1, 601)), "wide.py": f"{'x' * 390}\n" * 99})
    assert (
        hands.view("calc.py", 1, 2)
        == "calc.py, lines 1 to 2 of 6\n     1\tdef add(a, b):\n     2\t    return a - b\n(lines 3 to 6 follow: view with start=3)"
    )
    assert hands.view("long.py").endswith("   250\tx250 = 250\n(lines 251 to 600 follow: view with start=251)")
    assert hands.view("wide.py").endswith("(lines 41 to 99 follow: view with start=41)")
    assert hands.view("long.py", 590, 9999).endswith("   600\tx600 = 600")
    assert hands.refused("view", path="calc.py", start=7, end=9) == "calc.py has 6 lines"


def test_a_folder_lists_what_it_holds(hands):
    assert hands.view("") == hands.view(".") == hands.view("/")
    assert hands.view("") == "the repository holds\ncalc.py\npkg/ (2 files)\ntest_calc.py"
    assert hands.view("pkg/") == "pkg holds\n__init__.py\nuse.py"


def test_odd_files_are_shown_as_what_they_are(hands_on):
    hands = hands_on({"data.bin": b"\x00\x01", "wide.txt": "x" * 5000, "latin.txt": b"\xe9\n", "trick.py": "a = 1  # \u202e\n"})
    assert hands.view("data.bin") == "data.bin is a binary file of 2 bytes"
    assert "4600 characters left out" in hands.view("wide.txt")
    assert r"\ud800: there is no such file" in hands.refused("view", path="\ud800", start=0, end=0)
    assert r"\xe9" in hands.view("latin.txt")
    assert r"\u202e" in hands.view("trick.py")


def test_a_replacement_shows_the_lines_around_it(hands):
    assert hands.use("replace", path="calc.py", before="a - b", after="a + b").startswith("done\ncalc.py, lines 1 to 5 of 6\n")
    assert "several times, at lines 1, 6" in hands.refused("replace", path="calc.py", before="add(a", after="sum(a")


def test_a_file_that_no_longer_parses_is_told_at_once(hands):
    assert "does not parse: look at line 2" in hands.use("replace", path="calc.py", before="a - b", after="a + (b")


def test_lines_are_inserted_after_a_line(hands_on):
    hands = hands_on({"open.txt": "one"})
    hands.use("insert", path="calc.py", line=0, text="import os\n")
    hands.use("insert", path="calc.py", line=3, text="    # after")
    assert hands.workspace.read("calc.py").startswith(b"import os\ndef add(a, b):\n    return a - b\n    # after\n")
    hands.use("insert", path="open.txt", line=1, text="two")
    assert hands.workspace.read("open.txt") == b"one\ntwo\n"
    assert hands.refused("insert", path="open.txt", line=3, text="x") == "open.txt has 2 lines: line must be from 0 to 2"


def test_line_ends_of_a_file_are_kept(hands_on):
    hands = hands_on({"dos.py": "a = 1\r\nb = 2\r\n"})
    hands.use("replace", path="dos.py", before="a = 1\nb = 2", after="a = 1\nb = 3")
    hands.use("insert", path="dos.py", line=2, text="c = 4")
    assert hands.workspace.read("dos.py") == b"a = 1\r\nb = 3\r\nc = 4\r\n"


def test_files_are_created_but_not_over_others(hands):
    assert hands.use("create", path="new/mod.py", content="x = 1\n") == "new/mod.py was created with 1 lines"
    assert "already exists" in hands.refused("create", path="calc.py", content="x")
    assert "half a character" in hands.refused("create", path="s.py", content="\ud800")


def test_rarely_needed_tools_are_disclosed_when_asked_for(hands):
    manual = hands.use("more", name="", arguments="")
    assert all(f"{name}: " in manual for name in ("delete", "rename", "undo", "diff"))
    assert hands.use("more", name="rename", arguments='{"path": "calc.py", "to": "sums.py"}') == "calc.py is now sums.py"
    assert "-def twice(a):" in hands.use("more", name="diff", arguments="{}")
    hands.use("more", name="undo", arguments="")
    assert hands.workspace.edits == ()
    assert hands.refused("more", name="delete", arguments="{}") == "delete needs path"
    assert "JSON object" in hands.refused("more", name="delete", arguments="[")
    assert "JSON object" in hands.refused("more", name="delete", arguments="[1]")
    assert hands.use("more", name="no such tool", arguments="?") == manual


def test_what_was_found_out_is_recalled_for_the_same_conversation_and_code_only(place):
    first, second = Hands(place), Hands(place)
    stamp = first.use("run", command="date +%N")
    assert second.use("run", command="date +%N") == stamp
    assert first.box.use(ToolCall("id", "run", {"command": "date +%N"}), "further on").text != stamp
    second.use("insert", path="calc.py", line=0, text="# new")
    assert second.use("run", command="date +%N") != stamp


def test_a_check_is_of_the_code_as_it_is_now(hands):
    assert hands.use("check").startswith("the check fails")
    hands.use("replace", path="calc.py", before="a - b", after="a + b")
    assert hands.workspace.checked != hands.workspace.state
    assert hands.use("check") == "the check passes"
    assert hands.workspace.checked == hands.workspace.state
    assert isinstance(hands.workspace.checked, State)


@pytest.mark.parametrize(("evil", "why"), [("\ud800", "half a character"), ("\0", "NUL byte")])
def test_half_a_character_and_a_nul_byte_reach_no_sandbox(hands, evil, why):
    assert why in hands.refused("run", command=f"echo {evil}")
    assert why in hands.refused("search", pattern=evil, regex=False, path="", page=1)
    assert hands.use("run", command="echo fine").startswith("(exit status 0)")


def test_no_result_is_longer_than_a_model_can_bear(hands):
    hands.use("create", path="large.txt", content="line\n" * 30_000)
    assert len(hands.use("more", name="diff", arguments="")) < 25_000
