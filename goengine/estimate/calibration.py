"""How good estimates are on games whose ranks are known: errors, how often intervals hold, the fit, and the picture.

Knows curves and labels; no nets and no files but the picture's.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from goengine.core.canvas import COLOURS, FAINT, GRID, canvas, save
from goengine.core.tables import table
from goengine.estimate.players import PlayerMoves
from goengine.estimate.posterior import RANKS, Calibration, posterior, prior
from goengine.ranks.scale import BANDS, HIGHEST, LOWEST, band, rank_name

TEMPERATURES: Final = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0)
SPREADS: Final = (0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
EDGE: Final = 0.05  # of a picture


@dataclass(frozen=True)
class Point:
    """A player whose rank is known, and what was estimated."""

    label: float
    rank: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """Stones off, either way."""
        return abs(self.rank - self.label)

    @property
    def held(self) -> bool:
        """Whether the interval holds the rank, to the stone as ranks are given."""
        return self.low - 0.5 <= self.label <= self.high + 0.5


def points(players: Sequence[PlayerMoves], before: np.ndarray, calibration: Calibration, interval: float) -> list[Point]:
    """Those whose ranks are known."""
    found = []
    for player in players:
        if LOWEST <= player.label <= HIGHEST:
            said = player.estimate(before, calibration, interval)
            found.append(Point(player.label, said.rank, said.low, said.high))
    return found


def grouped(sides: Sequence[PlayerMoves], size: int) -> list[PlayerMoves]:
    """Groups of so many sides of the same rank, taken for one player; what is left over is left out."""
    by_rank: dict[float, list[PlayerMoves]] = {}
    for side in sides:
        by_rank.setdefault(round(side.label), []).append(side)
    found = []
    for rank, members in sorted(by_rank.items()):
        for start in range(0, len(members) - size + 1, size):
            part = members[start : start + size]
            total = PlayerMoves(f"{rank_name(rank)}-{start}")
            for member in part:
                total.curve = total.curve + member.curve
                total.moves, total.games = total.moves + member.moves, total.games + 1
                total.labels.append(member.label)
            found.append(total)
    return found


def fit(players: Sequence[PlayerMoves], before: str = "flat") -> Calibration:
    """The calibration under which the ranks that are known are likeliest; every band of ranks has the same say.

    Raises ValueError if no rank is known.
    """
    known = [player for player in players if LOWEST <= player.label <= HIGHEST]
    if not known:
        raise ValueError("no player has a rank in the records: nothing can be fitted")
    share = {name: sum(band(player.label) == name for player in known) for name in BANDS}

    def fits(calibration: Calibration) -> float:
        total = 0.0
        for player in known:
            weights = posterior(player.curve, prior(before), calibration)
            total += np.log(weights[int(np.argmin(abs(RANKS - player.label)))] + 1e-9) / share[band(player.label)]
        return total

    return max((Calibration(t, s) for t in TEMPERATURES for s in SPREADS), key=fits)


def summary(found: Sequence[Point]) -> dict[str, Any]:
    """Errors in all and by band, and how often the intervals hold."""
    return {"all": _figures(found)} | {
        name: _figures(part) for name in BANDS if (part := [point for point in found if band(point.label) == name])
    }


def _figures(found: Sequence[Point]) -> dict[str, Any]:
    errors = [point.error for point in found]
    return {
        "players": len(found),
        "median_error": round(float(np.median(errors)), 2) if errors else None,
        "mean_error": round(float(np.mean(errors)), 2) if errors else None,
        "bias": round(float(np.mean([point.rank - point.label for point in found])), 2) if found else None,
        "held": round(float(np.mean([point.held for point in found])), 3) if found else None,
    }


def to_text(figures: dict[str, Any]) -> str:
    """The same as a table."""
    rows = [
        (name, part["players"], part["median_error"], part["mean_error"], part["bias"], f"{100 * part['held']:.0f} %")
        for name, part in figures.items()
        if part["players"]
    ]
    header = ("rank", "players", "median error", "mean error", "too strong by", "interval holds")
    return table(rows, header=header)


def draw(found: Sequence[Point], path: str | os.PathLike[str], title: str) -> None:
    """Estimates over known ranks, a line for each interval. Raises PictureError."""
    figure, (axes,) = canvas(height=6, title=title)
    axes.plot([LOWEST, HIGHEST], [LOWEST, HIGHEST], color=GRID, linewidth=2)
    chance = np.random.default_rng(0)
    for point in found:
        x = point.label + chance.uniform(-0.3, 0.3)
        axes.plot([x, x], [point.low, point.high], color=COLOURS[0], alpha=0.15, linewidth=2)
        axes.plot(x, point.rank, "o", color=COLOURS[0] if point.held else COLOURS[1], markersize=3)
    ticks = [-29, -24, -19, -14, -9, -4, 1, 5, 9]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks, [rank_name(tick) for tick in ticks])
    axes.set_xlabel("rank in the record", color=FAINT)
    axes.set_ylabel("estimate, and its interval", color=FAINT)
    save(figure, path)
