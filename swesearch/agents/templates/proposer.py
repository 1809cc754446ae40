"""The model-free proposer: suspicious lines x templates x nodes x ingredients, in falling prior, worked out as far as it is asked.

The prior of a draft is P(line) P(operator | line) P(node | operator) P(ingredient | node); each factor sums to one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from typing import NamedTuple, Protocol

from tree_sitter import Node

from swesearch.agents.templates.catalog import TABLE
from swesearch.agents.templates.context import Context, Surroundings
from swesearch.agents.templates.draft import Draft
from swesearch.agents.templates.hints import heed
from swesearch.agents.templates.neighbours import neighbours
from swesearch.agents.templates.repeats import repeats
from swesearch.agents.templates.shape import Shape
from swesearch.agents.templates.source import File, Unit
from swesearch.agents.templates.suspects import Suspect, suspects
from swesearch.agents.templates.table import Template
from swesearch.base import Action, Attempt, Replace, State
from swesearch.code.localise import Localisation

LEAST = 1e-9  # a prior must be above zero


class Reader(Protocol):
    """Where file contents come from; the store is one."""

    def read(self, state: State, path: str) -> bytes:
        """The content of a file."""
        ...


class Idea(NamedTuple):
    """Something that can still be worked out: a unit, a template at a unit, or what is left of a template's drafts."""

    bound: float  # the highest prior that may come of it; negative, for heapq
    turn: int  # tells equal bounds apart
    context: Context
    template: Template | None = None
    drafts: list[tuple[float, Draft]] | None = None  # rising prior


class TemplateProposer:
    """Yields edits from a table of templates at the lines that `localise` suspects. Never touches a `protected` file."""

    rounds = 1  # it says everything at once

    def __init__(
        self,
        reader: Reader,
        localise: Callable[[State], Localisation],
        protected: Callable[[str], bool] = lambda _: False,
        templates: Sequence[Template] = TABLE,
    ) -> None:
        self._reader, self._localise, self._protected, self._templates = reader, localise, protected, templates

    def propose(
        self,
        path: Sequence[Attempt],
        siblings: Sequence[Attempt] = (),  # noqa: ARG002 - the seam's shape
        others: Sequence[Attempt] = (),  # noqa: ARG002
    ) -> Iterator[Action]:
        """Yield edits for the last state of `path`, most promising first."""
        state, hints = path[-1].state, [hint for attempt in path for hint in attempt.hints]
        read = partial(self._reader.read, state)
        if (action := path[-1].action) is not None:
            yield from repeats(action, read)
        yield from self.drafts(self._localise(state), read, hints)

    def drafts(self, localisation: Localisation, read: Callable[[str], bytes], hints: Sequence[str] = ()) -> Iterator[Action]:
        """Yield edits for given suspicions and files."""
        found = suspects([s for s in localisation.lines if not self._protected(s.path)], read)
        found = heed(found, hints) if found and hints else found
        return _Stream(self._templates, localisation, found, read).actions()


class _Stream:
    """One run through the table: a heap of ideas by the highest prior that may come of them."""

    def __init__(
        self, templates: Sequence[Template], localisation: Localisation, found: Iterable[Suspect], read: Callable[[str], bytes]
    ) -> None:
        self._turn, self._heap = count(), list[Idea]()
        shown = signs(localisation)
        self._templates = [(t, t.weight_for(shown)) for t in templates]
        around: dict[str, Surroundings] = {}
        for suspect in found:
            file = suspect.file
            shared = around.setdefault(file.path, Surroundings(file, localisation, partial(neighbours, file, read)))
            context = Context(shared, suspect.unit)
            self._push(suspect.score, context)

    def _push(
        self, bound: float, context: Context, template: Template | None = None, drafts: list[tuple[float, Draft]] | None = None
    ) -> None:
        heapq.heappush(self._heap, Idea(-bound, next(self._turn), context, template, drafts))

    def actions(self) -> Iterator[Action]:
        """Work out the most promising idea until drafts come out."""
        seen: set[object] = set()
        while self._heap:
            idea = heapq.heappop(self._heap)
            if idea.drafts is not None:
                yield from _finish(idea.context, *idea.drafts.pop(), seen)
                self._go_on(idea.context, idea.template, idea.drafts)
            elif idea.template is not None:
                self._expand(idea, idea.template)
            else:
                self._open(idea)

    def _open(self, idea: Idea) -> None:
        """Share a unit's prior among the templates that have something to change there."""
        fitting = [(t, weight) for t, weight in self._templates if not t.kinds.isdisjoint(idea.context.unit.sites)]
        total = sum(weight for _, weight in fitting)
        for template, weight in fitting:
            self._push(-idea.bound * weight / total, idea.context, template)

    def _expand(self, idea: Idea, template: Template) -> None:
        """Share a template's prior among its nodes that have drafts, and among these by weight."""
        sites, context = idea.context.unit.sites, idea.context
        nodes = {n.id: n for kind in sorted(template.kinds) for n in sites.get(kind, ())}
        groups = [(context.doubt(n), group) for n in nodes.values() if (group := _drafts(template, n, context))]
        total = sum(doubt for doubt, _ in groups)
        drafts: list[tuple[float, Draft]] = []
        for doubt, group in groups:
            share = -idea.bound * doubt / total / sum(draft.weight for draft in group)
            drafts += [(share * draft.weight, draft) for draft in group]
        drafts.sort(key=lambda d: d[0])
        self._go_on(context, template, drafts)

    def _go_on(self, context: Context, template: Template | None, drafts: list[tuple[float, Draft]]) -> None:
        if drafts:
            self._push(drafts[-1][0], context, template, drafts)


def signs(localisation: Localisation) -> frozenset[str]:
    """What the failing tests show of the kind of the bug: error classes, "None" where a message speaks of it."""
    found = {error for error, _ in localisation.errors}
    if any("NoneType" in message for _, message in localisation.errors):
        found.add("None")
    return frozenset(found)


def _drafts(template: Template, node: Node, context: Context) -> list[Draft]:
    """What a template makes of a node; nothing where it is nested so deeply that it cannot be looked through."""
    try:
        return list(template.drafts(node, context))
    except RecursionError:
        return []


def _finish(context: Context, prior: float, draft: Draft, seen: set[object]) -> Iterator[Action]:
    """The action of a draft, if it parses and is new."""
    shape = Shape(context.file, context.unit, draft)
    if not seen.isdisjoint(keys := {shape.key, shape.result}) or not shape.parses:
        return
    seen |= keys
    why = f"{draft.why}, in line {context.unit.line} of {context.file.path}"
    yield Action((replacement(context.file, draft),), why, min(1.0, max(prior, LEAST)))


def replacement(file: File, draft: Draft) -> Replace:
    """A draft as an edit; one that only inserts takes a neighbouring byte along, so that it can be checked to fit."""
    start, end = draft.start, draft.end
    after = draft.after.encode("utf-8", "surrogateescape")
    if start == end and start > 0:
        start -= 1
        after = file.data[start:end] + after
    elif start == end:
        end += 1
        after += file.data[start:end]
    return Replace(file.path, file.data[start:end], after, start)


__all__ = ["TemplateProposer", "Unit", "replacement"]
