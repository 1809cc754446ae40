from __future__ import annotations

from pathlib import Path

import pytest

from swesearch.base import Check, UsageError
from swesearch.cli.options import home_folder, parse_budget, parse_checks, read_issue, repository


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([], {}),
        (["200"], {"budget.evaluations": 200}),
        (["90s"], {"budget.seconds": 90.0}),
        (["10m"], {"budget.seconds": 600.0}),
        (["1.5h"], {"budget.seconds": 5400.0}),
        (["$0.50"], {"budget.dollars": 0.5}),
        (["200, 10m,$1"], {"budget.evaluations": 200, "budget.seconds": 600.0, "budget.dollars": 1.0}),
        (["50-evals,200k-tokens"], {"budget.evaluations": 50, "budget.tokens": 200_000}),
        (["1.5M-tokens"], {"budget.tokens": 1_500_000}),
        (["200", "5s"], {"budget.evaluations": 200, "budget.seconds": 5.0}),
    ],
)
def test_a_budget_is_evaluations_time_or_money(texts: list[str], found: dict[str, object]) -> None:
    assert parse_budget(texts) == found


@pytest.mark.parametrize("text", ["", "lots", "-1", "$1m", "10 parsecs", "1.5", "1e3", "200;5s"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is none of 200"):
        parse_budget([text])


def test_a_check_is_split_as_a_shell_would_but_stays_words() -> None:
    assert parse_checks(["pytest -q 'a b.py::test[x]' $(rm -rf) ; true"]) == (
        Check(("pytest", "-q", "a b.py::test[x]", "$(rm", "-rf)", ";", "true")),
    )


@pytest.mark.parametrize(("texts", "said"), [([], "no check"), ([" "], "the command is empty"), (["pytest 'a"], "No closing quotation")])
def test_a_check_that_is_none_is_refused(texts: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_checks(texts)


def test_an_issue_is_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "issue.md").write_text("it breaks")
    assert read_issue("it breaks") == "it breaks"
    assert read_issue(f"@{tmp_path / 'issue.md'}") == "it breaks"
    with pytest.raises(UsageError, match="No such file"):
        read_issue(f"@{tmp_path / 'missing'}")


def test_a_repository_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert repository(tmp_path) == tmp_path.resolve()
    with pytest.raises(UsageError, match="not a folder"):
        repository(tmp_path / "file")
    with pytest.raises(UsageError, match="no such folder"):
        repository(tmp_path / "missing")


def test_home_is_the_option_the_variable_or_the_xdg_folder(tmp_path: Path) -> None:
    environ = {"SWESEARCH_HOME": str(tmp_path / "b"), "XDG_STATE_HOME": str(tmp_path / "c")}
    assert home_folder(tmp_path / "a", environ) == tmp_path / "a"
    assert home_folder(None, environ) == tmp_path / "b"
    assert home_folder(None, {"XDG_STATE_HOME": str(tmp_path / "c")}) == tmp_path / "c" / "swesearch"
    assert home_folder(None, {}) == Path.home() / ".local/state/swesearch"
