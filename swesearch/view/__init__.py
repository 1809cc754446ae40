"""Runs on a page that keeps up with them: a server on this machine only, behind an address that cannot be guessed."""

from swesearch.view.stories import Follower, story_of

__all__ = ["Follower", "story_of"]
