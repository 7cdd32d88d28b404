"""The two heads and what comes out of a net.

Knows how trunk features become moves, win, score and territory; everything behind a pooling is float32. Does not know
the losses: it hands out logits where a loss wants logits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets.layers import ACTIVATIONS, OFF_BOARD, ConvNorm, Extent, Float32Linear, pool_mean_max, pool_means
from goengine.nets.spec import NetSpec

SCORE_UNIT: Final = 20.0  # points per unit inside the net, so that weights and gradients stay of order one
MIN_STDEV: Final = 0.1  # points


class NetOutput(NamedTuple):
    """Everything a net says about B positions on M x M planes, float32, for the player to move.

    policy [B,M*M+1]: logits, pass last, -1e4 off the board; value [B]: logit of winning (tanh(logit/2) is the value in [-1,1]);
    score, score_stdev [B]: points; ownership [B,M,M] in [-1,1], 0 off the board; opponent_policy [B,M*M+1]: the reply's logits.
    """

    policy: Tensor
    value: Tensor
    score: Tensor
    score_stdev: Tensor
    ownership: Tensor
    opponent_policy: Tensor


class PolicyHead(nn.Module):
    """Trunk -> logits of this move and of the opponent's reply (KataGo, Wu 2019, appendix A)."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.act = ACTIVATIONS[spec.activation]
        self.points = ConvNorm(spec.channels, spec.policy_channels, 1)
        self.pooled = ConvNorm(spec.channels, spec.pool_channels, 1)
        self.bias = Float32Linear(3 * spec.pool_channels, spec.policy_channels, bias=False)
        self.logits = nn.Conv2d(spec.policy_channels, 2, 1, bias=False)
        self.passes = Float32Linear(3 * spec.pool_channels, 2)

    def forward(self, x: Tensor, extent: Extent) -> tuple[Tensor, Tensor]:
        """x [B,C,M,M] -> two of [B,M*M+1]."""
        pooled = pool_mean_max(self.act(self.pooled(x, extent)), extent)
        y = self.points(x, extent)
        y = self.act(y + self.bias(pooled).to(y.dtype)[:, :, None, None])
        logits = self.logits(y).float()
        if extent.mask is not None:
            logits = torch.where(extent.mask > 0, logits, OFF_BOARD)
        both = torch.cat((logits.flatten(2), self.passes(pooled).unsqueeze(2)), dim=2)
        return both[:, 0], both[:, 1]


class ValueHead(nn.Module):
    """Trunk -> win logit, score mean and deviation, ownership (KataGo, Wu 2019, appendix A)."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.act = ACTIVATIONS[spec.activation]
        self.points = ConvNorm(spec.channels, spec.value_channels, 1)
        self.hidden = Float32Linear(3 * spec.value_channels, spec.value_hidden)
        self.outputs = Float32Linear(spec.value_hidden, 3)
        self.owner = nn.Conv2d(spec.value_channels, 1, 1, bias=False)

    def forward(self, x: Tensor, extent: Extent) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x [B,C,M,M] -> value [B], score [B], score_stdev [B], ownership [B,M,M]."""
        y = extent.masked(self.act(self.points(x, extent)))
        three = self.outputs(self.act(self.hidden(pool_means(y, extent))))
        score = three[:, 1] * SCORE_UNIT
        stdev = F.softplus(three[:, 2]) * SCORE_UNIT + MIN_STDEV
        return three[:, 0], score, stdev, torch.tanh(self.owner(y).float()).squeeze(1)
