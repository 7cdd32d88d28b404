"""The width of equal time, found with a clock that reads the time off the text, and what real nets cost."""

import re
from dataclasses import dataclass, field

import pytest

from goengine.nets.architecture import ArchitectureError
from goengine.nets.weights_file import Meta
from training.core.checkpoint import RunError
from training.laboratory.costs import Timing, compute, multiply_adds, random_inputs, rates
from training.laboratory.meetings import equal_time_visits
from training.laboratory.widths import Clock, Terms, fresh, width_for


@dataclass
class ScriptedClock:
    """Time as a power of the width, 1 at `equal`."""

    equal: float
    power: float = 1.6
    reference: str = "c48:r"
    asked: list[str] = field(default_factory=list)

    def relative(self, text: str) -> float:
        """Time over the reference's."""
        self.asked.append(text)
        return (int(re.search(r"c(\d+)", text)[1]) / self.equal) ** self.power


@pytest.mark.parametrize(("equal", "found"), [(48, 48), (50, 48), (53, 56), (20, 24), (8, 8), (200, 200), (333, 336)])
@pytest.mark.parametrize("power", [1.0, 1.6, 2.5])
def test_the_nearest_width_is_found_in_few_steps(equal, found, power):
    clock = ScriptedClock(equal, power)
    assert width_for("c?:rrgr", clock) == f"c{found}:rrgr"
    assert len(clock.asked) == len(set(clock.asked)) <= 10


def test_no_width_does():
    with pytest.raises(RunError, match="costs more than c48:r at every width"):
        width_for("c?:r", ScriptedClock(4))
    with pytest.raises(RunError, match="costs less than c48:r at every width"):
        width_for("c?:r", ScriptedClock(5000))
    with pytest.raises(ArchitectureError, match="at character 5"):
        width_for("c?:x", ScriptedClock(48))


def test_multiply_adds_are_counted_by_hand():
    """The stem, 5x5 from the planes to 8 channels, is far the most; heads and biases come on top."""
    net = fresh("c8:r", "zero")
    trunk = 25 * (25 * net.spec.planes * 8 + 2 * 9 * 8 * 8)
    assert trunk < multiply_adds(net, 5) < 1.5 * trunk


def test_forms_that_there_are_and_real_time():
    net, other = fresh("c8:r", "zero"), fresh("c8:t", "zero")
    given = random_inputs("zero", 5, 2)
    made = {form: compute(net, Meta(net.spec, 0, {}, {}, ""), form, [given]) for form in ("f32", "bf16", "int8")}
    assert None not in made.values()
    assert compute(other, Meta(other.spec, 0, {}, {}, ""), "int8", [given]) is None
    found = rates(made, given, Timing(2, 0.001))
    assert all(len(several) == 2 and min(several) > 0 for several in found.values())
    assert Clock("c8:r", Terms(size=5, timing=Timing(1, 0.001))).relative("c64:rrrrrrrr") > 1


def test_nets_that_openvino_cannot_play_are_computed_by_torch():
    net = fresh("c8:u/group", "zero")
    given = random_inputs("zero", 5, 2)
    meta = Meta(net.spec, 0, {}, {}, "")
    assert compute(net, meta, "int8", [given]) is None
    assert compute(net, meta, "f32", [given])(given).policy.shape == (2, 26)


@pytest.mark.parametrize(("speed", "visits"), [(1.0, 100), (1.02, 100), (0.98, 100), (0.5, 50), (1.5, 150), (0.001, 1)])
def test_visits_of_equal_time(speed, visits):
    assert equal_time_visits(100, speed) == visits
