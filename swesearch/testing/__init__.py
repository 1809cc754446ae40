"""A provider for tests and trials: a real HTTP server that speaks the Claude and the OpenAI dialect, as strict as the real ones.

    def brain(turn: Turn) -> Answer:                    # neutral words: the same brain serves both dialects
        if turn.schema:
            return as_json({"score": 3})
        return Answer(thinking="hm", calls=[("view", {"path": "a.py"})])

    with FakeProvider(brain, faults=[RateLimited(0.01), None, Dropped()]) as provider:
        Anthropic(base_url=provider.url, api_key="k")   # OpenAI: base_url=provider.url + "/v1"
        provider.requests[-1].body, .headers, .key, .status, .usage, .turn
        provider.usage, provider.cached                 # tokens by kind, share of input read from the cache
        provider.advance(301)                           # the clock of the prompt cache

`Replies([...])` answers in order, `says(text)` always the same. Models are those of `CARDS`; `local-model` has no strict habits.
"""

from .brains import Replies, as_json, example, says
from .cards import CARDS, Card, catalogue
from .faults import CutStream, Dropped, ErrorInStream, Fault, Overloaded, RateLimited, ServerError, SlowStream, TruncatedJson
from .server import FakeProvider
from .service import Seen
from .words import Answer, Brain, Turn

__all__ = [
    "CARDS",
    "Answer",
    "Brain",
    "Card",
    "CutStream",
    "Dropped",
    "ErrorInStream",
    "FakeProvider",
    "Fault",
    "Overloaded",
    "RateLimited",
    "Replies",
    "Seen",
    "ServerError",
    "SlowStream",
    "TruncatedJson",
    "Turn",
    "as_json",
    "catalogue",
    "example",
    "says",
]
