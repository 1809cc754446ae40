"""The chaos suite: everything that can die, fill up, hang or lie under a run does so, and the run goes on."""
