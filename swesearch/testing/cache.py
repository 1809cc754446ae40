"""The provider's prompt cache: prefixes of requests, kept for minutes of a clock that only tests move."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from swesearch.dialogue import Usage

TTL = {"5m": 300.0, "1h": 3600.0}


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a prompt: a tool, a part of the system prompt or of a message. `ttl` where a breakpoint is behind it."""

    text: str
    tokens: int
    ttl: str | None = None


@dataclass(frozen=True, slots=True)
class Prefill:
    """What a prompt costs, and the prefixes to keep once it was answered: seconds by hash."""

    usage: Usage
    written: Mapping[str, int] = field(default_factory=dict)  # tokens by ttl
    keep: Mapping[str, float] = field(default_factory=dict)


class PromptCache:
    """Prefixes by the hash of all that is in them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, float]] = {}  # until when, and for how long at a time
        self._now = 0.0
        self._lock = threading.Lock()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self._now += seconds

    def look(self, model: str, blocks: Sequence[Block], shortest: int, lookback: int | None) -> Prefill:
        """What of `blocks` is read, written, or neither. Keeps nothing yet: a prefix can be read once its first answer began.

        Without `lookback` every block is a breakpoint, seen from everywhere, and writing is free.
        """
        sums, hashes = _chain(model, blocks)
        everywhere = "5m" if lookback is None else None
        points = {index: ttl for index, block in enumerate(blocks) if (ttl := block.ttl or everywhere) and sums[index] >= shortest}
        total = sums[-1] if sums else 0
        if not points:
            return Prefill(Usage(input=total))
        hit = self._longest(hashes, points, lookback or len(blocks))
        read = sums[hit] if hit >= 0 and sums[hit] >= shortest else 0
        written = _written(sums, points, read)
        usage = Usage(total - sums[max(points)], cache_read=read, cache_write=sum(written.values()))
        if lookback is None:
            usage = Usage(total - read, cache_read=read)
        renewed = {hashes[hit]: 0.0} if read else {}
        return Prefill(usage, written, renewed | {hashes[index]: TTL[ttl] for index, ttl in points.items()})

    def keep(self, prefill: Prefill) -> None:
        """Keep what `prefill` wrote, and renew what it read."""
        with self._lock:
            for key, seconds in prefill.keep.items():
                until, usual = self._kept.get(key, (0.0, 0.0))
                longer = max(seconds, usual) if until > self._now else seconds
                self._kept[key] = (self._now + longer, longer)

    def _longest(self, hashes: Sequence[str], points: Mapping[int, str], lookback: int) -> int:
        reach = {index for point in points for index in range(max(0, point - lookback + 1), point + 1)}
        with self._lock:
            return max((index for index in reach if self._kept.get(hashes[index], (0.0, 0.0))[0] > self._now), default=-1)


def _chain(model: str, blocks: Sequence[Block]) -> tuple[list[int], list[str]]:
    sums, hashes, total, digest = [], [], 0, hashlib.sha256(model.encode())
    for block in blocks:
        digest.update(f"\0{len(block.text)}\0{block.text}".encode())
        total += block.tokens
        sums.append(total)
        hashes.append(digest.hexdigest())
    return sums, hashes


def _written(sums: Sequence[int], points: Mapping[int, str], read: int) -> dict[str, int]:
    """Tokens after `read` up to each breakpoint, by its ttl."""
    written, done = dict.fromkeys(TTL, 0), read
    for index in sorted(points):
        written[points[index]] += max(0, sums[index] - done)
        done = max(done, sums[index])
    return written
