"""The settings uv gets: the user's own, and pip's where uv would not see them."""

from pathlib import Path

import pytest

from sandbox import uv


def test_pip_settings_are_said_in_uvs_words(tmp_path: Path) -> None:
    found = uv.settings(
        {"PIP_INDEX_URL": "https://a.invalid/simple", "PIP_EXTRA_INDEX_URL": "https://b.invalid  https://c.invalid", "PIP_CERT": "/ca.pem"},
        tmp_path,
    )
    assert found["UV_DEFAULT_INDEX"] == "https://a.invalid/simple"
    assert found["UV_INDEX"] == "https://b.invalid https://c.invalid"
    assert found["SSL_CERT_FILE"] == "/ca.pem"


def test_pips_settings_file_counts_and_the_environment_goes_before_it(tmp_path: Path) -> None:
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text("[global]\nindex-url = https://file.invalid\nfind-links = /one\n  /two\n")
    assert uv.settings({}, tmp_path)["UV_DEFAULT_INDEX"] == "https://file.invalid"
    assert uv.settings({"PIP_FIND_LINKS": ""}, tmp_path).get("UV_FIND_LINKS") is None
    assert uv.settings({"PIP_INDEX_URL": "https://env.invalid"}, tmp_path)["UV_DEFAULT_INDEX"] == "https://env.invalid"


@pytest.mark.parametrize("own", ["UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL"])
def test_uvs_own_settings_are_left_as_they_are(tmp_path: Path, own: str) -> None:
    found = uv.settings({own: "https://uv.invalid", "PIP_INDEX_URL": "https://pip.invalid"}, tmp_path)
    assert found[own] == "https://uv.invalid"
    assert "https://pip.invalid" not in [value for name, value in found.items() if name.startswith("UV_")]


def test_uvs_own_settings_file_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").touch()
    assert "UV_DEFAULT_INDEX" not in uv.settings({"PIP_INDEX_URL": "https://pip.invalid"}, tmp_path)


def test_what_would_change_the_interpreter_does_not_reach_uv(tmp_path: Path) -> None:
    found = uv.settings({"PYTHONPATH": "/x", "VIRTUAL_ENV": "/y", "HOME": "/h"}, tmp_path)
    assert "PYTHONPATH" not in found
    assert "VIRTUAL_ENV" not in found
    assert found["HOME"] == "/h"


def test_the_indexes_that_are_configured_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://first.invalid/simple")
    monkeypatch.setenv("UV_INDEX", "https://second.invalid/simple")
    assert set(uv.indexes()) == {"https://first.invalid/simple", "https://second.invalid/simple"}
