"""What goes wrong at a provider: wait and ask again, give up, or mend the request.

    ModelUnavailable            no key, refused key, no money: waiting does not help
    |-- TryLater                overload, rate limit, outage, lost connection: `Limited` waits it out
    UsageError                  no such model, or a request that the provider rejects: shows its words

No error text holds a secret: every word of a provider or a client goes through `scrub`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches

from swesearch.base import ModelUnavailable, SwesearchError, UsageError

SECRET = re.compile(
    r"(?i)(?<=bearer )\S+|(?<=x-api-key: )\S+|(?<=://)[^/\s@]+(?=@)"
    r"|\b(?:sk|pk|rk|gsk|xai|hf|key|api)[-_][\w-]{8,}|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
)
LIMITS = ("requests", "tokens", "input-tokens", "output-tokens")
BUSY = (429, 503, 529)  # too many calls, ours or everybody's: all callers are to slow down
FOREVER = re.compile(r"spend_limit|insufficient_quota|credit balance")
TOO_LONG = re.compile(
    r"prompt is too long|exceeds? (the )?(context|available context|model'?s? (maximum )?context)|context_length_exceeded|"
    r"maximum context length|exceed_context_size|request_too_large",
    re.I,
)


class TryLater(ModelUnavailable):
    """Ask again later: in `after` seconds, where the provider says so. `busy`: it wants fewer calls from everybody.

    `billed`: the answer was perhaps made, and lost on its way to us.
    """

    def __init__(self, words: str, after: float | None = None, *, busy: bool = False, billed: bool = False) -> None:
        super().__init__(words)
        self.after, self.busy, self.billed = after, busy, billed


@dataclass(frozen=True, slots=True)
class Provider:
    """Whom we ask, in the words of an error."""

    name: str
    key: str  # the environment variable of its key
    model: str
    secret: str = ""  # the key itself, never shown
    others: tuple[str, ...] = ()  # models it is known to have


def scrub(words: str, secret: str = "", most: int = 500) -> str:
    """`words` on one line, without keys, cut at `most` characters."""
    shown = words.replace(secret, "[secret]") if secret.strip() else words
    shown = " ".join(SECRET.sub("[secret]", shown).split())
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def checked_key(key: str, variable: str) -> str:
    """`key` without the blanks around it. Raises ModelUnavailable where no header could carry it."""
    stripped = key.strip()
    if not stripped or not stripped.isascii() or not stripped.isprintable() or " " in stripped:
        raise ModelUnavailable(f"what {variable} holds is not a key: copy it again, without quotes or blanks")
    return stripped


def too_long(status: int, words: str) -> bool:
    """Whether a provider says that the conversation does not fit its window."""
    return status == 413 or (status in (400, 422) and bool(TOO_LONG.search(words)))


def refused(status: int, words: str, headers: Mapping[str, str], provider: Provider, *, begun: bool = False) -> SwesearchError:
    """The error for a reply with this status. `begun`: a part of the answer had come already."""
    shown = scrub(words, provider.secret)
    said = f"{provider.name} says {status}: {shown}"
    if status == 402 or (status in (400, 403, 429) and FOREVER.search(words)):
        return ModelUnavailable(f"{said} (see to its billing, then `swesearch resume last`)")
    if status in (401, 403):
        return ModelUnavailable(f"{said} (set {provider.key} to a key that may use {provider.model})")
    if status == 404:
        return UsageError(f"{provider.name} has no model {provider.model}{near(provider.model, provider.others)}: {shown}")
    if status in (408, 409, 425) or status in BUSY or status >= 500:
        return TryLater(said, pause(headers, datetime.now(UTC)), busy=status in BUSY, billed=begun)
    return UsageError(said)


def lost(words: str, provider: Provider, *, sent: bool) -> TryLater:
    """The error for a connection that did not come about, or, where the request was `sent`, broke."""
    return TryLater(f"{provider.name} does not answer: {scrub(words, provider.secret)}", billed=sent)


def near(name: str, names: Iterable[str]) -> str:
    """A hint at the names that are like `name`, in brackets; empty where none is."""
    found = get_close_matches(name, sorted(names), n=3)
    return f" (did you mean {' or '.join(found)}?)" if found else ""


def pause(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that a provider's headers ask us to wait; None where they ask nothing."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        seconds = _number(headers.get(name, ""))
        if seconds is not None:
            return max(0.0, seconds / unit)
    resets = [_seconds_until(headers.get(f"anthropic-ratelimit-{limit}-reset", ""), now) for limit in LIMITS if _used_up(headers, limit)]
    return max((seconds for seconds in resets if seconds is not None), default=None)


def _used_up(headers: Mapping[str, str], limit: str) -> bool:
    return headers.get(f"anthropic-ratelimit-{limit}-remaining", "").strip() == "0"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
