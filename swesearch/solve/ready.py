"""What would end a run before its first step is found out before there is a run. Nothing is asked of anybody."""

from __future__ import annotations

from urllib.parse import urlsplit

from swesearch.base import Task, UsageError
from swesearch.models.connect import connect
from swesearch.settings import ModelSettings, Settings
from swesearch.solve.briefing import without_check
from swesearch.solve.models import named

NOTHING = (
    "nothing says what is broken: give a command that fails because of the bug, --check 'pytest tests/test_x.py::test_y'; "
    "with --model, --issue TEXT is enough"
)


def ready(task: Task, settings: Settings) -> None:
    """Raises UsageError for a task, a model, a price or an address that cannot be used, ModelUnavailable where there is no key."""
    models = named(settings.model)
    if not task.checks and not (models and task.issue.strip()):
        raise UsageError(NOTHING)
    without_check(task)  # reads the pictures
    if models:
        _no_secret(settings.model)
    if models and settings.model.answers == "provider":
        connect(models, base_url=settings.model.base_url or None, price=settings.model.price)


def _no_secret(settings: ModelSettings) -> None:
    address = urlsplit(settings.base_url)
    if "@" in address.netloc or address.query:
        raise UsageError(
            "model.base_url may not hold a user, a password or a query: it is kept in the run's record; a key belongs into the environment"
        )
