"""Whether a net's win rate means what it says: of the positions that it gives 70 %, are 70 % won?

Knows the table of predicted against actual win rates, the expected calibration error (Guo et al., On calibration of
modern neural networks, 2017) and its picture. Takes values that were computed for something else; knows no nets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.core.checkpoint import RunError
from training.data.stream import Sampler
from training.measure.phases import LAST, outcomes

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Positions whose predicted win rate lies in one tenth of the scale."""

    low: float
    high: float
    positions: int
    predicted: float  # their mean predicted win rate; NaN without positions
    actual: float  # share of them that were won


def bins(values: np.ndarray, results: np.ndarray) -> list[Bin]:
    """The table for values and results in [-1, 1], a draw half a win."""
    predicted, won = (np.asarray(values, np.float64) + 1) / 2, (np.asarray(results, np.float64) + 1) / 2
    place = np.minimum((predicted * BINS).astype(int), BINS - 1)
    found = []
    for number in range(BINS):
        rows = place == number
        means = (float(predicted[rows].mean()), float(won[rows].mean())) if rows.any() else (np.nan, np.nan)
        found.append(Bin(number / BINS, (number + 1) / BINS, int(rows.sum()), *means))
    return found


def calibration_error(table: Sequence[Bin]) -> float:
    """Mean distance of predicted and actual win rate over all positions; NaN without any."""
    full = [entry for entry in table if entry.positions]
    total = sum(entry.positions for entry in full)
    return sum(entry.positions * abs(entry.predicted - entry.actual) for entry in full) / total if total else float("nan")


def tables(sampler: Sampler, values: np.ndarray) -> dict[str, list[Bin]]:
    """Tables of the samples 0, 1, ... whose values these are: all; the last moves of games not counted; all others.

    Who resigned made no more move. So in these last moves the side to play tells the winner, and a net may learn that.
    """
    found = outcomes(sampler, len(values))
    last = found.resigned & (found.left <= LAST)
    chosen = {"all": found.known, f"last {LAST}, game not counted": found.known & last, "all others": found.known & ~last}
    return {name: bins(values[rows], found.result[rows]) for name, rows in chosen.items() if rows.any()}


def merged(parts: Sequence[Mapping[str, Sequence[Bin]]]) -> dict[str, list[Bin]]:
    """Tables over several sets of positions together."""
    found: dict[str, list[Bin]] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        found[name] = [_sum(column) for column in zip(*(part[name] for part in parts if name in part), strict=True)]
    return found


def _sum(column: Sequence[Bin]) -> Bin:
    count = sum(entry.positions for entry in column)
    full = [entry for entry in column if entry.positions]
    means = (sum(entry.positions * getattr(entry, name) for entry in full) / count if count else np.nan for name in _MEANS)
    return Bin(column[0].low, column[0].high, count, *means)


_MEANS = ("predicted", "actual")


def for_card(found: Mapping[str, Sequence[Bin]]) -> dict[str, object]:
    """Tables as JSON values: by name the error and rows of [positions, predicted, actual], tenth by tenth."""
    return {
        name: {
            "error": round(calibration_error(table), 4),
            "tenths": [
                [entry.positions, round(entry.predicted, 4), round(entry.actual, 4)] if entry.positions else [0, None, None]
                for entry in table
            ],
        }
        for name, table in found.items()
    }


def picture(found: Mapping[str, Sequence[Bin]], path: Path, title: str) -> None:
    """Draw predicted against actual win rates (.svg, .png), points as large as they have positions.

    Raises RunError if matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise RunError("pictures need matplotlib: pip install matplotlib") from None

    with matplotlib.rc_context({"svg.hashsalt": "goengine", "svg.fonttype": "none"}):
        figure = Figure(figsize=(5, 5), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="predicted win rate", ylabel="games won")
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=1, zorder=1)
        for name, table in found.items():
            full = [entry for entry in table if entry.positions]
            total = sum(entry.positions for entry in full)
            points = [entry.predicted for entry in full], [entry.actual for entry in full]
            (line,) = axes.plot(*points, linewidth=1, label=f"{name}: {total} positions, error {calibration_error(table):.3f}")
            axes.scatter(*points, s=[10 + 150 * entry.positions / total for entry in full], color=line.get_color(), alpha=0.6)
        axes.set_title(title)
        axes.legend(loc="upper left", fontsize="small")
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
