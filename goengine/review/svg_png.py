"""Our own SVG pictures of boards as PNG, by matplotlib: the few elements that `goengine.board.picture` writes, and no others.

So that a board is drawn in one place only. Not for SVG from elsewhere.
"""

import os
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from goengine.core.canvas import PictureError, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 0.75  # of a font, for a pixel of the picture, at 96 pixels an inch
_PATH = re.compile(r"M([\d.]+) ([\d.]+)([HV])([\d.]+)")


def save_png(svg: str, path: str | os.PathLike[str]) -> None:
    """Draw a picture of ours into a PNG file. Raises PictureError if matplotlib is missing or the file cannot be written."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise PictureError("PNG needs matplotlib: pip install matplotlib, or goengine[pictures]; SVG needs nothing") from None
    root = ElementTree.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    figure = Figure(figsize=(width / 96, height / 96))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.axis("off")
    _draw(root, axes, 0.0)
    save(figure, path)


def _draw(parent: ElementTree.Element, axes: "Axes", shift: float) -> None:
    """The elements in order, ``shift`` to the right."""
    for order, element in enumerate(parent):
        name = element.tag.rpartition("}")[2]
        if name == "g":
            _draw(element, axes, float(element.attrib["transform"].removeprefix("translate(").split()[0]))
        else:
            _SHAPES[name](element.attrib, element.text or "", axes, shift, order)


def _number(attributes: dict[str, str], name: str) -> float:
    return float(attributes.get(name, "0"))


def _style(attributes: dict[str, str], order: int) -> dict[str, Any]:
    """Colours as matplotlib wants them: of the area, of the edge."""
    from matplotlib.colors import to_rgba

    fill = attributes.get("fill", "black")
    face = "none" if fill == "none" else to_rgba(_long(fill), float(attributes.get("fill-opacity", "1")))
    edge = _long(attributes["stroke"]) if "stroke" in attributes else "none"
    width = float(attributes.get("stroke-width", "1")) * _POINTS
    return {"facecolor": face, "edgecolor": edge, "linewidth": width, "zorder": 1 + order / 1e5}


def _long(color: str) -> str:
    return "#" + "".join(2 * digit for digit in color[1:]) if len(color) == 4 and color[0] == "#" else color


def _rect(attributes: dict[str, str], text: str, axes: "Axes", shift: float, order: int) -> None:
    from matplotlib.patches import Rectangle

    corner = (_number(attributes, "x") + shift, _number(attributes, "y"))
    axes.add_patch(Rectangle(corner, _number(attributes, "width"), _number(attributes, "height"), **_style(attributes, order)))


def _circle(attributes: dict[str, str], text: str, axes: "Axes", shift: float, order: int) -> None:
    from matplotlib.patches import Circle

    center = (_number(attributes, "cx") + shift, _number(attributes, "cy"))
    axes.add_patch(Circle(center, _number(attributes, "r"), **_style(attributes, order)))


def _path(attributes: dict[str, str], text: str, axes: "Axes", shift: float, order: int) -> None:
    for x, y, direction, end in _PATH.findall(attributes["d"]):
        across = direction == "H"
        xs = (float(x) + shift, (float(end) if across else float(x)) + shift)
        ys = (float(y), float(y) if across else float(end))
        axes.plot(xs, ys, color=_long(attributes["stroke"]), linewidth=_POINTS, zorder=1 + order / 1e5)


def _text(attributes: dict[str, str], text: str, axes: "Axes", shift: float, order: int) -> None:
    axes.text(
        _number(attributes, "x") + shift,
        _number(attributes, "y"),
        text.replace("$", r"\$"),
        fontsize=_number(attributes, "font-size") * _POINTS,
        ha="center",
        va="baseline",
        color=_long(attributes.get("fill", "#000000")),
        zorder=1 + order / 1e5,
    )


_SHAPES = {"rect": _rect, "circle": _circle, "path": _path, "text": _text}
