"""What the provider does with a request, without any socket: who may ask, what is wrong with it, what it costs, what is said."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from swesearch.dialogue import Usage

from . import chat, claude
from .cache import Block, PromptCache
from .cards import Card
from .dialect import Dialect
from .faults import ErrorInStream, Fault, Faults, refusal
from .words import Answer, Brain, Json, Refused, Turn, compact, invalid, output_tokens

NOTHING = Usage()
WARMED = Answer(stop="length", output_tokens=0)  # with no token to say, a prompt is only put into the cache


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came in, and what became of it."""

    method: str
    path: str
    headers: Mapping[str, str]  # names in lower case
    key: str
    body: Json
    status: int
    usage: Usage = NOTHING
    turn: Turn | None = None  # None where no model was asked
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What goes over the wire: the pieces of a stream, or one piece."""

    status: int
    headers: Mapping[str, str]
    pieces: tuple[bytes, ...]
    stream: bool = False
    fault: Fault | None = None


@dataclass(slots=True)
class Exchange:
    """A request on its way."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes
    id: str
    body: Json = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    usage: Usage = NOTHING
    turn: Turn | None = None
    fault: Fault | None = None
    stream: bool = False

    @property
    def key(self) -> str:
        """The API key that was sent."""
        return self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def tokens(self) -> int:
        """How long the prompt is."""
        return sum(block.tokens for block in self.blocks)


class Service:
    """A provider. Safe to use from many threads; its log is in the order in which answers were ready."""

    def __init__(self, brain: Brain, faults: Faults, key: str | None, cards: Mapping[str, Card], largest: int):
        self.seen: list[Seen] = []
        self.cache = PromptCache()
        self._brain, self._faults, self._key, self._cards, self._largest = brain, faults, key, cards, largest
        self._numbers = itertools.count(1)  # of requests
        self._calls = itertools.count(1)  # of those that ask a model
        self._lock = threading.Lock()

    def handle(self, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Response:
        """The response to one request. Raises what the brain raises."""
        with self._lock:
            number = next(self._numbers)
        exchange = Exchange(method, path.partition("?")[0], headers, raw, f"req_{number:024d}")
        dialect = dialect_of(exchange)
        try:
            response = self._routed(exchange, dialect)
        except Refused as refused:
            response = self._refusal(exchange, dialect, refused)
        self._log(exchange, response)
        return response

    def _routed(self, exchange: Exchange, dialect: Dialect) -> Response:
        self._admit(exchange)
        if exchange.method == "GET" and exchange.path.startswith("/v1/models/"):
            return self._json(exchange, dialect, dialect.info(self._card(exchange.path.removeprefix("/v1/models/"), dialect)))
        if exchange.method != "POST" or exchange.path not in ("/v1/messages", "/v1/messages/count_tokens", "/v1/chat/completions"):
            raise Refused(404, "not_found_error", "Not found")
        counting = exchange.path.endswith("/count_tokens")
        number = 0 if counting else self._call(exchange, dialect)
        exchange.body = _object(exchange.raw)
        card = self._checked(exchange, dialect, counting)
        return self._counted(exchange, dialect) if counting else self._answered(exchange, dialect, card, number)

    def _admit(self, exchange: Exchange) -> None:
        if len(exchange.raw) > self._largest:
            raise Refused(413, "request_too_large", "Request exceeds the maximum size")
        if not exchange.key or self._key not in (None, exchange.key):
            raise Refused(401, "authentication_error", "invalid API key", "invalid_api_key")

    def _call(self, exchange: Exchange, dialect: Dialect) -> int:
        """The number of this model call. Raises Refused where its fault is an HTTP error."""
        with self._lock:
            number = next(self._calls)
            exchange.fault = self._faults(number)
        if refused := refusal(exchange.fault, dialect.OVERLOADED):
            raise refused
        return number

    def _checked(self, exchange: Exchange, dialect: Dialect, counting: bool) -> Card:
        dialect.check_shape(exchange.body, counting)
        card = self._card(exchange.body["model"], dialect)
        dialect.check(exchange.body, exchange.headers, card)
        exchange.blocks = dialect.blocks(exchange.body)
        if exchange.tokens > card.window:
            raise dialect.too_long(exchange.tokens, card.window)
        return card

    def _card(self, model: str, dialect: Dialect) -> Card:
        if model not in self._cards:
            raise dialect.unknown(model)
        return self._cards[model]

    def _counted(self, exchange: Exchange, dialect: Dialect) -> Response:
        return self._json(exchange, dialect, {"input_tokens": exchange.tokens})

    def _answered(self, exchange: Exchange, dialect: Dialect, card: Card, number: int) -> Response:
        exchange.stream = bool(exchange.body.get("stream"))
        exchange.turn = dialect.turn(exchange.body, number)
        prefill = self.cache.look(card.id, exchange.blocks, card.cacheable, dialect.LOOKBACK)
        answer = self._brain(exchange.turn) if exchange.turn.max_tokens != 0 else WARMED
        self.cache.keep(prefill)
        exchange.usage = replace(prefill.usage, output=output_tokens(answer))
        reply = dialect.reply(exchange.body, answer, prefill, number, card)
        if not exchange.stream:
            return self._json(exchange, dialect, reply)
        return self._events(exchange, dialect, list(dialect.events(exchange.body, reply, answer)))

    def _events(self, exchange: Exchange, dialect: Dialect, events: list[bytes]) -> Response:
        if isinstance(exchange.fault, ErrorInStream):
            events[exchange.fault.events :] = [dialect.failed(dialect.OVERLOADED, exchange.id)]
        headers = {"content-type": "text/event-stream; charset=utf-8", **dialect.headers(exchange.id, None)}
        return Response(200, headers, tuple(events), True, exchange.fault)

    def _json(self, exchange: Exchange, dialect: Dialect, value: Json) -> Response:
        headers = {"content-type": "application/json", **dialect.headers(exchange.id, None)}
        return Response(200, headers, (compact(value).encode(),), fault=exchange.fault)

    def _refusal(self, exchange: Exchange, dialect: Dialect, refused: Refused) -> Response:
        headers = {"content-type": "application/json", **dialect.headers(exchange.id, exchange.fault)}
        return Response(refused.status, headers, (compact(dialect.error(refused, exchange.id)).encode(),))

    def _log(self, exchange: Exchange, response: Response) -> None:
        entry = Seen(
            exchange.method,
            exchange.path,
            exchange.headers,
            exchange.key,
            exchange.body,
            response.status,
            exchange.usage,
            exchange.turn,
            exchange.fault,
        )
        with self._lock:
            self.seen.append(entry)


def dialect_of(exchange: Exchange) -> Dialect:
    """Chat where the path says so, or where a path of both is asked for without Anthropic's version header."""
    if exchange.path.startswith("/v1/chat/") or (exchange.path.startswith("/v1/models") and "anthropic-version" not in exchange.headers):
        return chat
    return claude


def _object(raw: bytes) -> Json:
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise invalid(f"The request body is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise invalid("Input should be an object")
    return value
