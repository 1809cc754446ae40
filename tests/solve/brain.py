"""A scripted model for the small project: what it says to planner, executor, reproducer and judge."""

from __future__ import annotations

from swesearch.dialogue import ToolResult
from swesearch.testing import Answer, as_json, example

RIGHT = ("pkg/core.py", "    if value < high:\n        return high", "    if value > high:\n        return high")
WRONG = ("pkg/core.py", "    if value < low:\n        return low", "    if value <= low:\n        return low")
ISSUE = "clamp(3, 1, 5) gives 5, but it should give 3: values inside the range must stay as they are."
TEST = "from pkg.core import clamp\n\n\ndef test_inside():\n    assert clamp(3, 1, 5) == 3\n"


def hypotheses(*named):
    """What a planner says: one hypothesis for each (cause, prior)."""
    return as_json(
        {
            "hypotheses": [
                {
                    "cause": cause,
                    "files": ["pkg/core.py"],
                    "approach": f"{cause}: change it.",
                    "falsifier": "it fails still",
                    "prior": prior,
                }
                for cause, prior in named
            ]
        }
    )


class Brain:
    """A model with one good idea. It plans the wrong one first, and works out whichever it is given."""

    def __init__(self, *ideas):
        self.ideas = ideas or (("The low bound is wrong", 0.5), ("The high bound is compared the wrong way round", 0.3))
        self.asked = []

    def __call__(self, turn):
        system = turn.system.lower()
        self.asked.append(system[:40])
        if turn.schema and "hypotheses" in turn.schema["properties"]:
            return hypotheses(*self.ideas)
        if turn.schema and "tests" in turn.schema["properties"]:
            return as_json({"tests": [{"behaviour": "inside", "error": "AssertionError", "message": "assert 5 == 3", "source": TEST}]})
        if turn.schema:
            return as_json(example(turn.schema))
        return self.work(turn)

    def work(self, turn):
        """One turn of an executor: edit, check, finish."""
        heard = sum(isinstance(part, ToolResult) for message in turn.messages for part in message.parts)
        words = "".join(message.text for message in turn.messages).rpartition("Carry out this hypothesis")[2]
        path, before, after = RIGHT if "The high bound" in words else WRONG
        edit = ("replace", {"path": path, "before": before, "after": after})
        return Answer(thinking="hm", calls=[[edit], [("check", {})], [("finish", {"summary": "done"})]][min(heard, 2)])


class Stubborn(Brain):
    """Makes executors that behave badly, each in a way of its own."""

    def __init__(self, work):
        super().__init__()
        self.work = work
