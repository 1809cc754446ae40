"""Settings in layers, each over the one before.

    defaults < user file < repository file < environment < preset < -c file.toml < -c section.key=value < flags

The user file is $SWESEARCH_CONFIG, or config.toml in $XDG_CONFIG_HOME/swesearch (~/.config/swesearch). The repository file is
.swesearch.toml in the repository's root. It comes with code that is not trusted, so it may only say what the check is and how to
search: never what runs outside the tests (image, python, setup), how strong the sandbox is, what a result is worth, or what may be spent.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, replace
from difflib import get_close_matches
from math import inf
from pathlib import Path
from typing import Any, TypeVar, cast

from swesearch.base import UsageError

REPOSITORY_FILE = ".swesearch.toml"
PRESETS: Mapping[str, Mapping[str, object]] = {
    "quick": {"budget.evaluations": 100, "budget.seconds": 120.0, "discriminator.patience": 10, "agents.steps": 15},
    "standard": {},
    "thorough": {"budget.evaluations": 5000, "budget.seconds": 3600.0, "discriminator.patience": 200, "search.depth": 5},
    "reliable": {"budget.seconds": 3600.0, "discriminator.finalists": 5, "discriminator.confidence": 0.5, "agents.variants": 5},
    "best": {
        "search.strategy": "progressive",
        "search.depth": 5,
        "budget.evaluations": 5000,
        "budget.seconds": 7200.0,
        "budget.dollars": 10.0,
        "agents.variants": 5,
        "discriminator.finalists": 5,
    },
    "auto": {"search.strategy": "auto"},
}

T = TypeVar("T")


def _key(default: T, help: str, *, choices: Sequence[str] = (), low: float = 0, high: float = inf, repo: bool = False) -> T:
    """A setting: its default, what it means, what it may be, and whether a repository's own file may set it."""
    return field(default=default, metadata={"help": help, "choices": choices, "low": low, "high": high, "repo": repo})


ENGINE = (
    "mcts",
    "mcts_mean",
    "mcts_blend",
    "uct",
    "best_first",
    "beam",
    "linear",
    "best_of_n",
    "random",
)  # a test holds them to the engine's
STRATEGIES = (*ENGINE, "synthesis", "progressive", "auto")  # the last three are made of the others: see solve/phases.py


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What to repair."""

    checks: tuple[str, ...] = _key((), "commands that fail because of the bug", repo=True)


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How to search."""

    strategy: str = _key("mcts", "how to search", choices=STRATEGIES, repo=True)
    exploration: float = _key(0.0, "weight of the exploration term of PUCT; 0: what suits the proposer", repo=True)
    depth: int = _key(3, "most edits on one path", low=1, repo=True)
    abandon: int = _key(0, "attempts in a row that improve nothing after which the search is given up; 0: never")
    seed: int = _key(0, "seed of every random choice")
    workers: int = _key(0, "evaluations at once; 0: one per sandbox slot")


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """What a run may use. 0: no limit."""

    evaluations: int = _key(500, "states to evaluate")
    seconds: float = _key(600.0, "wall-clock seconds")
    dollars: float = _key(1.0, "US dollars for models")
    tokens: int = _key(0, "tokens of models")


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Where the code runs."""

    kind: str = _key("auto", "the sandbox", choices=("auto", "docker", "bubblewrap", "local"))
    memory: int = _key(2048, "megabytes of memory per box", low=16)
    cpus: float = _key(1.0, "processors per box", low=0.1)
    seconds: float = _key(60.0, "wall-clock seconds per run of a check", low=1)
    image: str = _key("", "Docker image; empty: a slim Python image")
    python: str = _key("", "interpreter of the repository; empty: found by itself")
    setup: str = _key("", "command that prepares the environment")


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which models. NAME or anthropic:NAME is Claude, openai:NAME any server that speaks chat completions; NAME@high sets the effort."""

    name: str = _key("", "the model of every role; empty: none, templates repair")
    planner: str = _key("", "the model that thinks of hypotheses; empty: model.name, as for every role below")
    executor: str = _key("", "the model that works out edits")
    reproducer: str = _key("", "the model that writes tests for an issue")
    judge: str = _key("", "the model that judges candidates")
    discriminator: str = _key("", "the model that compares finalists")
    summariser: str = _key("", "the model that sums up long conversations")
    base_url: str = _key("", "where a compatible server is; empty: the provider's own address")
    price: str = _key("", "dollars per million tokens, IN/OUT or IN/OUT/CACHE-READ/CACHE-WRITE, or free; empty: the table")
    patience: float = _key(300.0, "seconds to wait for a provider that is down or overloaded")
    silence: float = _key(600.0, "seconds that a provider may say nothing before a call is given up and asked again", low=1)
    answers: str = _key(
        "provider", "where answers come from; record: only what the run has kept, nobody is asked", choices=("provider", "record")
    )


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """How agents work."""

    hypotheses: int = _key(3, "different hypotheses per round of planning", low=1)
    rounds: int = _key(3, "rounds of planning per state", low=1)
    steps: int = _key(30, "most turns of an executor", low=1)
    context: str = _key("full", "what an executor keeps in mind", choices=("full", "summary", "report"))
    window: int = _key(150_000, "tokens of a conversation before it is summed up or given up", low=1000)
    patience: int = _key(2, "attempts to go on for after the first that passes")
    variants: int = _key(3, "reproduction tests to write where no check is given", low=1)


