"""A canvas for pictures of numbers: our style, SVG or PNG by the file's ending, written whole.

Knows how pictures look, not what they show. matplotlib is imported only when something is drawn, because the engine plays
without it.
"""

import math
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goengine.core.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, GRID, PAPER = "#1d2733", "#66717d", "#e3e7eb", "#ffffff"
OTHER = "#a3adb8"  # what is there to be compared with
COLOURS = ("#2f6db3", "#c8553d", "#3d8f5f", "#8a5fb0", "#b7861d", "#3a9aa8")
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": FAINT,
    "axes.edgecolor": GRID,
    "xtick.color": FAINT,
    "ytick.color": INK,
    "svg.fonttype": "none",  # text stays text: smaller, and can be searched
    "svg.hashsalt": "goengine",  # the same picture is the same file
}


class PictureError(Exception):
    """A picture that cannot be drawn or written; the message says why and what to do."""


def canvas(*, height: float, title: str = "", rows: int = 1, columns: int = 1) -> "tuple[Figure, list[Axes]]":
    """An empty picture in our style: axes below each other, which share the x axis, or side by side, which share the y axis.

    Does not touch matplotlib's global state, so it draws without a screen, too. Raises PictureError without matplotlib.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise PictureError("pictures need matplotlib: pip install matplotlib, or goengine[pictures]") from None
    with rc_context(_STYLE):
        figure = Figure(figsize=(8, height), facecolor=PAPER, layout="constrained")
        found = list(figure.subplots(rows, columns, sharex=rows > 1, sharey=columns > 1, squeeze=False).flat)
        for axes in found:
            axes.set_axisbelow(True)
            axes.tick_params(length=0, pad=6)
            for side in ("top", "right", "left"):
                axes.spines[side].set_visible(False)
        if title:
            found[0].set_title(title, loc="left", pad=12, fontsize=12, fontweight="bold", color=INK)
    return figure, found


def bars(axes: "Axes", values: Sequence[float], title: str, *, form: str = "{:.1f}", colours: Sequence[str]) -> None:
    """A panel of bars to the right, the first value at the bottom, each with its number in that form; nan is not known."""
    known = [0.0 if math.isnan(value) else value for value in values]
    axes.barh(range(len(known)), known, color=list(colours), height=0.6)
    for place, value in enumerate(values):
        text = "not known" if math.isnan(value) else form.format(value)
        beside: Any = {"xytext": (4, 0), "textcoords": "offset points", "va": "center"}
        axes.annotate(text, (known[place], place), color=INK, fontsize=8, **beside)
    axes.set_title(title, fontsize=9, color=FAINT, loc="left")
    axes.set_xlim(0, 1.35 * max([1e-9, *known]))
    axes.set_xticks([])
    axes.grid(axis="x", color=GRID)


def save(figure: "Figure", path: str | os.PathLike[str]) -> None:
    """Write the picture beside its place and rename it. Raises PictureError if that cannot be."""
    from matplotlib import rc_context

    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("svg", "png"):
        raise PictureError(f"{path} must end in .svg or .png")
    try:
        with rc_context(_STYLE), replacing(path) as beside, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph")  # a name in letters that the font lacks is no reason to fail
            figure.savefig(beside, format=kind, dpi=160, metadata={"Date": None} if kind == "svg" else None)
    except OSError as error:
        raise PictureError(f"{path} cannot be written: {error.strerror or error}") from None
