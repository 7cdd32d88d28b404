"""A trained net that sees another feature set: its first convolution is fitted anew, all behind it stays.

Knows: what the first convolution says is linear in the planes. So least squares over positions, seen through both sets, find
the convolution of the new planes that comes closest to what the old one said of the old planes and of the globals. What the
new set does not show is lost; a little training finds the rest. So a net that knows Go learns to read, not Go again. Does not
train.
"""

import dataclasses
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from goengine.features import FeatureSet
from goengine.nets import build
from goengine.nets.extent import extent_of
from goengine.nets.spec import NetSpec
from goengine.nets.weights_file import Checkpoint, restore
from training.core.checkpoint import RunError

RIDGE = 1e-6  # added to the diagonal, as a share of its mean: planes that are always empty get weights of zero
Heads = Literal["both", "policy", "value"]
Inputs = tuple[np.ndarray, np.ndarray]  # planes [B, P, N, N] and globals [B, G]


class Fitted(NamedTuple):
    """The new first convolution."""

    kernel: np.ndarray  # float32[C, P, K, K]
    globals: np.ndarray  # float32[C, G]
    mean: np.ndarray  # float32[C]  of what the kernel says, over all points
    variance: np.ndarray  # float32[C]
    explained: float  # share of the variance of what the old one said


class _Sums:
    """What least squares need to know of inputs X [in, points] and answers Y [C, points]: X X', X Y', and Y's moments."""

    def __init__(self, inputs: int, channels: int):
        self.inner, self.outer = torch.zeros(inputs, inputs).double(), torch.zeros(inputs, channels).double()
        self.ones, self.count = torch.zeros(inputs).double(), 0
        self.answers, self.squares = torch.zeros(channels).double(), torch.zeros(channels).double()

    def add(self, x: torch.Tensor, y: torch.Tensor) -> None:
        """The points of one batch."""
        self.inner += x @ x.T
        self.outer += x @ y.T
        self.ones += x.sum(dim=1)
        self.count += x.shape[1]
        self.answers += y.sum(dim=1)
        self.squares += y.square().sum(dim=1)


def fit(old: build.Net, features: FeatureSet, pairs: Iterable[tuple[Inputs, Inputs]]) -> Fitted:
    """The first convolution for `features`. pairs: batches as the old set shows them, and the same positions by the new one.

    Raises RunError if there are no positions.
    """
    kernel, channels = old.spec.stem_kernel, old.spec.channels
    taps = features.planes * kernel**2
    sums = _Sums(taps + features.globals, channels)
    with torch.inference_mode():
        for seen, shown in pairs:
            said = _said(old, *map(torch.from_numpy, seen))
            planes, values = (torch.from_numpy(part).float() for part in shown)
            patches = F.unfold(planes, kernel, padding=kernel // 2)
            everywhere = values[:, :, None].expand(-1, -1, patches.shape[2])
            sums.add(*(part.transpose(0, 1).flatten(1) for part in (torch.cat((patches, everywhere), dim=1), said.flatten(2))))
    if not sums.count:
        raise RunError("there are no positions to fit the first convolution to")
    return _solved(sums, (channels, features.planes, kernel, kernel))


def _said(net: build.Net, planes: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """What the net's trunk hears of full boards before its first rectifier: [B, C, N, N]."""
    heard = net.trunk.stem(planes.float(), extent_of(planes, True))
    return heard if net.trunk.globals is None else heard + net.trunk.globals(values.float())[:, :, None, None]


def _solved(sums: _Sums, shape: tuple[int, int, int, int]) -> Fitted:
    """The least squares' solution, in float64."""
    inner, outer = sums.inner, sums.outer
    weights = torch.linalg.solve(inner + RIDGE * inner.diagonal().mean() * torch.eye(len(inner)), outer)  # [in, C]
    missed = sums.squares - 2 * (weights * outer).sum(dim=0) + (weights * (inner @ weights)).sum(dim=0)
    spread = sums.squares - sums.answers.square() / sums.count
    taps = shape[1] * shape[2] * shape[3]
    kernel = weights[:taps]
    mean = kernel.T @ sums.ones[:taps] / sums.count
    square = (kernel * (inner[:taps, :taps] @ kernel)).sum(dim=0) / sums.count
    return Fitted(
        kernel.T.reshape(shape).float().numpy(),
        weights[taps:].T.contiguous().float().numpy(),
        mean.float().numpy(),
        (square - mean.square()).float().numpy(),
        1 - float(missed.sum() / spread.sum()),
    )


def seeing(spec: NetSpec, features: FeatureSet, heads: Heads) -> NetSpec:
    """The spec with another feature set, and with one head or both. Raises RunError if it has no such head."""
    others = {"policy": {"value_head": "none"}, "value": {"policy_head": "none"}, "both": {}}[heads]
    if heads != "both" and heads not in spec.outputs:
        raise RunError(f"--heads {heads}: the net has none")
    sees = {"features": features.name, "planes": features.planes, "globals": features.globals}
    return dataclasses.replace(spec, **sees, **others)


def restem(old: Checkpoint, features: FeatureSet, fitted: Fitted, heads: Heads = "both") -> build.Net:
    """The net `old` with the fitted first convolution, in training mode.

    Raises RunError if it normalises by each position there, which no fixed convolution can stand for, or has no such head.
    """
    net = build.build(seeing(old.spec, features, heads))
    arrays = {name: value.numpy() for name, value in net.state_dict().items()}
    kept = {name: value for name, value in old.arrays.items() if name in arrays and arrays[name].shape == value.shape}
    stem = {"conv.weight": fitted.kernel}
    if net.trunk.stem.norm is None:
        stem["conv.bias"] = np.zeros_like(fitted.mean)
    else:
        stem |= {f"norm.{name}": value for name, value in _passing(net, fitted).items()}
    fresh = {f"trunk.stem.{name}": value for name, value in stem.items()}
    if features.globals:
        fresh["trunk.globals.weight"] = fitted.globals
    restore(net, {**arrays, **kept, **fresh})
    return net.train()


def _passing(net: build.Net, fitted: Fitted) -> dict[str, np.ndarray]:
    """A normalisation that leaves what the fitted convolution says as it is, in play and, on average, in training."""
    norm = net.trunk.stem.norm
    if net.spec.norm != "batch":
        try:
            return norm.only_adding(np.zeros_like(fitted.mean))
        except ValueError as error:
            raise RunError(f"the first convolution cannot be fitted: {error}") from None
    deviation = np.sqrt(fitted.variance + norm.eps)
    statistics = {"running_mean": fitted.mean, "running_var": fitted.variance}
    return {"weight": deviation, "bias": fitted.mean, **statistics}
