from __future__ import annotations

import json
from pathlib import Path

import pytest

from swesearch.base import UsageError
from swesearch.engine import strategies
from swesearch.settings import ENGINE, KEYS, PRESETS, STRATEGIES, Settings, load


@pytest.fixture
def user(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def environ(user: Path, **more: str) -> dict[str, str]:
    return {"SWESEARCH_CONFIG": str(user), **more}


def test_without_any_file_the_defaults_hold() -> None:
    assert load(None, {"SWESEARCH_CONFIG": "/nonexistent"}) == Settings()


def test_each_layer_lies_over_the_one_before(tmp_path: Path, user: Path) -> None:
    given, flags = tmp_path / "given.toml", {"search.depth": 7}

    def depth(preset: str = "standard", c: tuple[str, ...] = (), flags: dict[str, object] | None = None, **env: str) -> tuple[int, str]:
        settings = load(tmp_path, environ(user, **env), preset, c, flags)
        return settings.search.depth, settings.origins.get("search.depth", "default")

    assert depth() == (3, "default")
    user.write_text("[search]\ndepth = 1")
    assert depth() == (1, str(user))
    (tmp_path / ".swesearch.toml").write_text("[search]\ndepth = 2")
    assert depth() == (2, str(tmp_path / ".swesearch.toml"))
    assert depth(SWESEARCH_SEARCH_DEPTH="4") == (4, "$SWESEARCH_SEARCH_DEPTH")
    assert depth("thorough", SWESEARCH_SEARCH_DEPTH="4") == (5, "--preset thorough")
    given.write_text("[search]\ndepth = 8")
    assert depth("thorough", (str(given),)) == (8, str(given))
    assert depth("thorough", ("search.depth=6", str(given))) == (6, "-c")
    assert depth("thorough", ("search.depth=6", str(given)), flags) == (7, "command line")


def test_the_user_file_is_found_under_xdg_config_home(tmp_path: Path) -> None:
    (tmp_path / "swesearch").mkdir()
    (tmp_path / "swesearch" / "config.toml").write_text("[search]\nseed = 5")
    assert load(None, {"XDG_CONFIG_HOME": str(tmp_path)}).search.seed == 5


def test_a_variable_that_is_no_setting_is_left_alone(user: Path) -> None:
    assert load(None, environ(user, SWESEARCH_HOME="/tmp", SWESEARCH_SEARCHING="x")) == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[search]\nstrateg = 'mcts'", "unknown key 'search.strateg'; did you mean 'search.strategy'?"),
        ("[serch]\nstrategy = 'mcts'", "unknown key 'serch.strategy'; did you mean 'search.strategy'?"),
        ("strategy = 'mcts'", "unknown key 'strategy'; did you mean 'search.strategy'?"),
        ("[search]\nstrategy = 'bean'", f"search.strategy must be one of {', '.join(STRATEGIES)}, not 'bean'; did you mean 'beam'?"),
        ("[search]\ndepth = 'deep'", "search.depth must be a whole number, not 'deep'"),
        ("[search]\ndepth = true", "search.depth must be a whole number, not True"),
        ("[discriminator]\nconfidence = 2", "discriminator.confidence must be a finite number from 0 to 1, not 2"),
        ("[search]\ndepth = 0", "search.depth must be a finite number from 1 up, not 0"),
        ("[budget]\nseconds = nan", "budget.seconds must be a finite number from 0 up, not nan"),
        ("[task]\nchecks = [1]", "task.checks must be a list of texts, not [1]"),
        (
            "[xyzzy.plugh]\na = 1",
            "unknown key 'xyzzy.plugh'; the sections are task, search, budget, sandbox, model, agents, value, discriminator",
        ),
        ("[search", "cannot be read as TOML: "),
    ],
)
def test_an_error_is_one_line_with_the_file_the_key_and_the_nearest_key(user: Path, text: str, said: str) -> None:
    user.write_text(text)
    with pytest.raises(UsageError) as error:
        load(None, environ(user))
    assert str(error.value).startswith(f"{user}: {said}")
    assert "\n" not in str(error.value)


def test_a_variable_with_an_unknown_key_is_an_error(user: Path) -> None:
    with pytest.raises(UsageError, match=r"^\$SWESEARCH_SEARCH_DEEP: unknown key 'search.deep'; did you mean 'search.depth'\?$"):
        load(None, environ(user, SWESEARCH_SEARCH_DEEP="4"))


def test_a_file_given_with_c_must_exist(user: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        load(None, environ(user), given=["missing.toml"])


def test_an_unknown_preset_is_an_error(user: Path) -> None:
    with pytest.raises(UsageError, match="unknown preset 'fast': choose one of quick, standard, thorough, reliable, best, auto"):
        load(None, environ(user), "fast")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_loaded(user: Path, preset: str) -> None:
    settings = load(None, environ(user), preset)
    assert {key: value for key, value, _ in settings.items() if key in PRESETS[preset]} == PRESETS[preset]


SAFE = {"task.checks", "search.strategy", "search.exploration", "search.depth", "bot.ignore", "bot.reruns"}


@pytest.mark.parametrize("key", KEYS)
def test_a_repository_may_set_its_check_and_how_to_search_but_nothing_else(tmp_path: Path, user: Path, key: str) -> None:
    section, _, name = key.partition(".")
    value = json.dumps(KEYS[key].default)
    (tmp_path / ".swesearch.toml").write_text(f"[{section}]\n{name} = {value}\n")
    if key in SAFE:
        assert load(tmp_path, environ(user)).origins == {key: str(tmp_path / ".swesearch.toml")}
    else:
        with pytest.raises(UsageError, match=f"{key} may not be set by a repository's own file"):
            load(tmp_path, environ(user))


def test_a_repository_file_that_is_a_link_is_not_followed(tmp_path: Path, user: Path) -> None:
    (tmp_path / "elsewhere").write_text("[search]\ndepth = 9")
    (tmp_path / ".swesearch.toml").symlink_to("elsewhere")
    assert load(tmp_path, environ(user)) == Settings()


def test_one_check_may_be_written_without_a_list(user: Path) -> None:
    user.write_text("[task]\nchecks = 'pytest -q'")
    assert load(None, environ(user)).task.checks == ("pytest -q",)


def test_settings_survive_their_record() -> None:
    settings = load(None, {"SWESEARCH_CONFIG": "/nonexistent"}, "thorough", ["sandbox.image=python:3.12-slim", "task.checks=pytest -q"])
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_the_strategies_are_those_of_the_engine() -> None:
    assert set(ENGINE) == set(strategies.STRATEGIES)
