"""What architectures cost, whatever they may learn: parameters, multiply-adds, evaluations a second on one core.

    python benchmarks/architectures.py b8c96 b8c96:m 'c?:nnnnnnnn' --sizes 9 19

Fresh weights: the cost does not depend on them. A '?' becomes the width at which the net costs what the first one costs, on the
first board size. The nets take turns, the time is that of this process alone, and the fastest of the rounds counts; the last
column compares with the first net of the list.
"""

import argparse
import statistics
import sys

from goengine.core.progress import Progress
from goengine.core.tables import table
from goengine.nets import architecture, build
from goengine.nets.weights_file import Meta
from training.core.checkpoint import RunError
from training.laboratory import costs, widths


def with_width(text: str, options: argparse.Namespace) -> str:
    """The text with its '?' replaced. Raises ArchitectureError and RunError as `widths.width_for`."""
    if widths.OPEN not in text:
        return text
    terms = widths.Terms(options.features, options.sizes[0], options.form, costs.Timing(options.rounds, options.seconds))
    return widths.width_for(text, widths.Clock(options.nets[0], terms))


def measure(nets: dict[str, build.Net], size: int, options: argparse.Namespace) -> dict[str, list[float]]:
    """Positions a second of each net in each round, without nets that have no such form."""
    given = costs.random_inputs(options.features, size, options.batch)
    made = {text: costs.compute(net, Meta(net.spec, 0, {}, {}, ""), options.form, [given]) for text, net in nets.items()}
    players = {text: player for text, player in made.items() if player is not None}
    with Progress(f"{size}x{size}", options.rounds) as bar:
        return costs.rates(players, given, costs.Timing(options.rounds, options.seconds), bar.update)


def row(text: str, net: build.Net, size: int, found: dict[str, list[float]], first: str) -> list[str]:
    """A line of the table."""
    cells = [text, f"{build.parameter_count(net) / 1e6:.2f} M", f"{costs.multiply_adds(net, size) / 1e6:.0f} M"]
    if text not in found:
        return [*cells, "-", "-", "-"]
    rates = found[text]
    against = f"{max(rates) / max(found[first]):.2f}" if first in found else "-"
    return [*cells, f"{max(rates):.0f}", f"{statistics.median(rates):.0f}", against]


def main() -> int:
    """Measure, and print a table for each board size."""
    parser = argparse.ArgumentParser(description="Price architectures on one core.")
    parser.add_argument("nets", nargs="+", help="architectures, such as b8c96 or c96:mmmmmmmm/silu (docs/architectures.md)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[9, 19])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a net in a round")
    parser.add_argument("--form", default="f32", choices=["f32", "bf16", "f16", "int8"])
    parser.add_argument("--features", default="zero")
    options = parser.parse_args()
    try:
        texts = [with_width(text, options) for text in options.nets]
        nets = {text: widths.fresh(text, options.features) for text in texts}
    except (architecture.ArchitectureError, RunError) as error:
        parser.error(str(error))
    header = ["net", "parameters", "multiply-adds", "evaluations/s", "median", f"against {texts[0]}"]
    for size in options.sizes:
        found = measure(nets, size, options)
        rows = [row(text, net, size, found, texts[0]) for text, net in nets.items()]
        sys.stdout.write(f"{size}x{size}, batch {options.batch}, {options.form}\n{table(rows, header=header)}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
