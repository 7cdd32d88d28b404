"""Pictures of strength: ratings with their intervals, and curves of a rating over something else.

Knows names, numbers and how they should look. Knows nothing of matches. matplotlib is imported only when something is
drawn, because the engine plays without it.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from goengine.arena.strength.ratings import Rating, rate
from goengine.arena.summary import interval, score_of
from goengine.core.canvas import COLOURS, FAINT, GRID, INK, OTHER, PAPER, PictureError, canvas, save

__all__ = [
    "Curve",
    "Level",
    "PictureError",
    "Scale",
    "draw_ratings",
    "draw_scales",
    "elo_curve",
    "match_over_time",
    "tournament_over_time",
]

MOMENTS = 24  # at which results over time are looked at
_LABEL = 0.055  # height of a line of text, of the height of `draw_scales`


@dataclass(frozen=True)
class Curve:
    """A rating over something: lines with a band for the interval."""

    name: str
    x: Sequence[float]
    elo: Sequence[float]
    low: Sequence[float] | None = None  # 95 % interval, where known
    high: Sequence[float] | None = None


@dataclass(frozen=True)
class Level:
    """A rating that stays the same: a horizontal line with a band for its 95 % interval."""

    name: str
    elo: float
    low: float
    high: float


@dataclass(frozen=True)
class Scale:
    """Ratings that may be compared with each other, but not with those of another scale: (Elo, low, high) by player.

    low and high: the 95 % interval; both the rating where it is not known.
    """

    title: str
    ratings: Mapping[str, tuple[float, float, float]]

    def height(self, elo: float) -> float:
        """Where a rating stands: 0 is the lowest end of an interval, 1 the highest."""
        low = min(low for _, low, _ in self.ratings.values())
        high = max(high for _, _, high in self.ratings.values())
        return (elo - low) / (high - low) if high > low else 0.5


def draw_scales(scales: Sequence[Scale], path: str | os.PathLike[str], *, title: str = "") -> None:
    """The same players on several scales, side by side; a line joins a player's ratings: lines cross where the order differs.

    Each scale fills the height by itself. Raises PictureError as `draw_ratings`, ValueError if there is no rating.
    """
    if not scales or not all(scale.ratings for scale in scales):
        raise ValueError("there are no ratings to draw")
    names = list(dict.fromkeys(name for scale in scales for name in scale.ratings))
    figure, (axes,) = canvas(height=1.2 + 0.36 * len(names), title=title)
    colours: dict[str, str] = {}
    for i, name in enumerate(names):
        colour, line = COLOURS[i % len(COLOURS)], "-" if i < len(COLOURS) else "--"
        colours[name] = colour
        known = [(x, scale) for x, scale in enumerate(scales) if name in scale.ratings]
        heights = [scale.height(scale.ratings[name][0]) for _, scale in known]
        axes.plot([x for x, _ in known], heights, linestyle=line, color=colour, linewidth=1.4, alpha=0.8)
        for (x, scale), height in zip(known, heights, strict=True):
            _, low, high = scale.ratings[name]
            ends = [scale.height(low), scale.height(high)]
            beside = x + 0.012 * (i - (len(names) - 1) / 2)  # so that intervals do not hide each other
            axes.plot([beside, beside], ends, color=colour, linewidth=3, alpha=0.3, solid_capstyle="round")
            axes.plot(x, height, "o", color=colour, markersize=7)
    for x, scale in enumerate(scales):
        _label(axes, scale, (x, len(scales)), colours)
    axes.set_xlim(-0.75, len(scales) - 0.25)
    axes.set_ylim(-0.06, 1.06)
    axes.set_xticks(range(len(scales)), [scale.title for scale in scales])
    axes.set_yticks([])
    axes.grid(axis="x", color=GRID)
    save(figure, path)


def _label(axes: Any, scale: Scale, place: tuple[int, int], colours: Mapping[str, str]) -> None:
    """Each rating beside its dot, none over another, with the name on the outer scales. place: (which, of many)."""
    x, many = place
    side, shift = ("right", -0.08) if x == 0 else ("left", 0.08)
    order = sorted(scale.ratings, key=lambda name: scale.ratings[name][0])
    heights = _apart([scale.height(scale.ratings[name][0]) for name in order])
    for name, height in zip(order, heights, strict=True):
        elo = f"{scale.ratings[name][0]:,.0f}".replace("-", "−")
        text = f"{name}  {elo}" if x == 0 else f"{elo}  {name}" if x == many - 1 else elo
        paper: Any = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 0.6}  # lines pass under the text
        axes.annotate(text, (x + shift, height), ha=side, va="center", color=colours[name], fontsize=9, bbox=paper)


def _apart(heights: Sequence[float]) -> list[float]:
    """Heights, the lowest first, moved as little as needed so that a line of text fits between each two."""
    groups: list[tuple[float, int]] = []  # (middle, lines) of texts that stand close together
    for height in heights:
        middle, lines = height, 1
        while groups and middle - groups[-1][0] < _LABEL * (lines + groups[-1][1]) / 2:
            before, more = groups.pop()
            middle, lines = (before * more + middle * lines) / (more + lines), more + lines
        groups.append((middle, lines))
    return [middle + _LABEL * (i - (lines - 1) / 2) for middle, lines in groups for i in range(lines)]


def draw_ratings(
    ratings: Sequence[Rating], path: str | os.PathLike[str], *, title: str = "", anchor: str | None = None
) -> None:
    """A line per player with its rating and 95 % interval, the best on top; SVG or PNG by the path's ending.

    Raises PictureError if matplotlib is missing or the file cannot be written, ValueError if there is no player.
    """
    if not ratings:
        raise ValueError("there are no ratings to draw")
    figure, (axes,) = canvas(height=1.15 + 0.36 * len(ratings), title=title)
    places = range(len(ratings), 0, -1)
    for place, rating in zip(places, ratings, strict=True):
        colour = OTHER if rating.name == anchor else COLOURS[0]
        axes.plot([rating.low, rating.high], [place, place], color=colour, linewidth=6, alpha=0.3, solid_capstyle="round")
        axes.plot(rating.elo, place, "o", color=colour, markersize=7)
    for place, rating in zip(places, ratings, strict=True):
        share = f"{100 * rating.points:.0f} % of {rating.games:,}" if rating.games else "no games"
        beside: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center_baseline"}
        elo = f"{rating.elo:+,.0f}".replace("-", "−") if round(rating.elo) else "0"
        axes.annotate(elo, (1.12, place), ha="right", weight="bold", color=INK, **beside)
        axes.annotate(share, (1.15, place), color=FAINT, **beside)
    axes.set_yticks(list(places), [rating.name for rating in ratings])
    axes.set_ylim(0.4, len(ratings) + 0.6)
    low, high = min(rating.low for rating in ratings), max(rating.high for rating in ratings)
    axes.set_xlim(low - 0.04 * (high - low) - 1, high + 0.04 * (high - low) + 1)
    against = f"relative to {anchor}" if anchor else "relative to the mean of all"
    axes.set_xlabel(f"Elo {against}, with 95 % intervals")
    axes.grid(axis="x", color=GRID)
    save(figure, path)


def match_over_time(lines: Sequence[Mapping[str, Any]], path: str | os.PathLike[str], *, names: Mapping[str, str]) -> None:
    """The Elo difference of a match after each of its games (lines of `games.jsonl`, as played), with its 95 % interval.

    Draws nothing without games. Raises PictureError as `elo_curve`.
    """
    counted = [line for line in lines if line["result"] != "Void"]
    if not counted:
        return
    ends = _moments(len(counted))
    elos = [interval(counted[:end]) for end in ends]
    curve = Curve("", ends, [e.difference for e in elos], [e.low for e in elos], [e.high for e in elos])
    elo_curve([curve], path, xlabel="games", title=f"{names['a']} above {names['b']}")


def tournament_over_time(
    pairings: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]], path: str | os.PathLike[str], *, anchor: str | None = None
) -> None:
    """The ratings of all players while a tournament goes on, with 95 % intervals.

    ``pairings``: the lines of each match, as played; all are taken to have advanced alike. Draws nothing without games. Raises
    PictureError as `elo_curve`.
    """
    counted = {pair: [line for line in lines if line["result"] != "Void"] for pair, lines in pairings.items()}
    total = sum(map(len, counted.values()))
    ratings: dict[str, list[tuple[int, Rating]]] = {}
    for end in _moments(total):
        scores = {pair: score_of(lines[: round(len(lines) * end / total)]) for pair, lines in counted.items()}
        for rating in rate(scores, anchor=anchor):
            ratings.setdefault(rating.name, []).append((end, rating))
    curves = [
        Curve(name, [end for end, _ in found], [r.elo for _, r in found], [r.low for _, r in found], [r.high for _, r in found])
        for name, found in sorted(ratings.items(), key=lambda item: -item[1][-1][1].elo)
    ]
    if curves:
        elo_curve(curves, path, xlabel="games", title="Ratings over the tournament")


def _moments(games: int) -> list[int]:
    """Numbers of games after which to look: a few, the last among them."""
    return sorted({max(1, round(games * step / MOMENTS)) for step in range(1, MOMENTS + 1)}) if games else []


def elo_curve(
    curves: Sequence[Curve],
    path: str | os.PathLike[str],
    *,
    xlabel: str,
    title: str = "",
    log: bool = False,
    levels: Sequence[Level] = (),
) -> None:
    """Ratings over something, such as visits, hours or generations, each curve with a band for its interval.

    log: the x axis is logarithmic. levels: ratings to compare with. SVG or PNG by the path's ending.
    Raises PictureError if matplotlib is missing or the file cannot be written, ValueError if there is no curve.
    """
    if not curves:
        raise ValueError("there are no curves to draw")
    figure, (axes,) = canvas(height=4.2, title=title)
    for i, curve in enumerate(curves):
        colour = COLOURS[i % len(COLOURS)]
        marker = "o" if len(curve.x) <= 30 else ""
        axes.plot(curve.x, curve.elo, marker=marker, markersize=4.5, color=colour, linewidth=2, label=curve.name)
        if curve.low is not None and curve.high is not None:
            axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
    for i, level in enumerate(levels, len(curves)):
        colour = COLOURS[i % len(COLOURS)]
        axes.axhline(level.elo, color=colour, linewidth=1.5, linestyle="--", label=level.name)
        axes.axhspan(level.low, level.high, color=colour, alpha=0.1, linewidth=0)
    if log:
        axes.set_xscale("log")
        axes.minorticks_off()
        axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel(xlabel)
    axes.set_ylabel("Elo")
    axes.tick_params(axis="y", colors=FAINT)
    axes.grid(color=GRID)
    if len(curves) + len(levels) > 1 or curves[0].name:
        axes.legend(frameon=False, loc="best", labelcolor=INK)
    save(figure, path)
