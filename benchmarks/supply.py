"""What swesearch is made of: whether the locks fit pyproject.toml, whether anything in them is known to be unsafe, and a bill of it all.

python -m benchmarks.supply check       each lock pins, with hashes, what pyproject.toml asks for
python -m benchmarks.supply audit       known vulnerabilities of what is locked, where the advisory service can be reached
python -m benchmarks.supply sbom        a CycloneDX bill of materials of what `pip install swesearch` brings, on stdout
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import requests
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = {"core": (), "dev": ("dev",)}  # name: the extras that are in it
SERVICE = "https://pypi.org/pypi"  # where the advisories are; an index that only serves files has none
PATIENCE = 3.0  # seconds for it to answer
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\$")
HASH = re.compile(r"^ {4}--hash=sha256:(?P<digest>[0-9a-f]{64})(?: \\)?$")


class Unfit(Exception):
    """A lock is not what it should be. Says how."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of a lock."""

    name: str
    version: str
    hashes: tuple[str, ...]


def lock_file(name: str) -> Path:
    """Where a lock is."""
    return ROOT / "requirements" / f"{name}.txt"


def pins(text: str) -> list[Pin]:
    """The packages of a lock. Raises Unfit for a line that is neither a pin nor a SHA-256 of one."""
    found: list[Pin] = []
    for number, row in enumerate(text.splitlines(), 1):
        if match := PIN.match(row):
            found.append(Pin(canonicalize_name(match["name"]), match["version"], ()))
        elif (match := HASH.match(row)) and found:
            last = found.pop()
            found.append(Pin(last.name, last.version, (*last.hashes, match["digest"])))
        elif row.strip() and not row.startswith("#"):
            raise Unfit(f"line {number} is neither a pinned package nor a SHA-256: {row[:80]!r}")
    if bare := [pin.name for pin in found if not pin.hashes]:
        raise Unfit(f"without a hash: {', '.join(bare)}")
    return found


def wanted(project: dict[str, object], extras: Sequence[str]) -> Iterator[Requirement]:
    """What pyproject.toml asks for, with these extras and those that they name."""
    table = project["project"]
    build = project["build-system"]
    assert isinstance(table, dict)
    assert isinstance(build, dict)
    yield from map(Requirement, [*table["dependencies"], *build["requires"]])
    for extra in extras:
        for requirement in map(Requirement, table["optional-dependencies"][extra]):
            if requirement.name == table["name"]:
                yield from wanted(project, sorted(requirement.extras))
            else:
                yield requirement


def unfit(project: dict[str, object], extras: Sequence[str], locked: Sequence[Pin]) -> list[str]:
    """What pyproject.toml asks for and the lock does not give."""
    versions = {pin.name: [other.version for other in locked if other.name == pin.name] for pin in locked}
    return [
        f"{requirement} (locked: {', '.join(versions.get(canonicalize_name(requirement.name), [])) or 'nothing'})"
        for requirement in wanted(project, extras)
        if not any(requirement.specifier.contains(v, prereleases=True) for v in versions.get(canonicalize_name(requirement.name), []))
    ]


def check() -> int:
    """Say for each lock whether it fits. Needs no network."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    bad = 0
    for name, extras in LOCKS.items():
        try:
            locked = pins(lock_file(name).read_text())
            wrong = unfit(project, extras, locked)
        except (OSError, Unfit) as error:
            wrong = [str(error)]
        for words in wrong:
            print(f"requirements/{name}.txt does not fit pyproject.toml, scripts/lock makes it anew: {words}", file=sys.stderr)
        bad += bool(wrong)
    return int(bad > 0)


def audit() -> int:
    """Ask for known vulnerabilities of everything that is locked."""
    locked = pins(lock_file("dev").read_text())
    one = next(pin for pin in locked if pin.name == "pip-audit")
    try:
        known = requests.get(f"{SERVICE}/{one.name}/{one.version}/json", timeout=PATIENCE).json()
    except (requests.RequestException, ValueError):
        known = {}
    if "vulnerabilities" not in known:
        print(f"pip-audit was skipped: no advisory service answers at {SERVICE}", file=sys.stderr)
        return 0
    words = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--desc", "off"]
    return subprocess.run([sys.executable, "-m", "pip_audit", *words, "-r", str(lock_file("dev"))], check=False).returncode


def sbom() -> str:
    """The bill of materials as CycloneDX 1.6 JSON. The same for the same lock, but for its serial number and time."""
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6
    from packageurl import PackageURL

    from swesearch import __version__

    bom = Bom()
    top = Component(name="swesearch", version=__version__, type=ComponentType.APPLICATION, bom_ref="swesearch")
    bom.metadata.component = top
    parts = [
        Component(
            name=pin.name, version=pin.version, bom_ref=f"{pin.name}=={pin.version}", purl=PackageURL("pypi", None, pin.name, pin.version),
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.hashes],
        )
        for pin in pins(lock_file("core").read_text())
    ]  # fmt: skip
    bom.components.update(parts)
    bom.register_dependency(top, parts)
    return JsonV1Dot6(bom).output_as_string(indent=1)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("check", "audit", "sbom"))
    what = parser.parse_args(arguments).what
    if what == "sbom":
        print(sbom())
        return 0
    return check() if what == "check" else audit()


if __name__ == "__main__":
    sys.exit(main())
