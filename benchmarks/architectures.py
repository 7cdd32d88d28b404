"""What architectures cost, whatever they may learn: parameters, multiply-adds, evaluations a second on one core by OpenVINO.

    python benchmarks/architectures.py b8c96 b8c96:m b8c96:n --sizes 9 19

Fresh weights: the cost does not depend on them. The nets take turns, and the fastest of the rounds counts, so that other work
on the machine disturbs all alike and as little as can be; the last column compares with the first net of the list.
"""

import argparse
import statistics
import sys
from dataclasses import dataclass

from goengine import features
from goengine.core.tables import table
from goengine.nets import architecture
from goengine.nets.spec import NetSpec
from training.measure import rates


@dataclass(frozen=True)
class Contender:
    """A net to be measured. compute: answers planes and globals; macs: multiply-adds of one position, by board size."""

    text: str
    spec: NetSpec
    parameters: int
    macs: dict[int, int]
    compute: rates.Compute


def contender(text: str, feature_name: str, sizes: list[int], precision: str) -> Contender:
    """The net of an architecture text with fresh weights. Raises ArchitectureError if the text is wrong."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from goengine.nets import build, fold

    chosen = features.get(feature_name)
    spec = architecture.parse(text, chosen.name, chosen.planes, chosen.globals)
    net = build.build(spec).eval()
    folded, macs = fold.fold(net), {}
    for size in sizes:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            folded(torch.ones(1, spec.planes, size, size), torch.zeros(1, spec.globals), True)
        macs[size] = counter.get_total_flops() // 2
    return Contender(text, spec, build.parameter_count(net), macs, rates.compiled_net(net, precision))


def measure(nets: list[Contender], size: int, options: argparse.Namespace) -> list[list[float]]:
    """Positions a second of each net in each round."""
    given = rates.made_up(nets[0].spec, size, options.batch)
    asked = [given] * len(nets)
    return rates.rates(
        [net.compute for net in nets], asked, rounds=options.rounds, seconds=options.seconds, name=f"{size}x{size}"
    )


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
                f"{max(measured):.0f}",
                f"{statistics.median(measured):.0f}",
                f"{max(measured) / max(found[0]):.2f}",
            ]
            for net, measured in zip(nets, found, strict=True)
        ]
        sys.stdout.write(f"{size}x{size}, batch {options.batch}, {options.precision}\n{table(rows, header=header)}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
