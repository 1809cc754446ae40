"""The executor: turns one hypothesis into edits, with a model that looks, edits and tries in a loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from swesearch.agents.clean import shortened, visible, wrapped
from swesearch.agents.conversation import Conversation
from swesearch.agents.conversation_modes import Full, Mode, ModeName, Reported, Summarised
from swesearch.agents.executor_reminders import Watcher
from swesearch.agents.history import advice
from swesearch.agents.hypothesis import Hypothesis
from swesearch.agents.structured import prompt
from swesearch.agents.tools import FINISH, GIVE_UP, TOOLS, Toolbox
from swesearch.agents.tools.ability import problem
from swesearch.agents.workspace import Workspace
from swesearch.base import Action, Attempt, EditError, Memory, State
from swesearch.dialogue import Message, Model, Part, Reply, Text, ToolCall, ToolResult

REPLY_TOKENS = 16_384  # of one reply, thinking included
CALLS = 8  # that are carried out of one reply
NUDGES = 2  # replies in a row without a call that are answered
SHOWN = 16_000  # characters of the change so far and of the last feedback
NUDGE = "No tool was called. Go on with a tool; call finish when the change is complete, or give_up when the hypothesis is wrong."
CUT = "Your reply was cut off at its limit: none of its calls was carried out. Say less at once; make several small edits of a large one."


@dataclass(frozen=True, slots=True)
class Executor:
    """Carries out hypotheses. Safe to share between threads if its parts are."""

    model: Model
    workspace: Callable[[State], Workspace]
    briefing: Callable[[], Message]  # the same for all nodes
    memory: Memory
    mode: ModeName = "full"
    max_steps: int = 40  # calls of the model for one node, summaries not counted
    window: int = 200_000  # tokens that the model's window holds

    def carry_out(self, path: Sequence[Attempt], hypothesis: Hypothesis) -> Action:
        """Edits for the last attempt of `path`. Raises EditError where it was given up, SandboxUnavailable, ModelUnavailable."""
        return _Work(self, path, hypothesis).go()


class _Work:
    """One hypothesis on one node."""

    def __init__(self, executor: Executor, path: Sequence[Attempt], hypothesis: Hypothesis) -> None:
        self._executor, self._path, self._hypothesis = executor, path, hypothesis
        self._workspace = executor.workspace(path[-1].state)
        self._tools = Toolbox(self._workspace, executor.memory)
        self._watcher = Watcher(executor.max_steps)
        self._nudges = 0
        self._over = ""  # why it has ended
        self._mode = self._choose_mode()

    def go(self) -> Action:
        """Ask, act, answer, until the model is done or may go no further."""
        conversation = self._open("Begin.")
        for step in range(1, self._executor.max_steps + 1):
            reply = self._executor.model.complete(conversation.request(REPLY_TOKENS))
            if reply.stop == "refusal":
                return self._action(f"the model refused. {visible(reply.note)}".strip())
            if reply.stop == "overflow":
                if (renewed := self._mode.overflow(conversation)) is None:
                    return self._action("the conversation does not fit the model's window")
                conversation = renewed
                continue
            if _spoken(reply):
                conversation.said(reply.message)
            answer = [*self._answers(reply, conversation.digest)]
            if self._over:
                return self._action(self._over)
            answer += [Text(words) for words in self._watcher.reminders(step, self._workspace)]
            conversation.heard(*answer)
            conversation = self._mode.after(conversation, reply)
        return self._action(f"out of steps ({self._executor.max_steps})")

    def _answers(self, reply: Reply, so_far: str) -> Iterator[Part]:
        """What the model is told in answer to a reply."""
        calls = reply.message.calls
        self._nudges = 0 if calls else self._nudges + 1
        if self._nudges > NUDGES:
            self._over = "the model calls no tool"
        if not calls:
            yield Text(CUT if reply.stop == "length" else NUDGE)
        for number, call in enumerate(calls):
            if reply.stop == "length":
                yield ToolResult(call.id, CUT, error=True)
            elif number >= CALLS:
                yield ToolResult(call.id, f"not carried out: at most {CALLS} calls in one reply", error=True)
            elif self._over:
                yield ToolResult(call.id, "not carried out: it has ended", error=True)
            else:
                yield self._result(call, f"{so_far}:{number}")

    def _result(self, call: ToolCall, so_far: str) -> ToolResult:
        """Carry out one call. Raises EditError where the model gives up."""
        ends = call.name in (FINISH.name, GIVE_UP.name) and not call.malformed
        result = self._end(call) if ends else self._tools.use(call, so_far)
        if self._watcher.saw(call, result, self._workspace.state):
            self._over = f"the model repeats itself ({visible(call.name)[:40]})"
        return result

    def _end(self, call: ToolCall) -> ToolResult:
        tool = FINISH if call.name == FINISH.name else GIVE_UP
        if why := problem(tool, call.arguments):
            return ToolResult(call.id, why, error=True)
        if tool is GIVE_UP:
            raise EditError(f"gave up: {' '.join(visible(call.arguments['reason']).split())[:500]}")
        if self._workspace.edits and (words := self._watcher.before_finish(self._workspace)):
            return ToolResult(call.id, words, error=True)
        self._over = "it said that it had finished, but changed nothing"
        return ToolResult(call.id, "finished")

    def _action(self, why_not: str) -> Action:
        """The edits that were made: also of a model that went no further, for work is never thrown away. Raises EditError for none."""
        if self._workspace.state == self._workspace.start:
            raise EditError(f"gave up: {why_not}")
        return Action(self._workspace.edits, self._hypothesis.why, self._hypothesis.prior)

    def _choose_mode(self) -> Mode:
        match self._executor.mode:
            case "full":
                return Full()
            case "summary":
                return Summarised(self._executor.model, prompt("executor_summary"), self._executor.window, self._open)
            case "report":
                return Reported(self._open)

    def _open(self, words: str) -> Conversation:
        """A new conversation on the node as it is now."""
        system = prompt("executor") + (prompt("executor_report") if self._executor.mode == "report" else "")
        opening = Message("user", (Text(f"{self._node()}\n\n{words}"),))
        return Conversation("executor", system, TOOLS, self._executor.briefing(), opening, self._workspace.start.tree)

    def _node(self) -> str:
        """What is this node's own: the hypothesis, the change so far, and what came of it."""
        parts = [_described(self._hypothesis)]
        if diff := self._workspace.diff(self._path[0].state):
            parts.append(f"The code was changed already:\n{wrapped('change', shortened(diff, SHOWN))}")
        if feedback := self._path[-1].evaluation.feedback:
            when = " before your own edits" if self._workspace.edits else ""
            parts.append(f"This is how the code did{when}:\n{wrapped('feedback', shortened(visible(feedback), SHOWN))}")
        return "\n\n".join([*parts, *filter(None, [advice(self._path).rstrip()])])


def _spoken(reply: Reply) -> bool:
    """Whether there is anything to put into the conversation: providers refuse an empty turn, or one of thoughts alone."""
    return bool(reply.message.calls or reply.message.text.strip())


def _described(hypothesis: Hypothesis) -> str:
    lines = [f"Cause: {hypothesis.cause}", f"Files: {', '.join(hypothesis.files) or 'not known'}", f"Approach: {hypothesis.approach}"]
    lines += [f"It is wrong if: {hypothesis.falsifier}"] if hypothesis.falsifier else []
    return "Carry out this hypothesis.\n" + wrapped("hypothesis", visible("\n".join(lines)))
