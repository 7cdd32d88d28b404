"""How fast nets answer on one core by OpenVINO, measured in turns.

Nets take turns and the fastest of several rounds counts, so that other work on the machine disturbs all alike and as little as
can be. Knows compiled models only; what is in them is the caller's business.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from goengine.core.progress import Progress
from goengine.nets.build import Net
from goengine.nets.spec import NetSpec
from goengine.nets.weights_file import Meta

Compute = Callable[[list[np.ndarray]], Any]  # answers [planes, globals]


def compiled(model: Any, precision: str) -> Compute:
    """A model (of `export.openvino_model`, or a path) ready to compute on one thread, in one stream.

    precision: f32, bf16 or f16; auto: the fastest that this CPU has. Raises RuntimeError where OpenVINO cannot.
    """
    from goengine.evaluators.openvino import best_precision, core

    chosen = best_precision() if precision == "auto" else precision
    hints = {"INFERENCE_PRECISION_HINT": chosen, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}
    found: Compute = core().compile_model(model, "CPU", hints)
    return found


def compiled_net(net: Net, precision: str = "auto") -> Compute:
    """As `compiled`, of a trained net."""
    from goengine.nets.export import openvino_model

    return compiled(openvino_model(net, Meta(net.spec, 0, {}, {}, "")), precision)


def made_up(spec: NetSpec, size: int, batch: int) -> list[np.ndarray]:
    """Planes and globals of so many boards, of random points: the cost does not depend on them."""
    planes = (np.random.default_rng(1).random((batch, spec.planes, size, size)) < 0.3).astype(np.float32)
    planes[:, 0] = 1
    return [planes, np.zeros((batch, spec.globals), np.float32)]


def rate(compute: Compute, given: list[np.ndarray], seconds: float) -> float:
    """Positions a second, in as many whole batches as the time allows, at least one."""
    begun, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds or not count:
        compute(given)
        count += len(given[0])
    return count / passed


def rates(
    nets: Sequence[Compute], given: Sequence[list[np.ndarray]], *, rounds: int, seconds: float, name: str = ""
) -> list[list[float]]:
    """Positions a second of each net in each round; given: what each of them is asked; seconds: of a net in a round."""
    found: list[list[float]] = [[] for _ in nets]
    for net, asked in zip(nets, given, strict=True):
        net(asked)
    with Progress(name, rounds) as bar:
        for done in range(1, rounds + 1):
            for measured, net, asked in zip(found, nets, given, strict=True):
                measured.append(rate(net, asked, seconds))
            bar.update(done)
    return found
