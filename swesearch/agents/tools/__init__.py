"""What an executor can do: look, edit, try. Every tool takes a workspace and checked arguments, and answers in words."""

from swesearch.agents.tools.toolbox import FINISH, GIVE_UP, TOOLS, Toolbox

__all__ = ["FINISH", "GIVE_UP", "TOOLS", "Toolbox"]
