"""What the server knows of each model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .words import Json

EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Card:
    """A model. A current one thinks always, signs its thoughts, and takes no forced tool, no prefill and no thinking budget."""

    id: str
    window: int = 1_000_000
    output: int = 128_000
    current: bool = True
    sampling: bool = False  # takes temperature and the like, where the API version does
    cacheable: int = 512  # the shortest prefix that is cached, in tokens

    def thinking(self) -> dict[str, bool]:
        """Kinds of thinking, and whether it takes them."""
        return {"adaptive": True, "between_tools": True, "enabled": not self.current, "disabled": not self.current}

    def info(self) -> Json:
        """What GET /v1/models/{id} says in the Claude dialect."""
        line = self.id.split("-")[1] if self.id.startswith("claude-") else None
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.id.replace("-", " ").title(),
            "created_at": "2026-09-22T00:00:00Z",
            "lifecycle": "active",
            "line": line,
            "deprecated_at": None,
            "retires_at": None,
            "max_input_tokens": self.window,
            "max_tokens": self.output,
            "capabilities": self._capabilities(),
        }

    def _capabilities(self) -> Json:
        yes, no = {"supported": True}, {"supported": False}
        plain = ("batch", "citations", "image_input", "pdf_input", "structured_outputs")
        return {
            **dict.fromkeys(plain, yes),
            "code_execution": no,
            "context_management": no,
            "server_tools": {**no, "code_execution": no, "web_search": no},
            "effort": {**yes, **dict.fromkeys(EFFORTS, yes)},
            "thinking": {**yes, "types": {kind: {"supported": taken} for kind, taken in self.thinking().items()}},
        }


def catalogue(cards: Iterable[Card]) -> Mapping[str, Card]:
    """Cards by model id."""
    return {card.id: card for card in cards}


CARDS = catalogue(
    [
        *(Card(f"claude-{name}") for name in ("fable-5-2", "fable-5-1", "opus-5-5", "sonnet-5-5", "haiku-5-5", "mythos-5-2", "mythos-5-1")),
        *(Card(f"claude-{name}", current=False) for name in ("opus-5", "sonnet-5", "fable-5", "opus-4-8", "opus-4-7")),
        *(Card(f"claude-{name}", current=False, sampling=True) for name in ("opus-4-6", "sonnet-4-6")),
        Card("claude-haiku-4-5", window=200_000, output=64_000, current=False, sampling=True),
        Card("local-model", window=131_072, output=32_768, current=False, sampling=True),
    ]
)
