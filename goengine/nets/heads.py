"""The heads and what comes out of a net.

Knows how trunk features become moves, win, score and territory; everything behind a pooling is float32. Does not know
the losses: it hands out logits where a loss wants logits. A spec names its heads: `pooled` are those of AlphaGo Zero's
descendants, `placed` those of the first AlphaGo, which know each point of the board by its place, and `none` stands where a
net has no head and gives the answer of a uniform evaluator.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets.board_places import CELLS, SIDE, expand_by_edge, sum_by_edge
from goengine.nets.extent import Extent
from goengine.nets.layers import ACTIVATIONS, OFF_BOARD, ConvNorm, Float32Linear, pool_mean_max, pool_means
from goengine.nets.norms import make_norm
from goengine.nets.spec import NetSpec

LEAK: Final = 0.1  # share of the gradient that a silent hidden unit of a value head gets
SCORE_UNIT: Final = 20.0  # points per unit inside the net, so that weights and gradients stay of order one
MIN_STDEV: Final = 0.1  # points
QUIET: Final = 0.2  # of a last layer's usual first weights: a fresh net knows nothing and should say so


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
        norm = make_norm(spec.norm)
        self.points = ConvNorm(spec.widths[-1], spec.policy_channels, 1, norm)
        self.pooled = ConvNorm(spec.widths[-1], spec.pool_channels, 1, norm)
        self.bias = Float32Linear(3 * spec.pool_channels, spec.policy_channels, bias=False)
        self.logits = nn.Conv2d(spec.policy_channels, 2, 1, bias=False)
        self.passes = Float32Linear(3 * spec.pool_channels, 2)

    def forward(self, x: Tensor, extent: Extent) -> tuple[Tensor, Tensor]:
        """x [B,C,M,M] -> two of [B,M*M+1]."""
        pooled = pool_mean_max(self.act(self.pooled(x, extent)), extent)
        y = self.points(x, extent)
        y = self.act(y + self.bias(pooled).to(y.dtype)[:, :, None, None])
        logits = _on_board(self.logits(y).float(), extent)
        both = torch.cat((logits.flatten(2), self.passes(pooled).unsqueeze(2)), dim=2)
        return both[:, 0], both[:, 1]

    def init_near_zero(self) -> None:
        """Makes fresh weights say little: a near-uniform policy."""
        self.logits.weight.mul_(QUIET)
        self.passes.weight.mul_(QUIET)
        self.bias.weight.mul_(0.5)


class PlacedPolicyHead(nn.Module):
    """Trunk -> logits of this move: one channel of 1x1 and a bias for each place (Silver et al. 2016, methods).

    The biases are a table of 19x19, as in the paper; boards of other sizes read it by distance from their edges
    (`goengine.nets.board_places`). The paper's net never passes, but whoever searches with this one must be able to end a game:
    the pass has one learned logit that is the same in all positions, so about the share of passes among the moves taught.
    Knows nothing of the reply.
    """

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.logits = nn.Conv2d(spec.widths[-1], 1, 1, bias=False)
        self.biases = nn.Parameter(torch.empty(CELLS))  # row by row; flat, because it is a bias and must not decay
        self.passes = nn.Parameter(torch.empty(1))

    def forward(self, x: Tensor, extent: Extent) -> tuple[Tensor, Tensor]:
        """x [B,C,M,M] -> two of [B,M*M+1], the second flat."""
        logits = self.logits(x).float() + expand_by_edge(self.biases.float().view(SIDE, SIDE), x.shape[-1], extent)
        logits = _on_board(logits, extent).flatten(1)
        policy = torch.cat((logits, self.passes.float().expand(logits.shape[0], 1)), dim=1)
        return policy, flat_policy(x, extent)

    def init_near_zero(self) -> None:
        """Makes fresh weights say little: a near-uniform policy."""
        self.logits.weight.mul_(QUIET)
        self.biases.zero_()
        self.passes.zero_()


class NoPolicyHead(nn.Module):
    """All moves alike."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()

    def forward(self, x: Tensor, extent: Extent) -> tuple[Tensor, Tensor]:
        """x [B,C,M,M] -> two of [B,M*M+1], both flat."""
        return flat_policy(x, extent), flat_policy(x, extent)

    def init_near_zero(self) -> None:
        """It says nothing anyway."""


def flat_policy(x: Tensor, extent: Extent) -> Tensor:
    """Logits [B,M*M+1] of 0 for the planes x [B,C,M,M], -1e4 off the board."""
    flat = _on_board(torch.zeros_like(x[:, :1], dtype=torch.float32), extent).flatten(1)
    return F.pad(flat, (0, 1))