@dataclass(frozen=True, slots=True)
class ValueSettings:
    """Weights of the terms of a state's value."""

    lint: float = _key(0.1, "weight of new linter findings")
    failing: float = _key(1.0, "weight of the tests that must pass")
    nearby: float = _key(0.3, "weight of the tests near the change")
    judge: float = _key(0.2, "weight of the model that judges; 0: it is not asked")


@dataclass(frozen=True, slots=True)
class DiscriminatorSettings:
    """Which candidate to hand in."""

    patience: int = _key(40, "evaluations to go on for after the first candidate that passes")
    finalists: int = _key(3, "candidates to verify and show", low=1)
    debate: int = _key(6, "most questions to a model that compares finalists; 0: none")
    confidence: float = _key(0.0, "hand over nothing that is less certain than this", high=1)


@dataclass(frozen=True, slots=True)
class BotSettings:
    """How pull requests are reviewed. The file that counts is that of the base branch."""

    seconds: float = _key(120.0, "CPU seconds for the tests that a change reaches, on each side", low=1)
    reruns: int = _key(3, "times that a failure must show on the head, and not on the base, before it is told", low=2, high=10, repo=True)
    ignore: tuple[str, ...] = _key((), "patterns of paths that are no matter: neither changes to them nor tests in them", repo=True)
    fixes: int = _key(3, "findings for which a fix is searched for; 0: none")
    conclusion: str = _key("neutral", "the check run of a head with findings; failure can block a merge", choices=("neutral", "failure"))
    runs: int = _key(20, "reviews of one pull request in a day")
    dollars: float = _key(5.0, "US dollars for models for one pull request in a day; 0: none are asked")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, and where each that is not a default was set."""

    task: TaskSettings = TaskSettings()
    search: SearchSettings = SearchSettings()
    budget: BudgetSettings = BudgetSettings()
    sandbox: SandboxSettings = SandboxSettings()
    model: ModelSettings = ModelSettings()
    agents: AgentSettings = AgentSettings()
    value: ValueSettings = ValueSettings()
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    bot: BotSettings = BotSettings()
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    def items(self) -> Iterator[tuple[str, Any, str]]:
        """Every setting as (section.key, value, where it was set)."""
        for key in KEYS:
            section, _, name = key.partition(".")
            yield key, getattr(getattr(self, section), name), self.origins.get(key, "default")

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """The settings as plain data, by section."""
        return {section: asdict(getattr(self, section)) for section in SECTIONS}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], origin: str = "the run's record") -> Settings:
        """The settings that `to_dict` gave. Raises UsageError for what this version does not know."""
        return cls().updated(data, origin)

    def updated(self, data: Mapping[str, Any], origin: str) -> Settings:
        """These settings with `data`, by section, laid over. Raises UsageError naming `origin`, the key, and the nearest valid key."""
        settings = self
        for section, values in data.items():
            if not isinstance(values, Mapping):
                raise UsageError(f"{origin}: unknown key '{section}'{_nearest(section)}")
            for name, value in values.items():
                settings = settings._with(f"{section}.{name}", value, origin)
        return settings

    def _with(self, key: str, value: object, origin: str) -> Settings:
        if key not in KEYS:
            raise UsageError(f"{origin}: unknown key '{key}'{_nearest(key)}")
        section, _, name = key.partition(".")
        changed = replace(getattr(self, section), **{name: _checked(key, value, origin)})
        return replace(self, **{section: changed}, origins={**self.origins, key: origin})


SECTIONS: Mapping[str, type] = {f.name: type(f.default) for f in fields(Settings) if f.default is not MISSING}
KEYS: Mapping[str, Field[Any]] = {f"{section}.{f.name}": f for section, kind in SECTIONS.items() for f in fields(kind)}
NAMES = {str: "text", int: "a whole number", float: "a number", tuple: "a list of texts"}


def load(
    repo: Path | None,
    environ: Mapping[str, str],
    preset: str = "standard",
    given: Sequence[str] = (),
    flags: Mapping[str, object] | None = None,
) -> Settings:
    """Read every layer. `given` are the values of -c, `flags` maps section.key to a value. Raises UsageError."""
    settings = _file(Settings(), user_file(environ), required=False)
    if repo:
        settings = _repository_file(settings, repo / REPOSITORY_FILE)
    settings = _environment(settings, environ)
    if preset not in PRESETS:
        raise UsageError(f"unknown preset '{preset}': choose one of {', '.join(PRESETS)}")
    settings = _assign(settings, PRESETS[preset], f"--preset {preset}")
    for text in given:
        if "=" not in text:
            settings = _file(settings, Path(text), required=True)
    assignments = {key: value for key, equals, value in (text.partition("=") for text in given) if equals}
    settings = _assign(settings, assignments, "-c")
    return _assign(settings, flags or {}, "command line")


def user_file(environ: Mapping[str, str]) -> Path:
    """Where the user's own settings are, there or not."""
    if chosen := environ.get("SWESEARCH_CONFIG"):
        return Path(chosen)
    folder = environ.get("XDG_CONFIG_HOME")
    return (Path(folder) if folder else Path.home() / ".config") / "swesearch" / "config.toml"


