"""A picture of a review: Black's win rate and lead over the game, the turning points marked. Needs matplotlib."""

import os
from collections.abc import Sequence

from goengine.core.canvas import COLOURS, FAINT, GRID, INK, canvas, save
from goengine.review import words
from goengine.review.reviewer import GameReview
from goengine.review.statistics import turning_points

HEIGHT = 5.4  # inches


def curve(review: GameReview) -> tuple[list[int], list[float], list[float]]:
    """(numbers of moves, Black's win rate in per cent, Black's lead) wherever these are known; 0 is before the first move."""
    found = [(index, black) for index in range(len(review.moves) + 1) if (black := review.black(index)) is not None]
    return [index for index, _ in found], [100 * black.winrate for _, black in found], [black.lead for _, black in found]


def draw(review: GameReview, paths: Sequence[str | os.PathLike[str]], title: str = "") -> None:
    """Draw into files, SVG or PNG by their endings. Raises PictureError if matplotlib is missing or one cannot be written."""
    figure, (chances, points) = canvas(height=HEIGHT, title=title.replace("$", r"\$"), rows=2)
    numbers, winrates, leads = curve(review)
    for axes, values, middle in ((chances, winrates, 50.0), (points, leads, 0.0)):
        axes.axhline(middle, color=FAINT, linewidth=0.8)
        axes.plot(numbers, values, color=COLOURS[0], linewidth=1.8, marker="o" if len(numbers) < 3 else "")
        axes.fill_between(numbers, values, middle, color=COLOURS[0], alpha=0.15, linewidth=0)
        axes.grid(color=GRID)
        axes.tick_params(axis="y", colors=FAINT)
    chances.set_ylim(-2, 102)
    chances.set_ylabel("Black wins, %")
    points.set_ylabel("Black's lead, points")
    points.set_xlabel("move")
    for move in turning_points(review.reviewed):
        black = review.black(move.number)
        assert black is not None
        for axes, value in ((chances, 100 * black.winrate), (points, black.lead)):
            axes.plot(move.number, value, "o", color=COLOURS[1], markersize=6)
        low = black.winrate < 0.5
        chances.annotate(
            words.move_name(move, review.size),
            (move.number, 100 * black.winrate),
            xytext=(0, 9 if low else -15),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=INK,
        )
    for path in paths:
        save(figure, path)
