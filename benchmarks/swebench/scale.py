"""What an evaluation on many machines takes, on paper: time, machines, images, disk, tokens a minute, dollars.

    python -m benchmarks.swebench.scale --instances 500 --nodes 64 --model claude-sonnet-5-5

Every number below is an assumption that a flag changes; docs/scaling.md says where each comes from. Nothing is measured here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import ceil

from swesearch.base import UsageError
from swesearch.dialogue import Usage
from swesearch.models.prices import price_of


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be done, and what one piece of it takes."""

    instances: int = 500
    nodes: int = 64
    cores: int = 16  # of a node
    cores_per_slot: int = 2  # a search evaluates two states at once
    attempts: float = 6.0  # of a model at an instance
    fresh: int = 30_000  # tokens of an attempt: new
    cached: int = 150_000  # read from the provider's cache
    answered: int = 8_000
    attempt_minutes: float = 2.5
    budget: float = 1.0  # dollars an instance may cost
    gradings: float = 2.0  # patches graded for an instance
    grading_minutes: float = 1.0
    prepare_minutes: float = 1.5  # pull and unpack an image, or make it
    longest_minutes: float = 20.0  # the instance that ends last
    image_gb: float = 0.56  # on disk, for one instance
    pull_gb: float = 0.25  # over the network
    kept_gb: float = 0.06  # checkout, states, journal, logs of an instance
    node_dollars: float = 0.70  # an hour
    letter_bytes: int = 5_000  # a step's news to the driver, every second
    model: str = "claude-sonnet-5-5"
    prune: bool = False  # images are removed when they are not needed any more

    @property
    def slots(self) -> int:
        """Steps at once on a node."""
        return max(1, self.cores // self.cores_per_slot)

    @property
    def at_once(self) -> int:
        """Instances at once."""
        return min(self.instances, self.nodes * self.slots)

    @property
    def share(self) -> int:
        """The instances of the node that gets most."""
        return ceil(self.instances / self.nodes)

    @property
    def instance_dollars(self) -> float:
        """What the attempts at an instance cost, which its budget bounds."""
        usage = Usage(input=self.fresh, output=self.answered, cache_read=self.cached)
        return min(self.budget, self.attempts * price_of(self.model).of(usage))

    @property
    def instance_minutes(self) -> float:
        """An instance from the image to the verdict."""
        return self.prepare_minutes + self.attempts * self.attempt_minutes + self.gradings * self.grading_minutes

    @property
    def wall_minutes(self) -> float:
        """Waves of instances one after the other; the last one to end decides."""
        waves = ceil(self.instances / self.at_once)
        return (waves - 1) * self.instance_minutes + max(self.instance_minutes, self.longest_minutes)

    @property
    def disk_gb(self) -> float:
        """Of the node that gets most: its images, or with --prune those of its slots, and what its instances leave."""
        images = min(self.slots, self.share) if self.prune else self.share
        return images * self.image_gb + self.share * self.kept_gb

    @property
    def tokens_per_minute(self) -> float:
        """While all slots search; what is read from the cache counts too with some providers."""
        return self.at_once * (self.fresh + self.cached + self.answered) / self.attempt_minutes


def rows(load: Load) -> list[tuple[str, str]]:
    """The figures, named."""
    fresh = load.at_once * (load.fresh + load.answered) / load.attempt_minutes
    hours = load.wall_minutes / 60
    return [
        ("slots a node", f"{load.slots}"),
        ("instances at once", f"{load.at_once} of {load.nodes * load.slots} slots"),
        ("an instance takes", f"{load.instance_minutes:.0f} min"),
        ("all take", f"{load.wall_minutes:.0f} min"),
        ("images pulled, all nodes", f"{load.instances * load.pull_gb:.0f} GB, at most {load.share} a node"),
        ("disk of a node", f"{load.disk_gb:.1f} GB, and 12 GB that must be free"),
        ("disk of the driver", f"{load.instances * load.kept_gb / 4:.1f} GB"),
        ("tokens a minute, new and answered", f"{fresh / 1e6:.1f} M"),
        ("tokens a minute, with cache reads", f"{load.tokens_per_minute / 1e6:.1f} M"),
        ("tokens in all", f"{load.instances * load.attempts * (load.fresh + load.cached + load.answered) / 1e6:,.0f} M"),
        ("dollars for the model", f"${load.instances * load.instance_dollars:,.0f} (${load.instance_dollars:.2f} an instance)"),
        ("most they can be (--budget)", f"${load.instances * load.budget:,.0f}"),
        ("dollars for machines", f"${load.nodes * load.node_dollars * hours:,.0f} ({load.nodes * hours:.0f} node hours)"),
        ("news to the driver", f"{load.at_once} letters and {load.at_once * load.letter_bytes / 1e6:.1f} MB a second"),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.swebench.scale", description=__doc__.partition("\n")[0])
    for each in fields(Load):
        option = f"--{each.name.replace('_', '-')}"
        if isinstance(each.default, bool):
            parser.add_argument(option, action="store_true")
        else:
            parser.add_argument(option, type=type(each.default), default=each.default, metavar=str(each.default))
    try:
        found = rows(Load(**vars(parser.parse_args(arguments))))
    except UsageError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    width = max(len(name) for name, _ in found)
    print("\n".join(f"{name:{width}}  {value}" for name, value in found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
