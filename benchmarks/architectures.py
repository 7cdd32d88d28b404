"""What architectures cost, whatever they may learn: parameters, multiply-adds, evaluations a second on one core by OpenVINO.

    python benchmarks/architectures.py b8c96 b8c96:m b8c96:n --sizes 9 19

Fresh weights: the cost does not depend on them. The nets take turns, and the fastest of the rounds counts, so that other work
on the machine disturbs all alike and as little as can be; the last column compares with the first net of the list.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from goengine import features
from goengine.core.progress import Progress
from goengine.core.tables import table
from goengine.nets import architecture


@dataclass(frozen=True)
class Contender:
    """A net to be measured. compute: answers planes and globals; macs: multiply-adds of one position, by board size."""

    text: str
    parameters: int
    macs: dict[int, int]
    compute: Callable[[list[np.ndarray]], Any]


def contender(text: str, feature_name: str, sizes: list[int], precision: str) -> Contender:
    """The net of an architecture text with fresh weights. Raises ArchitectureError if the text is wrong."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from goengine.core.openvino_import import ov
    from goengine.nets import build, export, fold, weights_file

    chosen = features.get(feature_name)
    spec = architecture.parse(text, chosen.name, chosen.planes, chosen.globals)
    net = build.build(spec).eval()
    folded, macs = fold.fold(net), {}
    for size in sizes:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            folded(torch.ones(1, spec.planes, size, size), torch.zeros(1, spec.globals), True)
        macs[size] = counter.get_total_flops() // 2
    model = export.openvino_model(net, weights_file.Meta(spec, 0, {}, {}, ""))
    hints = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}
    return Contender(text, build.parameter_count(net), macs, ov.Core().compile_model(model, "CPU", hints))


def rate(net: Contender, given: list[np.ndarray], seconds: float) -> float:
    """Positions a second, in as many whole batches as the time allows, at least one."""
    begun, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds or not count:
        net.compute(given)
        count += len(given[0])
    return count / passed


def measure(nets: list[Contender], size: int, options: argparse.Namespace) -> list[list[float]]:
    """Positions a second of each net in each round."""
    chosen = features.get(options.features)
    draw = np.random.default_rng(1)
    planes = (draw.random((options.batch, chosen.planes, size, size)) < 0.3).astype(np.float32)
    planes[:, 0] = 1
    given = [planes, np.zeros((options.batch, chosen.globals), np.float32)]
    found: list[list[float]] = [[] for _ in nets]
    for net in nets:
        net.compute(given)
    with Progress(f"{size}x{size}", options.rounds) as bar:
        for done in range(1, options.rounds + 1):
            for rates, net in zip(found, nets, strict=True):
                rates.append(rate(net, given, options.seconds))
            bar.update(done)
    return found


def main() -> int:
    """Measure, and print a table for each board size."""
    parser = argparse.ArgumentParser(description="Price architectures on one core.")
    parser.add_argument("nets", nargs="+", help="architectures, such as b8c96 or c96:mmmmmmmm/silu (docs/architectures.md)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[9, 19])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a net in a round")
    parser.add_argument("--precision", default="f32", choices=["f32", "bf16", "f16"])
    parser.add_argument("--features", default="zero")
    options = parser.parse_args()
    try:
        nets = [contender(text, options.features, options.sizes, options.precision) for text in options.nets]
    except architecture.ArchitectureError as error:
        parser.error(str(error))
    header = ["net", "parameters", "multiply-adds", "evaluations/s", "median", f"against {nets[0].text}"]
    for size in options.sizes:
        found = measure(nets, size, options)
        rows = [
            [
                net.text,
                f"{net.parameters / 1e6:.2f} M",
                f"{net.macs[size] / 1e6:.0f} M",
                f"{max(rates):.0f}",
                f"{statistics.median(rates):.0f}",
                f"{max(rates) / max(found[0]):.2f}",
            ]
            for net, rates in zip(nets, found, strict=True)
        ]
        sys.stdout.write(f"{size}x{size}, batch {options.batch}, {options.precision}\n{table(rows, header=header)}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
