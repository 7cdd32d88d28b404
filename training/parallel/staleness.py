"""How old gradients are, which of them are too old, and the record of all that came.

A gradient's staleness is the number of steps that the server has made since the worker took the weights. With one worker it is
0, with n equal ones about n - 1. Rules for stale ones: Dean et al. 2012 (none), Zhang et al. 2016 (weight by age).
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from training.core.checkpoint import RunError, write_text

FILE = "staleness.json"  # of a run's folder
FORMAT = "goengine-staleness-1"
USED, DAMPED = "used", "damped"
STALE, LATE, ORPHANED, NOT_FINITE, MISFIT = "stale", "late", "of another server", "not finite", "of another net"
FATES = (USED, DAMPED, STALE, LATE, ORPHANED, NOT_FINITE, MISFIT)


@dataclass(frozen=True)
class StalenessRule:
    """Gradients older than `most` steps (None: however old) are damped by their age, or dropped."""

    most: int | None = None
    damp: bool = True

    def weight(self, staleness: int) -> float:
        """What a gradient of that age counts, from 0 to 1."""
        over = 0 if self.most is None else max(0, staleness - self.most)
        return 1 / (1 + over) if self.damp or not over else 0.0


class Ledger:
    """What became of every gradient: counts by fate, by staleness and by worker."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        self.ages: Counter[int] = Counter()  # of those that were used or too old
        self.workers: Counter[str] = Counter()  # gradients that were used

    def note(self, worker: str, fate: str, staleness: int | None = None) -> None:
        """One gradient; staleness: None where it makes no sense."""
        self.fates[fate] += 1
        if staleness is not None:
            self.ages[staleness] += 1
        if fate in (USED, DAMPED):
            self.workers[worker] += 1

    @property
    def mean_age(self) -> float:
        """Mean staleness; 0 before there is one."""
        return sum(age * count for age, count in self.ages.items()) / max(1, self.ages.total())

    def save(self, folder: Path) -> None:
        """Write it. Raises RunError if the disk does not take it."""
        found = {
            "format": FORMAT,
            "fates": dict(self.fates),
            "staleness": {str(age): count for age, count in sorted(self.ages.items())},
            "workers": dict(sorted(self.workers.items())),
        }
        write_text(folder / FILE, json.dumps(found, indent=1) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Ledger":
        """The record of a run, empty if there is none yet. Raises RunError if the file is broken."""
        found, path = cls(), folder / FILE
        if not path.exists():
            return found
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values["format"] != FORMAT:
                raise ValueError(f"format {values['format']!r}")
            found.fates.update({str(name): int(count) for name, count in values["fates"].items()})
            found.ages.update({int(age): int(count) for age, count in values["staleness"].items()})
            found.workers.update({str(name): int(count) for name, count in values["workers"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{path} is no record of gradients ({error}); remove it: only the record is lost") from None
        return found
