"""The locks: every package pinned and hashed, nothing that pyproject.toml asks for missing, no index named."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.supply import LOCKS, ROOT, Unfit, lock_file, pins, sbom, unfit

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DIGEST = "0" * 64


@pytest.mark.parametrize(("name", "extras"), LOCKS.items())
def test_a_lock_pins_what_pyproject_asks_for_with_hashes_and_names_no_index(name: str, extras: tuple[str, ...]) -> None:
    text = lock_file(name).read_text()
    assert unfit(PROJECT, extras, pins(text)) == []
    assert "://" not in text


def test_what_a_lock_lacks_or_pins_too_low_is_told() -> None:
    project = {
        "project": {"name": "x", "dependencies": ["rich>=14", "typer>=1"], "optional-dependencies": {}},
        "build-system": {"requires": []},
    }
    locked = pins(f"rich==13.0 \\\n    --hash=sha256:{DIGEST}\n")
    assert unfit(project, (), locked) == ["rich>=14 (locked: 13.0)", "typer>=1 (locked: nothing)"]


@pytest.mark.parametrize(
    "text", ["rich==14.0\n", "rich==14.0 \\\n", "rich>=14\n", "--index-url https://example.com\n", "rich @ file:///tmp/rich\n"]
)
def test_a_package_without_a_version_or_a_hash_is_refused(text: str) -> None:
    with pytest.raises(Unfit):
        pins(text)


def test_the_bill_of_materials_names_every_package_with_its_version_and_hashes() -> None:
    bill = json.loads(sbom())
    assert bill["bomFormat"] == "CycloneDX"
    parts = {(part["name"], part["version"]): part for part in bill["components"]}
    locked = pins(lock_file("core").read_text())
    assert set(parts) == {(pin.name, pin.version) for pin in locked}
    assert all(parts[pin.name, pin.version]["hashes"] and parts[pin.name, pin.version]["purl"].startswith("pkg:pypi/") for pin in locked)
    assert {"ref": "swesearch", "dependsOn": sorted(f"{pin.name}=={pin.version}" for pin in locked)} in bill["dependencies"]


IMPORT_ALL = """
import importlib, pkgutil, sys

def refuse(event, arguments):
    # urllib3 binds a socket to see whether there is IPv6: nothing leaves by that
    if event.partition(".")[0] in ("socket", "urllib", "http", "ftplib", "smtplib") and event not in ("socket.__new__", "socket.bind"):
        raise SystemExit(f"importing does {event} {arguments}")

sys.addaudithook(refuse)
count = 0
for package in ("swesearch", "sandbox"):
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(found.__path__, package + "."):
        if not module.name.endswith("__main__") and not module.name.startswith("sandbox.probe."):  # those run in boxes only
            importlib.import_module(module.name)
            count += 1
print(count)
"""


def test_importing_everything_touches_no_network_and_no_file_of_the_user(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, cwd=ROOT, env={"HOME": str(tmp_path)}, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
    assert list(tmp_path.iterdir()) == []
