"""What speaks for a patch where no test says which is right."""

from __future__ import annotations

import pytest

from swesearch.base import Action, Attempt, Candidate, Evaluation, Measurement
from swesearch.discriminator.weigh import WEIGHTS, WHY, Weigh

CODE = '"""Half of it."""\n\n\ndef half(number):\n    return number // 2\n\n\ndef other():\n    return 1\n'
FILES = {"pkg/core.py": CODE, "pkg/spare.py": "x = 1\n"}


@pytest.fixture
def weigh(make_project):
    """A function from {name: (files, terms)} to the names as they are ranked, and the verdict."""
    project = make_project(FILES)

    def rank(given, issue=""):
        candidates = [candidate(project, name, files, terms) for name, (files, terms) in given.items()]
        verdict = Weigh(project.store, project.root, issue).pick(candidates)
        return [each.attempt.action.why for each in verdict.ranking], verdict

    return rank


def candidate(project, name, files, terms):
    return Candidate(Attempt(Action((), name), project.state(files), Evaluation(0.5, terms=tuple(terms))), b"", verified=False)


def half(text):
    return {"pkg/core.py": CODE.replace("number // 2", text)}


def ran(broken=0):
    return Measurement("regression", 1.0, facts={"count": broken, "broken": [f"t{n}" for n in range(broken)]})


def showed(text="1", **facts):
    zero = {"changed": 0, "mended": 0, "hurt": 0, "said": 0}
    return Measurement("examples", 0.5, facts={**zero, **facts, "shown": {"e": text}, "before": {"e": "1"}})


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ([ran(0)], [ran(3)]),
        ([showed("2", changed=1)], [showed()]),
        ([showed("2", changed=1, mended=1)], [showed("3", changed=1)]),
        ([showed("2", changed=1, said=1)], [showed("3", changed=1)]),
        ([showed()], [showed("raises", changed=1, hurt=1)]),
        ([Measurement("lint", 1.0)], [Measurement("lint", 0.0, blocked=True)]),
    ],
)
def test_what_was_found_by_running_decides(weigh, better, worse):
    names, _ = weigh({"worse": (half("number / 3"), worse), "better": (half("number / 2"), better)})

    assert names == ["better", "worse"]


def test_what_could_not_be_found_out_counts_for_nothing(weigh):
    unknown = Measurement("regression", 0.0, known=False, facts={"count": 9})

    names, _ = weigh({"unknown": (half("number / 2"), [unknown]), "broken": (half("number / 2"), [ran(1)])})

    assert names == ["unknown", "broken"]


def test_candidates_that_are_the_same_program_support_each_other(weigh):
    same = {"pkg/core.py": CODE.replace("number // 2", "number / 2  # exactly").replace("Half", "One half")}

    names, _ = weigh({"alone": (half("number / 3"), []), "one": (half("number / 2"), []), "two": (same, [])})

    assert names[2] == "alone"


def test_candidates_that_do_the_same_support_each_other(weigh):
    names, _ = weigh(
        {
            "alone": (half("number / 3"), [showed("3", changed=1)]),
            "one": (half("number / 2"), [showed("2", changed=1)]),
            "two": (half("number * 0.5"), [showed("2", changed=1)]),
        }
    )

    assert names[2] == "alone"


def test_candidates_that_change_nothing_that_is_seen_do_not(weigh):
    alike = {name: (half(f"number / {n}"), [showed()]) for n, name in enumerate("abc", 7)}

    names, verdict = weigh(alike)

    assert names == list("abc")
    assert "it was found first" in verdict.why


def test_what_the_issue_names_is_likelier_to_be_what_has_to_change(weigh):
    other = {"pkg/core.py": CODE.replace("return 1", "return 2")}

    names, verdict = weigh({"other": (other, []), "named": (half("number / 2"), [])}, "`half(3)` gives 1")

    assert names == ["named", "other"]
    assert WHY["mentioned"] in verdict.why


def test_new_files_that_are_left_behind_speak_against_a_patch(weigh):
    names, _ = weigh({"untidy": ({**half("number / 2"), "reproduce.py": "import pkg\n"}, []), "tidy": (half("number / 2"), [])})

    assert names == ["tidy", "untidy"]


def test_a_patch_that_changes_nothing_that_was_there_comes_last(weigh):
    script = {"reproduce.py": "import pkg\n"}
    notes = {"pkg/core.py": CODE.replace("Half of it", "Half of it, and no more") + "# a note\n"}

    names, _ = weigh({"script": (script, []), "again": (script, []), "notes": (notes, []), "wrong": (half("number / 3"), [ran(2)])})

    assert names[0] == "wrong"


def test_every_sign_has_a_weight_and_words(weigh, make_project):
    _, verdict = weigh({"one": (half("number / 2"), [])})

    assert WEIGHTS.keys() == WHY.keys()
    assert verdict.why == "the only candidate"
    assert weigh({})[0] == []
