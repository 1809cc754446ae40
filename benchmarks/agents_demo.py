"""The demo's bugs of published projects for whole searches with a model: beside each broken line, one in the project that is sound."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import demo
from benchmarks.agents_bugs import Spot

CACHE = Path(tempfile.gettempdir()) / "swesearch-demo-archives"


@dataclass(frozen=True, slots=True)
class DemoBug:
    """One of them. Only the first of its `places` is broken."""

    name: str
    places: tuple[Spot, ...]
    kind: str = "demo"
    python: str = ""  # an environment is made from the project's files

    @property
    def broken(self) -> tuple[Spot, ...]:
        """The line to mend."""
        return self.places[:1]

    @property
    def published(self) -> demo.Bug:
        """The project and its failing tests."""
        return next(bug for bug in demo.bugs() if bug.name == self.name)

    @property
    def check(self) -> str:
        """The failing tests."""
        return self.published.check

    def check_out(self, folder: Path) -> Path:
        """A git repository of one commit in the new `folder`. Raises benchmarks.sdists.Unavailable."""
        return demo.check_out(self.published, folder, CACHE)


def _sound(name: str, path: str, right: str, wrong: tuple[str, ...], indent: int, window: tuple[int, int]) -> Spot:
    """A line that is not broken: all that may be done to it is wrong."""
    return Spot(name=name, path=path, right=right, broken=wrong[0], wrong=wrong[1:], overfit=wrong[0], indent=indent, window=window)


DEMO_BUGS = (
    DemoBug(
        "parse-1",
        (
            Spot(
                name="compile",
                path="parse.py",
                right="return Parser(format, extra_types=extra_types, case_sensitive=case_sensitive)",
                broken="return Parser(format, extra_types=extra_types)",
                wrong=(
                    "return Parser(format, extra_types=extra_types, case_sensitive=True)",
                    "return Parser(format, case_sensitive=case_sensitive)",
                ),
                overfit='return Parser(format, extra_types=extra_types, case_sensitive=case_sensitive and "SPAM" in format)',
                window=(1297, 1314),
            ),
            _sound("get", "parse.py", "return self.named[item]", ("return self.fixed[item]",), 8, (1139, 1155)),
        ),
    ),
    DemoBug(
        "click-1",
        (
            Spot(
                name="show",
                path="src/click/exceptions.py",
                right='echo("Error: {}".format(self.format_message()), file=file)',
                broken='echo("Error: {}".format(self.format_message(), file=file))',
                wrong=('echo("Error: {}".format(self.format_message()))', "echo(self.format_message(), file=file)"),
                overfit='echo("Error: {}".format(self.message), file=file)',
                indent=8,
                window=(39, 43),
            ),
            _sound(
                "invalid",
                "src/click/exceptions.py",
                'return "Invalid value: {}".format(self.message)',
                ('return "Invalid value: {}".format(param_hint)',),
                12,
                (99, 109),
            ),
        ),
    ),
    DemoBug(
        "boltons-1",
        (
            Spot(
                name="daterange",
                path="boltons/timeutils.py",
                right="elif start <= stop:",
                broken="elif start < stop:",
                wrong=("elif start > stop:", "elif start != stop:"),
                overfit="elif start < stop or start == stop == date(2021, 5, 17):",
                window=(363, 396),
            ),
            _sound("relative", "boltons/timeutils.py", "if other is None:", ("if other:",), 4, (236, 251)),
        ),
    ),
    DemoBug(
        "pyjwt-1",
        (
            Spot(
                name="expiry",
                path="jwt/api_jwt.py",
                right="if exp <= (now - leeway):",
                broken="if exp < (now - leeway):",
                wrong=("if exp < (now + leeway):", "if exp > (now - leeway):"),
                overfit="if exp <= now:",
                indent=8,
                window=(227, 235),
            ),
            _sound("before", "jwt/api_jwt.py", "if nbf > (now + leeway):", ("if nbf >= (now + leeway):",), 8, (218, 226)),
        ),
    ),
    DemoBug(
        "pysnooper-3",
        (
            Spot(
                name="trace",
                path="pysnooper/pysnooper.py",
                right="with open(output, 'a') as output_file:",
                broken="with open(output_path, 'a') as output_file:",
                wrong=("with open(write, 'a') as output_file:", "with open('output_path', 'a') as output_file:"),
                overfit="with open(output, 'a', encoding='ascii') as output_file:",
                indent=12,
                window=(19, 34),
            ),
            _sound("stream", "pysnooper/pysnooper.py", "output.write(s)", ("output.write(str(output))",), 12, (19, 34)),
        ),
    ),
    DemoBug(
        "tqdm-4",
        (
            Spot(
                name="scale",
                path="tqdm/_tqdm.py",
                right="total = total * unit_scale if total else total",
                broken="total *= unit_scale",
                wrong=("total = n * unit_scale", "total *= rate"),
                overfit="total = total and int(total * unit_scale)",
                indent=12,
                window=(300, 312),
            ),
            _sound("inverse", "tqdm/_tqdm.py", "inv_rate = 1 / rate if rate else None", ("inv_rate = 1 / rate",), 8, (312, 335)),
        ),
    ),
)
