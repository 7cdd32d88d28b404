"""Places of a board: how weights that belong to the points of 19x19 are read on boards of every size.

A row has the place of the row of 19x19 that is as far from the nearer edge, on the same side; so has a column. On 19x19 each
point is its own place; smaller boards use the places around the corners, and the middle rows of larger ones share the middle of
19x19::

    5x5:  0 1 2 17 18        19x19:  0 1 .. 18        21x21:  0 1 .. 8 9 9 9 10 .. 18

Knows nothing of nets, and no more of boards than their size.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from goengine.nets.extent import Extent

SIDE: Final = 19
CELLS: Final = SIDE * SIDE


def _rows(side: int, extent: Extent, device: torch.device) -> Tensor:
    """Which row of planes `side` x `side` has which place: float32 [B or 1, side, 19], one 1 in each row on the board."""
    row = torch.arange(side, device=device).unsqueeze(0)  # [1,M]
    last = side - 1 if extent.mask is None else extent.width.round().long() - 1  # a number, or [B,1]
    near = torch.minimum(row, last - row)
    capped = near.clamp(max=SIDE // 2)
    place = torch.where(2 * row > last, SIDE - 1 - capped, capped)
    place = torch.where(near < 0, -1, place)
    return (place.unsqueeze(2) == torch.arange(SIDE, device=device)).float()


def expand_by_edge(table: Tensor, side: int, extent: Extent) -> Tensor:
    """The table's number for each point: table [19,19] float32 -> [B or 1, 1, side, side], 0 off the board."""
    rows = _rows(side, extent, table.device)
    with torch.autocast(table.device.type, enabled=False):
        return (rows @ table @ rows.transpose(-1, -2)).unsqueeze(1)


def sum_by_edge(x: Tensor, extent: Extent) -> Tensor:
    """The sum over the points of each place: x [B,C,M,M] float32 -> [B,C,19,19]."""
    rows = _rows(x.shape[-1], extent, x.device).unsqueeze(1)
    with torch.autocast(x.device.type, enabled=False):
        return rows.transpose(-1, -2) @ x @ rows