def _file(settings: Settings, path: Path, required: bool) -> Settings:
    return settings.updated(_read(path, required), str(path))


def _repository_file(settings: Settings, path: Path) -> Settings:
    data = {} if path.is_symlink() else _read(path, required=False)  # a link could point at a file of the user
    read = settings.updated(data, str(path))
    for key in (f"{section}.{name}" for section, values in data.items() for name in values):
        if not KEYS[key].metadata["repo"]:
            raise UsageError(f"{path}: {key} may not be set by a repository's own file; set it in your own settings, with -c or by a flag")
    return read


def _environment(settings: Settings, environ: Mapping[str, str]) -> Settings:
    """SWESEARCH_SECTION_KEY, for every section there is; other names (SWESEARCH_HOME) are not settings."""
    for name in sorted(environ):
        prefix, _, rest = name.partition("_")
        section, _, key = rest.lower().partition("_")
        if prefix == "SWESEARCH" and section in SECTIONS:
            settings = settings._with(f"{section}.{key}", environ[name], f"${name}")
    return settings


def _assign(settings: Settings, values: Mapping[str, object], origin: str) -> Settings:
    for key, value in values.items():
        settings = settings._with(key, value, origin)
    return settings


def _read(path: Path, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if required:
            raise UsageError(f"{path}: no such file (-c takes a TOML file or section.key=value)") from None
        return {}
    except (OSError, ValueError, RecursionError) as error:  # no text, no TOML, no path
        raise UsageError(f"{path}: cannot be read as TOML: {error}") from error


def _checked(key: str, value: object, origin: str) -> object:
    """`value` as the type of `key`, read from text where need be. Raises UsageError."""
    kind, rules = type(KEYS[key].default), KEYS[key].metadata
    found = _as(kind, value)
    if found is None:
        raise UsageError(f"{origin}: {key} must be {NAMES[kind]}, not {value!r}")
    if rules["choices"] and found not in rules["choices"]:
        near = get_close_matches(str(found), rules["choices"], 1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise UsageError(f"{origin}: {key} must be one of {', '.join(rules['choices'])}, not {found!r}{hint}")
    if isinstance(found, int | float) and (found == inf or not rules["low"] <= found <= rules["high"]):
        up = "up" if rules["high"] == inf else f"to {rules['high']:g}"
        raise UsageError(f"{origin}: {key} must be a finite number from {rules['low']:g} {up}, not {found}")
    return found


def _as(kind: type, value: object) -> object | None:
    """`value` as `kind`, or None where it is not one."""
    if kind is tuple:
        many = (value,) if isinstance(value, str) else value
        return tuple(many) if isinstance(many, list | tuple) and all(isinstance(item, str) for item in many) else None
    if kind in (int, float) and isinstance(value, str):
        try:
            return cast(object, kind(value))
        except ValueError:
            return None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if type(value) is kind else None


def _nearest(key: str) -> str:
    """The key that was probably meant: alike as a whole, or in its last part."""
    last = key.rpartition(".")[2]
    names = {k.rpartition(".")[2]: k for k in KEYS}
    if near := get_close_matches(key, KEYS, 1) or [names[name] for name in get_close_matches(last, names, 1)]:
        return f"; did you mean '{near[0]}'?"
    return f"; the sections are {', '.join(SECTIONS)}"
