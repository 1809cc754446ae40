"""What an executor keeps in mind: everything, a summary once it gets long, or only an evolving report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from swesearch.agents.clean import shortened, wrapped
from swesearch.agents.conversation import Conversation, transcript
from swesearch.dialogue import Message, Model, Reply, Request, Text

FULL_AT = 0.85  # of the window: from here on a conversation is summarised
CHARACTERS = 2  # of a transcript for each token of the window: it leaves room for the answer
SUMMARY_TOKENS = 4096
TAIL = 4_000  # characters of a conversation that stand in for a summary which could not be had
OBSERVED = 16_000  # characters of the last action and of its results in a report

Open = Callable[[str], Conversation]  # a new conversation whose node part ends with these words
ModeName = Literal["full", "summary", "report"]


class Mode(Protocol):
    """How a conversation goes on."""

    def after(self, conversation: Conversation, reply: Reply) -> Conversation:
        """The conversation to go on with after a reply was answered."""
        ...

    def overflow(self, conversation: Conversation) -> Conversation | None:
        """The same where a conversation did not fit its window; None where there is no shorter one."""
        ...


class Full:
    """Everything is kept (ReAct, Yao et al. 2022)."""

    def after(self, conversation: Conversation, reply: Reply) -> Conversation:  # noqa: ARG002
        """The same."""
        return conversation

    def overflow(self, conversation: Conversation) -> None:
        """None."""


class Summarised:
    """Near the end of the window a summary begins a new conversation (ReSum, Wu et al. 2025)."""

    def __init__(self, model: Model, system: str, window: int, open: Open) -> None:
        self._model, self._system, self._window, self._open = model, system, window, open

    def after(self, conversation: Conversation, reply: Reply) -> Conversation:
        """The same, or a new one."""
        return conversation if reply.usage.total < FULL_AT * self._window else self._renewed(conversation)

    def overflow(self, conversation: Conversation) -> Conversation | None:
        """A new one, if there is anything to leave out."""
        return None if conversation.fresh else self._renewed(conversation)

    def _renewed(self, conversation: Conversation) -> Conversation:
        words = transcript(conversation.messages)
        asked = wrapped("conversation", shortened(words, CHARACTERS * self._window))
        message = Message("user", (Text(asked),))
        reply = self._model.complete(Request("summariser", self._system, (message,), max_tokens=SUMMARY_TOKENS))
        summary = reply.message.text.strip() or f"(no summary could be had; this is how it ended)\n{words[-TAIL:]}"
        return self._open(f"This was found out and done so far:\n{wrapped('summary', summary)}")


class Reported:
    """A constant workspace: the evolving report, the last action, the last observation (IterResearch, Chen et al. 2025)."""

    def __init__(self, open: Open) -> None:
        self._open = open
        self._report = ""

    def after(self, conversation: Conversation, reply: Reply) -> Conversation:
        """A new one, always. What the model wrote beside its calls is the report from now on."""
        self._report = reply.message.text.strip() or self._report
        answer = conversation.messages[-1]
        did = transcript((Message("assistant", reply.message.calls),)) or "(no tool was called)"
        parts = [wrapped("report", self._report or "(there is none yet)")]
        parts.append(f"Last action:\n{wrapped('action', shortened(did, OBSERVED))}")
        parts.append(f"What came of it:\n{wrapped('observation', shortened(transcript((answer,)), OBSERVED))}")
        return self._open("Your report so far:\n" + "\n\n".join(parts))

    def overflow(self, conversation: Conversation) -> None:
        """None: it is as short as it can be."""
