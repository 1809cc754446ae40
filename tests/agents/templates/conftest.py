"""Try one template on one line of a source."""

from collections.abc import Callable

import pytest

from swesearch.agents.templates.context import Context, Surroundings
from swesearch.agents.templates.source import File
from swesearch.agents.templates.table import Template
from swesearch.code.localise import Localisation

Mend = Callable[..., list[str]]


@pytest.fixture
def mend() -> Mend:
    """`mend(template, source, line=1, **what the failing tests said)` gives the sources that the template makes."""
    return _mend


def _mend(template: Template, source: str, line: int = 1, **known: object) -> list[str]:
    file = File("a.py", source.encode())
    unit = file.unit(line)
    assert unit is not None, "nothing to mend on that line"
    context = Context(Surroundings(file, Localisation(**known)), unit)  # type: ignore[arg-type]
    nodes = {n.id: n for kind in sorted(template.kinds) for n in unit.sites.get(kind, ())}
    drafts = [d for n in nodes.values() for d in template.drafts(n, context)]
    return [(file.data[: d.start] + d.after.encode() + file.data[d.end :]).decode() for d in drafts]
