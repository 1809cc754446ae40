"""The scene of a failure: which tests failed and passed, what they executed, and the sources they ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from sandbox.base import Frame, TestOutcome
from swesearch.code.outline import Outline, outline
from swesearch.code.parse import Function, language_of

Place = tuple[str, int]  # path, first line of a statement or clause


@dataclass(frozen=True)
class Scene:
    """Everything that evidence is drawn from. `sources` gives the bytes of a work-tree file, b"" where there is none."""

    failing: Sequence[TestOutcome]
    passing: Sequence[TestOutcome]
    is_test: Callable[[str], bool]
    sources: Callable[[str], bytes]
    imported: Mapping[str, Sequence[int]] = field(default_factory=dict)  # lines that ran on import, by path
    _outlines: dict[str, Outline] = field(default_factory=dict, init=False, repr=False)

    def outline(self, path: str) -> Outline:
        """The outline of a file, read once; an empty one for files that are not code."""
        if path not in self._outlines:
            self._outlines[path] = outline(self.sources(path) if language_of(path) else b"")
        return self._outlines[path]

    def place(self, path: str, line: int) -> Place | None:
        """The place of a line, None where there is none."""
        first = self.outline(path).place(line)
        return (path, first) if first else None

    def node(self, path: str, line: int) -> Node:
        """The statement or clause of a line. Raises KeyError where there is none."""
        code = self.outline(path)
        return code.nodes[code.place(line)]

    def executed(self, test: TestOutcome) -> frozenset[Place]:
        """The places a test executed, its own and its helpers' included."""
        return self._places(test.lines)

    def _places(self, lines: Mapping[str, Sequence[int]]) -> frozenset[Place]:
        return frozenset(place for path, numbers in lines.items() for line in numbers if (place := self.place(path, line)))

    @cached_property
    def suspects(self) -> tuple[frozenset[Place], ...]:
        """Per failing test, the places to suspect, tests' own left out.

        Those it executed; where none are known those of its traceback's functions; where it has none what ran on import.
        """
        return tuple(self._suspects(test) for test in self.failing)

    def _suspects(self, test: TestOutcome) -> frozenset[Place]:
        choices = (self.executed(test), self._around(test), self._places(self.imported))
        ours = (frozenset(place for place in choice if not self.is_test(place[0])) for choice in choices)
        return next((places for places in ours if places), frozenset())

    def _around(self, test: TestOutcome) -> Iterator[Place]:
        for frame in test.frames:
            function = self.function(frame.path, frame.line)
            found = self.outline(frame.path)
            places = found.places(function) if function else (found.place(frame.line),)
            yield from ((frame.path, place) for place in places if place)

    def function(self, path: str, line: int) -> Function | None:
        """The innermost function around a line."""
        found = self.outline(path)
        return found.within.get(found.place(line))

    def frames(self, test: TestOutcome) -> tuple[Frame, ...]:
        """The traceback in the repository's own code, innermost first."""
        return tuple(f for f in reversed(test.frames) if not self.is_test(f.path) and self.place(f.path, f.line))

    def test_frames(self, test: TestOutcome) -> tuple[Frame, ...]:
        """The traceback in test code, innermost first."""
        return tuple(f for f in reversed(test.frames) if self.is_test(f.path) and self.place(f.path, f.line))
