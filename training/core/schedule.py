"""How far a run is, and the learning rate that belongs there.

Knows: a budget in steps or in seconds (or both: whichever is further), warm-up and cosine decay. Does not
know what is trained or who counts the seconds: the loop keeps the counters in its checkpoint, so that a resumed
run continues on the same curve.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up over the first `warmup` share of the run, then half a cosine from 1 down to `floor`.

    The cosine begins at the share `hold` of the run, if that is later; the rate is 1 until then, and stays at `floor` after
    the end. Cosine decay: Loshchilov and Hutter, SGDR, 2017, without restarts.
    """

    steps: int | None = None  # end of the run in optimizer steps
    seconds: float | None = None  # all that the run may take, with what `progress` calls other seconds
    warmup: float = 0.01  # share of the run
    floor: float = 0.005  # of the peak rate
    hold: float = 0.0  # share of the run

    def __post_init__(self) -> None:
        if not self.steps and not self.seconds:
            raise ValueError("a run needs an end: give steps or a time budget")
        if not 0 <= self.warmup < 1 or not 0 <= self.floor <= 1 or not 0 <= self.hold < 1:
            raise ValueError(f"warmup {self.warmup}, floor {self.floor} and hold {self.hold} must be shares of one")

    def progress(self, step: int, seconds: float, other: float = 0.0) -> float:
        """Share of the run that is done, 0 to 1, after `seconds` of training.

        `other` seconds of the budget are for start-up and the last checkpoint. They do not move the curve, so that a slow start
        does not shorten the warm-up.
        """
        by_steps = step / self.steps if self.steps else 0.0
        by_time = seconds / max(self.seconds - other, 1e-9) if self.seconds else 0.0
        return min(max(by_steps, by_time), 1.0)

    def factor(self, progress: float) -> float:
        """Learning rate over its peak."""
        if progress < self.warmup:
            return max(progress / self.warmup, 0.02)  # not 0: the first steps should move
        start = max(self.warmup, self.hold)
        angle = math.pi * max(progress - start, 0.0) / (1 - start)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(angle))
