"""What a model is told, in layers: each with a priority, a condition and a share of the budget. What was left out is recorded.

The order of the layers is the order of the message, whatever their priorities: what stays the same comes first, for the caches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from swesearch.agents.clean import wrapped
from swesearch.dialogue import Image, Message, Part, Text

PER_TOKEN = 3  # characters; English and code have 3 to 4
IMAGE_TOKENS = 1_600
WITHOUT_LIMIT = 1 << 62
SMALLEST = 20  # tokens below which the beginning of a text tells nothing
CUT = "\n[... cut here ...]"


@dataclass(frozen=True, slots=True)
class Layer:
    """One kind of knowledge. `parts` makes it, given the tokens it may use; texts that are longer are cut."""

    name: str  # of the marks around each of its texts
    priority: int  # where there is too little room, lower ones go first
    parts: Callable[[int], Sequence[Text | Image]]
    heading: str = ""  # our own words before it
    reserved: int = 0  # tokens that layers of a higher priority leave to it
    most: int = WITHOUT_LIMIT  # tokens that it uses however much room there is
    condition: Callable[[], bool] = lambda: True
    removed: Mapping[str, int] = field(default_factory=dict)  # what was hidden in its texts, and is gone


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a model was not told."""

    layer: str
    tokens: int
    why: str


@dataclass(frozen=True, slots=True)
class Context:
    """A message made of layers, and the record of how it was made."""

    message: Message
    tokens: int = 0
    left_out: tuple[LeftOut, ...] = ()
    removed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by layer


def tokens(part: Text | Image | str) -> int:
    """About how many tokens a text or a picture takes."""
    if isinstance(part, Image):
        return IMAGE_TOKENS
    return -(-len(part if isinstance(part, str) else part.text) // PER_TOKEN)


def compose(layers: Sequence[Layer], budget_tokens: int) -> Context:
    """One user message with as much of the layers as fits, those of the highest priority first. Layers have different names."""
    wanted = sorted((layer for layer in layers if layer.condition()), key=lambda layer: -layer.priority)
    left_out = [LeftOut(layer.name, 0, "not wanted here") for layer in layers if layer not in wanted]
    made: dict[str, list[Part]] = {}
    used = 0
    for place, layer in enumerate(wanted):
        free = budget_tokens - used - sum(other.reserved for other in wanted[place + 1 :])
        room = max(0, min(layer.most, free))
        kept, lost = _fitted(layer, layer.parts(room), room)
        used += sum(map(tokens, kept))
        made[layer.name] = [*kept]
        left_out += [LeftOut(layer.name, lost, "cut" if kept else "no room")] if lost else []
    message = Message("user", tuple(part for layer in layers for part in made.get(layer.name, ())))
    return Context(message, used, tuple(left_out), {layer.name: layer.removed for layer in layers if layer.removed})


def _fitted(layer: Layer, parts: Sequence[Text | Image], room: int) -> tuple[list[Text | Image], int]:
    """The parts that go into `room` tokens, the last text cut to what is left of it; and how many tokens are lost."""
    kept: list[Text | Image] = []
    lost = 0
    for part in parts:
        heading = "" if kept else layer.heading
        whole = _framed(layer, part, heading)
        frame = tokens(whole) - tokens(part)
        if tokens(whole) > room and isinstance(part, Text) and room - frame >= SMALLEST:
            shorter = Text(_beginning(part.text, (room - frame) * PER_TOKEN))
            lost += tokens(part) - tokens(shorter)
            whole = _framed(layer, shorter, heading)
        if tokens(whole) <= room:
            kept.append(whole)
            room -= tokens(whole)
        else:
            lost += tokens(part)
    return kept, lost


def _beginning(text: str, most: int) -> str:
    """The beginning of a text, whole lines where it has any, and a note that it goes on: about `most` characters."""
    if len(text) <= most:
        return text
    head = text[: max(0, most - len(CUT))]
    return (head.rpartition("\n")[0] or head) + CUT


def _framed(layer: Layer, part: Text | Image, heading: str) -> Text | Image:
    if isinstance(part, Image):
        return part
    return Text(f"{heading}\n{wrapped(layer.name, part.text)}\n\n".lstrip("\n"))
