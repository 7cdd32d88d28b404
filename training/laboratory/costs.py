"""What nets cost, whatever they have learned: parameters, multiply-adds, and evaluations a second of each form on one core.

Knows forms (f32, bf16, f16, int8), how they are computed (OpenVINO; torch where that is missing or cannot play the net), and
how several are timed fairly: they take turns, the time is that of this process alone, and the fastest round counts, so that
other work on the machine disturbs all alike and as little as can be.
"""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from goengine import features
from goengine.core.machine import importable
from goengine.nets import build, export, fold, quantize
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.weights_file import Meta

Form = Literal["f32", "bf16", "f16", "int8"]
Inputs = tuple[np.ndarray, np.ndarray]  # planes [B,P,M,M] and globals [B,G], float32
Compute = Callable[[Inputs], Any]
Key = TypeVar("Key", bound=Hashable)

PRICE_BATCH: Final = 8  # positions of a batch in which equal time is measured: about as many as a search sends at once
_ONE_CORE: Final = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}


@dataclass(frozen=True)
class Timing:
    """How long to measure."""

    rounds: int = 5
    seconds: float = 0.3  # of each net in a round


def multiply_adds(net: build.Net, size: int) -> int:
    """Multiply-adds for one position on a board of that size, with all that folds folded."""
    folded, spec = fold.fold(net), net.spec
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        folded(torch.ones(1, spec.planes, size, size), torch.zeros(1, spec.globals), True)
    return int(counter.get_total_flops() // 2)


def random_inputs(feature_name: str, size: int, batch: int, seed: int = 1) -> Inputs:
    """Planes of no meaning and zeros: the time does not depend on them."""
    chosen = features.get(feature_name)
    planes = (np.random.default_rng(seed).random((batch, chosen.planes, size, size)) < 0.3).astype(np.float32)
    planes[:, 0] = 1
    return planes, np.zeros((batch, chosen.globals), np.float32)


def rounded(net: build.Net, calibration: Sequence[Inputs]) -> build.Net | None:
    """The net with the steps of its 8-bit integers; None if nothing in it computes on integers (see `quantize.prepare`)."""
    prepared = quantize.prepare(net)
    if not quantize.steps(prepared):
        return None
    quantize.calibrate(prepared, calibration)
    return prepared.eval()


def compute(net: build.Net, meta: Meta, form: Form, calibration: Sequence[Inputs]) -> Compute | None:
    """What computes a form of a net that has no files on one core; None where there is no such form.

    calibration: positions on which the steps of int8 are found. Where OpenVINO is missing or cannot play the net, torch
    computes f32 and bf16.
    """
    graph = None
    if importable("openvino"):
        try:
            graph = openvino_graph(net, meta, form, calibration)
        except WeightsError:
            return by_torch(net, form)
        return None if graph is None else by_openvino(graph, form)
    return by_torch(net, form)


def openvino_graph(net: build.Net, meta: Meta, form: Form, calibration: Sequence[Inputs]) -> Any:
    """The OpenVINO model of a form, None where nothing computes on integers. Raises WeightsError as `export.openvino_model`."""
    if form != "int8":
        return export.openvino_model(net, meta)
    prepared = rounded(net, calibration)
    return None if prepared is None else export.int8_model(prepared, meta)


def compiled(graph: Any, precision: str = "auto") -> Any:
    """An OpenVINO model, or one in a .xml file, ready to compute on one core: it takes [planes, globals].

    precision: f32, bf16 or f16, of what is not rounded; auto: the fastest that this CPU has. Raises RuntimeError where OpenVINO
    cannot.
    """
    from goengine.evaluators.openvino import best_precision, core

    chosen = best_precision() if precision == "auto" else precision
    return core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": chosen, **_ONE_CORE})


def by_openvino(graph: Any, form: Form) -> Compute:
    """What computes an OpenVINO model, or one in a .xml file, on one core."""
    model = compiled(graph, "auto" if form == "int8" else form)
    return lambda given: model(list(given))


def by_torch(net: build.Net, form: Form) -> Compute | None:
    """What computes a net by torch on one core; None but for f32 and bf16."""
    if form not in ("f32", "bf16"):
        return None
    folded = fold.fold(net)

    def answer(given: Inputs) -> Any:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=form == "bf16"):
                return folded(*map(torch.from_numpy, given), True)
        finally:
            torch.set_num_threads(threads)

    return answer


def rate(net: Compute, given: Inputs, seconds: float) -> float:
    """Positions a second of this process's time, in as many whole batches as the time allows, at least one."""
    begun, count = time.process_time(), 0
    while (passed := time.process_time() - begun) < seconds or not count:
        net(given)
        count += len(given[0])
    return count / max(passed, 1e-9)


def rates(
    nets: Mapping[Key, Compute], given: Inputs, timing: Timing, say: Callable[[int], None] = lambda done: None
) -> dict[Key, list[float]]:
    """Positions a second of each net in each round. say: is told the number of rounds done."""
    found: dict[Key, list[float]] = {key: [] for key in nets}
    for net in nets.values():
        net(given)
    for done in range(1, timing.rounds + 1):
        for key, net in nets.items():
            found[key].append(rate(net, given, timing.seconds))
        say(done)
    return found