def _on_board(logits: Tensor, extent: Extent) -> Tensor:
    """Logits [B,1 or 2,M,M] with -1e4 off the board."""
    return logits if extent.mask is None else torch.where(extent.mask > 0, logits, OFF_BOARD)


class ValueHead(nn.Module):
    """Trunk -> win logit, score mean and deviation, ownership (KataGo, Wu 2019, appendix A).

    In training the hidden rectifiers pass on a part of the gradient where they give 0: the pooled means that they hear are
    never negative and rise and fall together, so one large step silences a unit for all positions, and without a gradient it
    would stay so (94 of 96 units of b8c96-rl, see `training.stages.revive`). What the head says does not change.
    """

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.act = ACTIVATIONS[spec.activation]
        self.points = ConvNorm(spec.widths[-1], spec.value_channels, 1, make_norm(spec.norm))
        self.hidden = Float32Linear(3 * spec.value_channels, spec.value_hidden)
        self.outputs = Float32Linear(spec.value_hidden, 3)
        self.owner = nn.Conv2d(spec.value_channels, 1, 1, bias=False)

    def forward(self, x: Tensor, extent: Extent) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x [B,C,M,M] -> value [B], score [B], score_stdev [B], ownership [B,M,M]."""
        y = extent.masked(self.act(self.points(x, extent)))
        heard = self.hidden(pool_means(y, extent))
        fired = self.act(heard)
        if self.training and self.act is F.relu:
            fired = fired + LEAK * (heard - heard.detach()) * (heard.detach() < 0)
        three = self.outputs(fired)
        score = three[:, 1] * SCORE_UNIT
        stdev = F.softplus(three[:, 2]) * SCORE_UNIT + MIN_STDEV
        return three[:, 0], score, stdev, torch.tanh(self.owner(y).float()).squeeze(1)

    def init_near_zero(self) -> None:
        """Makes fresh weights say little: a value near 0."""
        self.outputs.weight.mul_(QUIET)
        self.owner.weight.mul_(QUIET)


class PlacedValueHead(nn.Module):
    """Trunk -> win logit: 1x1 channels, a fully connected layer with rectifiers, one number (Silver et al. 2016, methods).

    The paper's layer is connected to each of the 361 points, so it plays 19x19 only. This one is the same there. On another
    size each point has the weights of its place (`goengine.nets.board_places`), and the inputs are scaled by 361 over the
    number of points, so that what is summed keeps its size. The paper's tanh is in the number: see NetOutput. It names no
    rectifier behind the 1x1 convolution, and there is none here.
    """

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()
        self.points = ConvNorm(spec.widths[-1], spec.value_channels, 1, None)
        self.hidden = Float32Linear(CELLS * spec.value_channels, spec.value_hidden)
        self.outputs = Float32Linear(spec.value_hidden, 1)

    def forward(self, x: Tensor, extent: Extent) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x [B,C,M,M] -> value [B]; score, score_stdev [B], ownership [B,M,M] of one who does not know."""
        y = extent.masked(self.points(x, extent)).float() * (CELLS / extent.count)[:, :, None, None]
        y = F.relu(self.hidden(sum_by_edge(y, extent).flatten(1)))
        return self.outputs(y).squeeze(1), *no_score(x)

    def init_near_zero(self) -> None:
        """Makes fresh weights say little: a value near 0."""
        self.outputs.weight.mul_(QUIET)


class NoValueHead(nn.Module):
    """Nobody leads and nobody owns anything."""

    def __init__(self, spec: NetSpec) -> None:
        super().__init__()

    def forward(self, x: Tensor, extent: Extent) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """x [B,C,M,M] -> value [B], score [B], score_stdev [B], ownership [B,M,M]: all 0, but for the deviation."""
        score, stdev, owner = no_score(x)
        return score, score, stdev, owner

    def init_near_zero(self) -> None:
        """It says nothing anyway."""


def no_score(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(score [B], score_stdev [B], ownership [B,M,M]) of one who does not know: 0, SCORE_UNIT points, 0."""
    owner = torch.zeros_like(x[:, 0], dtype=torch.float32)
    score = owner[:, 0, 0]
    return score, score + SCORE_UNIT, owner


POLICY_HEADS: Final[dict[str, type[nn.Module]]] = {"pooled": PolicyHead, "placed": PlacedPolicyHead, "none": NoPolicyHead}
VALUE_HEADS: Final[dict[str, type[nn.Module]]] = {"pooled": ValueHead, "placed": PlacedValueHead, "none": NoValueHead}
