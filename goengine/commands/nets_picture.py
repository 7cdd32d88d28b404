"""The shipped nets side by side in a picture: how often they name a player's move, their value error, their speed here.

Top-1 and value error are the cards'; the speed is measured. Needs matplotlib.
"""

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from goengine import features
from goengine.core.canvas import COLOURS, OTHER, bars, canvas, save
from goengine.evaluators.base import Batch, Evaluator, EvaluatorError
from goengine.evaluators.load import load
from goengine.nets.card import Card

SECONDS, ROWS = 0.3, 8  # how long each net is measured, and its batches


@dataclass(frozen=True)
class NetFigures:
    """A net; nan where a figure is not known."""

    name: str
    size: int  # of the board that the speed was measured on
    top1: float  # per cent
    value_mse: float
    speed: float  # positions per second


def measured(cards: Sequence[Card], seconds: float = SECONDS) -> list[NetFigures]:
    """The figures of these nets; the speed on the largest board that each learned on."""
    return [_figures(card, seconds) for card in cards]


def _figures(card: Card, seconds: float) -> NetFigures:
    numbers, size = card.results.numbers, max(card.results.sizes)
    try:
        with load(card.name, threads=1) as evaluator:
            speed = _rate(evaluator, size, seconds)
    except EvaluatorError:
        speed = math.nan
    return NetFigures(card.name, size, 100 * _number(numbers.get("top1")), _number(numbers.get("value_mse")), speed)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _rate(evaluator: Evaluator, size: int, seconds: float) -> float:
    wanted = features.get(evaluator.features)
    planes = np.zeros((ROWS, wanted.planes, size, size), np.float32)
    batch = Batch(planes, np.zeros((ROWS, wanted.globals), np.float32), np.zeros(ROWS, np.uint64))
    evaluator.evaluate(batch)
    start, rows = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - start) < seconds or rows == 0:
        evaluator.evaluate(batch)
        rows += ROWS
    return rows / max(elapsed, 1e-9)


def draw(nets: Sequence[NetFigures], path: str | os.PathLike[str], chosen: str = "") -> None:
    """Three panels of bars, the ``chosen`` net in colour. Raises PictureError as `goengine.core.canvas.save`."""
    figure, panels = canvas(height=1.6 + 0.4 * len(nets), columns=3)
    order = sorted(nets, key=lambda net: net.name, reverse=True)
    colours = [COLOURS[0] if net.name == chosen or not chosen else OTHER for net in order]
    shown = (
        ("top-1, %", [net.top1 for net in order], "{:.1f}"),
        ("value error (MSE), less is better", [net.value_mse for net in order], "{:.2f}"),
        ("positions/s, one thread", [net.speed for net in order], "{:,.0f}"),
    )
    for axes, (name, values, form) in zip(panels, shown, strict=True):
        bars(axes, values, name, form=form, colours=colours)
    panels[0].set_yticks(range(len(order)), [f"{net.name} ({net.size}x{net.size})" for net in order])
    save(figure, path)
