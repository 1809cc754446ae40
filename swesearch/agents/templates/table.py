"""What a template is: one small idea for mending a line, written as a function from a syntax node to drafts.

To add one, write in the file of its family

    @template(8, "comparison_operator")
    def operator(node: Node, context: Context) -> Drafts:
        "Compare with another operator."
        yield context.put(node, "a <= b", weight=0.5, why="compare with <= instead of <")

and it takes part in every search. Weights only count relative to each other: those of templates say how often a fix has that
form, those of drafts how likely each is among the drafts of its template at its node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.draft import Draft

Drafts = Iterable[Draft]
Rule = Callable[[Node, Context], Drafts]


APT = 4.0  # how much likelier a template is where the error is one that it is apt to mend


@dataclass(frozen=True, slots=True)
class Template:
    """An idea for mending code. `kinds` are tree-sitter node types, or "value", "condition", "statement" (see source.Unit)."""

    name: str
    weight: float
    kinds: frozenset[str]
    drafts: Rule
    on: frozenset[str] = frozenset()

    def weight_for(self, signs: frozenset[str]) -> float:
        """The weight where the failing tests show these signs: classes of their errors, "None" where a message speaks of it."""
        return self.weight * (APT if self.on & signs else 1.0)


def template(weight: float, *kinds: str, on: str = "") -> Callable[[Rule], Template]:
    """Make the decorated function a template, named by the first sentence of its docstring. `on` are the errors it is apt to mend."""
    return lambda rule: Template((rule.__doc__ or "").split(".")[0], weight, frozenset(kinds), rule, frozenset(on.split()))
