"""What the user says about the bug, as weights on suspicious code: the files, lines, functions and names that a hint speaks of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from swesearch.agents.templates.source import Unit
from swesearch.agents.templates.suspects import Suspect
from swesearch.code.issue import IDENTIFIER, NAME, mentions

PLACE = re.compile(r"([\w./-]+\.pyi?):(\d{1,9})\b")  # core.py:12
TRUST = 3  # a hint counts as if so many issues said the same: a user who watches knows more than a reporter
SHORTEST = 4  # letters of a word that is taken for a name though nothing marks it as code


def heed(found: Sequence[Suspect], hints: Sequence[str]) -> list[Suspect]:
    """The suspects with what the hints speak of made likelier; their scores still sum to one."""
    text = PLACE.sub(r'\1 File "\1", line \2', "\n".join(hints))
    said = mentions(text)
    words = said.names | {word for word in IDENTIFIER.findall(text) if len(word) >= SHORTEST}

    def weight(unit: Unit) -> float:
        name = unit.function.child_by_field_name("name") if unit.function else None
        function = unit.file.text(name) if name else ""
        spoken = max(said.weight(unit.file.path, function, line) for line in {node.start_point.row + 1 for node in unit.nodes})
        named = bool(words & {unit.file.text(node) for node in unit.nodes if node.type == "identifier"})
        return float((spoken * (NAME if named else 1.0)) ** TRUST)

    scores = [suspect.score * weight(suspect.unit) for suspect in found]
    total = sum(scores)
    return [replace(suspect, score=score / total) for suspect, score in zip(found, scores, strict=True)]
