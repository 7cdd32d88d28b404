"""A comparison as a picture: what the nets learned, and what that is worth in games. Knows entries, measures nothing."""

import math
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from goengine.core.canvas import COLOURS, FAINT, GRID, OTHER, bars, canvas, save
from training.laboratory.report import TIME, VISITS, Entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw(entries: Sequence[Entry], size: str, path: str | os.PathLike[str]) -> None:
    """Panels of top-1, value error and Elo at equal time, a line for each net, the first in grey.

    Raises PictureError as `goengine.core.canvas.save`.
    """
    figure, panels = canvas(height=1.6 + 0.36 * len(entries), columns=3)
    order = list(reversed(entries))
    colours = [OTHER if entry is entries[0] else COLOURS[0] for entry in order]
    top1 = [_number(entry.figure(size, "top1")) for entry in order]
    bars(panels[0], [100 * value for value in top1], "top-1, %", colours=colours)
    errors = [_number(entry.figure(size, "value_mse")) for entry in order]
    bars(panels[1], errors, "value error (MSE), less is better", form="{:.2f}", colours=colours)
    _elo(panels[2], order, size)
    panels[0].set_yticks(range(len(order)), [entry.net for entry in order])
    save(figure, path)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _elo(axes: "Axes", order: Sequence[Entry], size: str) -> None:
    """Points with 95 % intervals; at equal visits paler and below, where both were played."""
    axes.axvline(0, color=OTHER, linewidth=1.2)
    for place, entry in enumerate(order):
        for what, colour, shift in ((VISITS, OTHER, -0.18), (TIME, COLOURS[0], 0.18)):
            if (met := entry.meetings.get(size, {}).get(what)) is not None:
                axes.plot(
                    [met.low, met.high], [place + shift] * 2, color=colour, linewidth=4, alpha=0.35, solid_capstyle="round"
                )
                axes.plot(met.elo, place + shift, "o", color=colour, markersize=5)
    axes.set_title("Elo at equal time (blue), at equal visits (grey)", fontsize=9, color=FAINT, loc="left")
    axes.grid(axis="x", color=GRID)
