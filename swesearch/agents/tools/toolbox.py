"""All tools of an executor, and the way from a call to its result.

The list of tools never changes: it is the first thing in a model's cached prefix, and thoughts are signed over it, so a tool that came or
went in the middle of a conversation would make the provider read everything anew, or refuse it. What is rarely needed is therefore
disclosed by `more`, one tool whose answer is the description of further ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from swesearch.agents.clean import shortened, visible
from swesearch.agents.tools.ability import Ability, define, problem
from swesearch.agents.tools.editing import EDITING, RARE_EDITING
from swesearch.agents.tools.looking import LOOKING
from swesearch.agents.workspace import Workspace
from swesearch.base import EditError, Memory
from swesearch.dialogue import Tool, ToolCall, ToolResult

FINISH = define(
    "finish",
    "Say that the change is complete. It is then judged by tests that you cannot change.",
    summary=("string", "what was changed, and why"),
)
GIVE_UP = define("give_up", "Say that the hypothesis is wrong or cannot be carried out.", reason=("string", "what shows it, in a sentence"))
MORE = define(
    "more",
    "Use one of the rarely needed tools: delete, rename, undo, diff. With an empty name: how they are used.",
    name=("string", "name of the tool, or empty"),
    arguments=("string", "its arguments as a JSON object, or empty"),
)
LONGEST = 24_000  # characters of any result; most have tighter bounds of their own
DOING = (
    Ability(
        define(
            "run",
            "Run a shell command in a clean copy of the code as it is now. There is no network; files that it writes are gone afterwards.",
            command=("string", "for sh, at the top of the repository"),
        ),
        lambda workspace, command: workspace.run(command),
    ),
    Ability(define("check", "Run the task's check on the code as it is now."), lambda workspace: workspace.check()),
)
RARE = (*RARE_EDITING, Ability(define("diff", "Show the change so far."), lambda workspace: workspace.diff() or "nothing was changed"))
ABILITIES: Mapping[str, Ability] = {ability.tool.name: ability for ability in (*LOOKING, *EDITING, *DOING)}
BEHIND: Mapping[str, Ability] = {ability.tool.name: ability for ability in RARE}
TOOLS: tuple[Tool, ...] = (*(ability.tool for ability in ABILITIES.values()), MORE, FINISH, GIVE_UP)


class Toolbox:
    """Carries out calls on one workspace. What only looks or tries is done once per conversation and recalled when a run is resumed."""

    def __init__(self, workspace: Workspace, memory: Memory) -> None:
        self._workspace, self._memory = workspace, memory

    def use(self, call: ToolCall, so_far: str) -> ToolResult:
        """What comes of a call; `so_far` is the digest of the conversation up to it. Raises SandboxUnavailable."""
        try:
            ability, arguments = _resolved(call)
        except EditError as error:
            return ToolResult(call.id, _shown(str(error)), error=True)
        known = self._done(ability, arguments) if ability.edits else self._recalled(ability, arguments, so_far)
        if ability.tool.name == "check":
            self._workspace.checked = self._workspace.state
        return ToolResult(call.id, known["text"], error=known["error"])

    def _recalled(self, ability: Ability, arguments: Mapping[str, Any], so_far: str) -> Any:
        key = digest(so_far, self._workspace.state.tree, ability.tool.name, dict(arguments))
        known = self._memory.recall(key)
        if known is None:
            known = self._done(ability, arguments)
            self._memory.keep(key, known)
        return known

    def _done(self, ability: Ability, arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {"text": _shown(ability.do(self._workspace, **arguments)), "error": False}
        except EditError as error:
            return {"text": _shown(str(error)), "error": True}


def _shown(text: str) -> str:
    """Whatever a tool says: printable, and of bounded length."""
    return shortened(visible(text), LONGEST)


def digest(*values: Any) -> str:
    """A name for JSON-able values: equal values, equal name."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _resolved(call: ToolCall) -> tuple[Ability, Mapping[str, Any]]:
    """The ability that a call means, with arguments that fit it. Raises EditError, which names what is wrong."""
    if call.malformed:
        raise EditError(f"the arguments could not be read ({call.malformed}); nothing was done, call again")
    if call.name == MORE.name:
        return _behind(call.arguments)
    if call.name not in ABILITIES:
        raise EditError(f"there is no tool {call.name!r}; there are {', '.join(tool.name for tool in TOOLS)}")
    return _fitting(ABILITIES[call.name], call.arguments)


def _behind(arguments: Mapping[str, Any]) -> tuple[Ability, Mapping[str, Any]]:
    if why := problem(MORE, arguments):
        raise EditError(why)
    if arguments["name"] not in BEHIND:
        return Ability(MORE, lambda _: _manual()), {}
    try:
        inner = json.loads(arguments["arguments"] or "{}")
    except (ValueError, RecursionError) as error:
        raise EditError(f"arguments must be a JSON object: {error}") from error
    if not isinstance(inner, dict):
        raise EditError("arguments must be a JSON object")
    return _fitting(BEHIND[arguments["name"]], inner)


def _fitting(ability: Ability, arguments: Mapping[str, Any]) -> tuple[Ability, Mapping[str, Any]]:
    if why := problem(ability.tool, arguments):
        raise EditError(why)
    return ability, arguments


def _manual() -> str:
    lines = [f"{tool.name}: {tool.description} Arguments: {json.dumps(tool.schema['properties'])}" for tool in (a.tool for a in RARE)]
    return "call `more` with the name of one of these and its arguments:\n" + "\n".join(lines)
