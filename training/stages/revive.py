"""Hidden units of a value head that have fallen silent, brought back to life.

Knows: a rectified unit that is 0 for every position says nothing and, having no gradient, never learns again. A head in which
nearly all are silent is a straight line with a flat place in the middle: it cannot tell balanced positions apart, and on the
flat place it hears neither the komi nor the score. Fresh weights in, zeros out (as `training.stages.grow` begins blocks): the
net says what it said, and can learn more. Does not train.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from goengine.nets.build import Net
from training.core.checkpoint import RunError

SPREAD = 0.5  # deviation of the fresh units' thresholds, in deviations of what they hear
LEAST = 1e-6  # deviation of an input below which it is a constant


@dataclass(frozen=True)
class Heard:
    """What a value head's hidden layer got on some positions, [P, in], and what it gave before the rectifier, [P, H]."""

    inputs: torch.Tensor
    outputs: torch.Tensor

    @property
    def silent(self) -> torch.Tensor:
        """bool[H]: units that were 0 for every position."""
        return (self.outputs <= 0).all(dim=0)


def listen(net: Net, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> Heard:
    """What the value head's hidden layer gets and gives. batches: planes and globals.

    Raises RunError if the net has no value head with rectified hidden units, or there are no positions.
    """
    hidden = getattr(net.value, "hidden", None)
    if hidden is None or net.spec.activation != "relu":
        raise RunError("only the rectified hidden units of a value head fall silent for good; this net has none")
    inputs, outputs = [], []

    def note(_: object, given: tuple[torch.Tensor, ...], said: torch.Tensor) -> None:
        inputs.append(given[0].detach().float())
        outputs.append(said.detach().float())

    hook = hidden.register_forward_hook(note)
    try:
        with torch.no_grad():
            for planes, values in batches:
                net(torch.from_numpy(planes), torch.from_numpy(values))
    finally:
        hook.remove()
    if not inputs:
        raise RunError("there are no positions to listen to")
    return Heard(torch.cat(inputs), torch.cat(outputs))


def revive(net: Net, heard: Heard, seed: int = 0) -> int:
    """Give the silent units fresh weights that fire for about half of the positions, and no say yet. Returns how many."""
    silent, generator = heard.silent, torch.Generator().manual_seed(seed)
    mean, spread = heard.inputs.mean(dim=0), heard.inputs.std(dim=0, correction=0)
    scale = torch.where(spread > LEAST, 1 / spread.clamp_min(LEAST), 0.0) * (2.0 / len(mean)) ** 0.5
    fresh = torch.randn((int(silent.sum()), len(mean)), generator=generator) * scale
    threshold = SPREAD * torch.randn(len(fresh), generator=generator)
    with torch.no_grad():
        net.value.hidden.weight[silent] = fresh
        net.value.hidden.bias[silent] = threshold - fresh @ mean
        net.value.outputs.weight[:, silent] = 0
    return len(fresh)
