"""The width at which a net costs the same time as another one: `c?:mmmmm` becomes `c56:mmmmm`.

Times fresh nets (`training.laboratory.costs`) and looks for the width by halving. Trains nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from goengine import features
from goengine.nets import architecture, build
from goengine.nets.architecture import ArchitectureError
from goengine.nets.weights_file import Meta
from training.core.checkpoint import RunError
from training.laboratory.costs import PRICE_BATCH, Compute, Form, Timing, compute, random_inputs, rates

OPEN: Final = "?"  # stands in a text for the width that is looked for
WIDTHS: Final = tuple(range(8, 513, 8))  # that are tried: CPUs compute 8 or 16 channels at once
USUAL: Final = 48  # the first one that is tried
POWER: Final = 1.6  # time grows with about this power of the width


@dataclass(frozen=True)
class Terms:
    """For what the time is equal: one core, a form, a board size, batches of PRICE_BATCH."""

    features: str = "zero"
    size: int = 9
    form: Form = "f32"
    timing: Timing = Timing()


def fresh(text: str, feature_name: str) -> build.Net:
    """The net of an architecture text with fresh weights, for evaluation. Raises ArchitectureError if the text is wrong."""
    chosen = features.get(feature_name)
    return build.build(architecture.parse(text, chosen.name, chosen.planes, chosen.globals)).eval()


class Clock:
    """Times nets against one reference, in turns."""

    def __init__(self, reference: str, terms: Terms):
        """Raises ArchitectureError if the reference is no architecture, RunError if it has no such form."""
        self.reference, self.terms = reference, terms
        self.given = random_inputs(terms.features, terms.size, PRICE_BATCH)
        self._own = self._compute(reference)

    def _compute(self, text: str) -> Compute:
        net = fresh(text, self.terms.features)
        made = compute(net, Meta(net.spec, 0, {}, {}, ""), self.terms.form, [self.given])
        if made is None:
            raise RunError(f"{text}: has no form {self.terms.form} that could be timed; f32 every net has")
        return made

    def relative(self, text: str) -> float:
        """Time of a net over that of the reference, both measured now. Raises as the constructor."""
        nets = {"reference": self._own, "net": self._compute(text)}
        found = {name: max(measured) for name, measured in rates(nets, self.given, self.terms.timing).items()}
        return found["reference"] / found["net"]


def width_for(pattern: str, clock: Clock, say: Callable[[str, float], None] = lambda text, ratio: None) -> str:
    """The text with the width in place of '?' whose time is nearest to the reference's.

    say: is told each text that was timed, and its time over the reference's. Raises ArchitectureError if no width makes the
    text an architecture, RunError if the narrowest costs more than the reference or the widest less.
    """
    possible = [width for width in WIDTHS if _fits(pattern, width)]
    if not possible:
        architecture.check(_with(pattern, USUAL))  # raises, and names the place
    low, high, place = -1, len(possible), min(range(len(possible)), key=lambda i: abs(possible[i] - USUAL))
    known: dict[int, float] = {}
    while high - low > 1:
        text = _with(pattern, possible[place])
        known[place] = clock.relative(text)
        say(text, known[place])
        low, high = (place, high) if known[place] <= 1 else (low, place)
        place = _next(possible, possible[place] * known[place] ** (-1 / POWER), low, high)
    if low < 0:
        raise RunError(f"{pattern}: costs more than {clock.reference} at every width: give it fewer or smaller blocks")
    if high == len(possible):
        raise RunError(f"{pattern}: costs less than {clock.reference} at every width: give it more blocks")
    return _with(pattern, possible[min((low, high), key=lambda place: abs(math.log(known[place])))])


def _next(possible: Sequence[int], wanted: float, low: int, high: int) -> int:
    """The place strictly between two others whose width is nearest to what is wanted."""
    return min(range(low + 1, high), key=lambda i: abs(possible[i] - wanted), default=low)


def _with(pattern: str, width: int) -> str:
    return pattern.replace(OPEN, str(width))


def _fits(pattern: str, width: int) -> bool:
    try:
        architecture.check(_with(pattern, width))
    except ArchitectureError:
        return False
    return True
