"""Where the boards of a batch are on their planes.

Knows masks and counts. A batch of boards of one size has no mask and takes the plain fused path; a batch with padding carries
the on-board mask, and then statistics, poolings and activations see the points of the board only.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Extent(NamedTuple):
    """Where the boards of a batch are. mask [B,1,M,M], 1 on the board, or None when the boards fill the planes;
    count [B,1]: points on the board, float32; width [B,1]: its square root."""

    mask: Tensor | None
    count: Tensor
    width: Tensor

    def masked(self, x: Tensor) -> Tensor:
        """x [B,C,M,M] with zeros off the board; x itself when there is no padding."""
        return x if self.mask is None else x * self.mask.to(x.dtype)

    def halved(self, like: Tensor) -> Extent:
        """The extent of every second point of every second row, as a convolution with stride 2 leaves them.

        like: planes of that form. A board of width w keeps (w + 1) // 2 points a row.
        """
        if self.mask is None:
            ones = torch.ones_like(like[:, 0, :, :], dtype=torch.float32)
        else:
            ones = self.mask[:, 0, ::2, ::2]
        count = ones.sum(dim=(1, 2)).unsqueeze(1)
        return Extent(None if self.mask is None else ones.unsqueeze(1), count, count.sqrt())


def extent_of(planes: Tensor, full: bool | None = None) -> Extent:
    """The extent of a batch of planes [B,C,M,M] whose plane 0 is the on-board mask.

    full: True promises that every board fills the planes, False that the mask is wanted; None looks (on a GPU this waits
    for the device, so a trainer that knows should say).
    """
    on_board = planes[:, 0].float()
    count = on_board.sum(dim=(1, 2)).unsqueeze(1)
    if full is None:
        full = bool((on_board == 1).all())
    return Extent(None if full else on_board.unsqueeze(1), count, count.sqrt())


def whole_boards(x: Tensor) -> Extent:
    """The extent of boards that fill the planes x [B,C,M,M], whatever these show."""
    count = torch.full((x.shape[0], 1), float(x.shape[2] * x.shape[3]), device=x.device)
    return Extent(None, count, count.sqrt())
