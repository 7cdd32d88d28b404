"""A net whose convolutions compute on 8-bit integers: where it rounds, how the steps are found, and what is kept of them.

Knows one scheme, the one that OpenVINO runs on integers: weights in -63..63 steps of each output channel, activations
in 256 steps of each tensor (Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-
only inference, 2018; Krishnamoorthi 2018). A CPU without VNNI adds two products of 8-bit integers in 16 bits that hold no
more than 32,767: weights of 7 bits let every CPU come to the same sums. Only the trunk's blocks are rounded; the stem,
everything behind a pooling and the heads stay in floating point. A prepared net rounds in float32 and lets gradients
through, so it can be trained and exported alike. Knows no games and no training loop.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from goengine.nets.build import Net, skeleton
from goengine.nets.fold import fold
from goengine.nets.layers import ConvNorm
from goengine.nets.norms import Norm
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.spec import NetSpec
from goengine.nets.weights_file import Meta, load_module

LEVELS: Final = 256
HIGHEST_WEIGHT: Final = 63  # twice 255 times it fits into 16 bits
FOLDING: Final = ("batch", "fixed")  # norms of nets that compute on integers
KEY: Final = "quantization"  # where a weights file's data card keeps the steps
SAMPLES: Final = 1 << 16  # values looked at per tensor and batch when its step is looked for


class Rounding(nn.Module):
    """Rounds a tensor to LEVELS steps from `zero` steps below 0 upwards. Without a step (0) it lets everything through.

    While `seen` is a list, it collects samples of what passes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("step", torch.zeros(()))
        self.register_buffer("zero", torch.zeros(()))
        self.seen: list[np.ndarray] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """x, any shape -> the same, same dtype."""
        if self.seen is not None:
            flat = x.detach().flatten().float()
            self.seen.append(flat[:: max(flat.numel() // SAMPLES, 1)].cpu().numpy())
            return x
        step, zero = float(self.step), int(self.zero)
        return torch.fake_quantize_per_tensor_affine(x.float(), step, zero, 0, LEVELS - 1).to(x.dtype) if step else x


class RoundedConv(nn.Conv2d):
    """A convolution whose weights are rounded to steps of each output channel's largest weight / HIGHEST_WEIGHT."""

    def forward(self, x: Tensor) -> Tensor:
        """x [B,inputs,M,M] -> [B,outputs,M,M]."""
        weight = self.weight.float()
        step = weight.detach().abs().amax(dim=(1, 2, 3)).clamp(min=1e-8) / HIGHEST_WEIGHT
        zero = torch.zeros(weight.shape[0], dtype=torch.int32, device=weight.device)
        weight = torch.fake_quantize_per_channel_affine(weight, step, zero, 0, -HIGHEST_WEIGHT, HIGHEST_WEIGHT)
        return self._conv_forward(x, weight.to(x.dtype), self.bias)


def prepare(net: Net) -> Net:
    """A folded copy of the net, trainable, that rounds once it has steps (see `calibrate` and `set_steps`).

    A net whose norms look at each position (layer, instance, group) stays in floating point: OpenVINO's integers and the
    module's differ behind them, by up to 0.09 in a move's probability.
    """
    rounded = fold(net).requires_grad_(True)
    for block in rounded.trunk.blocks if net.spec.norm in FOLDING else ():
        first, inner = block.rounded_input, block.rounded_inner
        if first and getattr(block, "shortcut", None) is not None:
            first = (*first, "shortcut")
        for name in (*first, *inner):
            _round_weights(block, name)
        if first:  # one rounding for the block: what the branch sees is what the branch is added to
            _round_input(block, Rounding())
        within = {name: Rounding() for name in inner}
        if "pooled" in within:  # it sees the same tensor as `first`
            within["pooled"] = within["first"]
        for name, rounding in within.items():
            _round_input(block.get_submodule(name), rounding)
    return rounded


def _round_input(module: nn.Module, rounding: Rounding) -> None:
    module.add_module("rounding", rounding)
    module.register_forward_pre_hook(_rounded_input)


def _rounded_input(module: nn.Module, inputs: tuple) -> tuple:
    return module.rounding(inputs[0]), *inputs[1:]


def _round_weights(block: nn.Module, name: str) -> None:
    unit = block.get_submodule(name)
    conv = unit.conv if isinstance(unit, ConvNorm) else unit
    how = {key: getattr(conv, key) for key in ("stride", "padding", "dilation", "groups")}
    made = RoundedConv(conv.in_channels, conv.out_channels, conv.kernel_size, bias=conv.bias is not None, **how)
    made.load_state_dict(conv.state_dict())
    if isinstance(unit, ConvNorm):
        unit.conv = made
    else:
        owner, _, last = name.rpartition(".")
        setattr(block.get_submodule(owner), last, made)


def calibrate(net: Net, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
    """Finds the steps of a prepared net on real positions: those with the least squared error of each tensor.

    batches: (planes [B,P,M,M], globals [B,G]) of full boards. Raises ValueError if there is none.
    """
    roundings = _roundings(net)
    for rounding in roundings.values():
        rounding.seen = []
    training, net_device = net.training, next(net.parameters()).device
    net.eval()
    with torch.no_grad():
        for planes, globals_ in batches:
            given = torch.from_numpy(np.ascontiguousarray(planes, np.float32)), torch.from_numpy(globals_)
            net(*(tensor.to(net_device) for tensor in given), True)
    net.train(training)
    for name, rounding in roundings.items():
        values, rounding.seen = rounding.seen, None
        if not values:
            raise ValueError(f"quantization needs at least one batch of positions ({name} has seen none)")
        step, zero = best_step(np.concatenate(values))
        rounding.step.fill_(step)
        rounding.zero.fill_(zero)


def best_step(values: np.ndarray) -> tuple[float, int]:
    """(step, zero point) of 256 levels that round the values with the least squared error; clipping the few largest may pay."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 1e-6)
    found = (np.inf, 1.0, 0)
    for share in np.geomspace(0.1, 1.0, 48):
        step = (share * high - low) / (LEVELS - 1)
        zero = round(-low / step)
        rounded = (np.clip(np.round(values / step) + zero, 0, LEVELS - 1) - zero) * step
        found = min(found, (float(np.square(rounded - values).mean()), step, zero))
    return found[1:]


def steps(net: Net) -> dict[str, list[float]]:
    """The steps of a prepared net as JSON values: place -> [step, zero point]."""
    return {name: [float(rounding.step), int(rounding.zero)] for name, rounding in _roundings(net).items()}


def set_steps(net: Net, found: Mapping[str, list[float]]) -> None:
    """Puts back what `steps` gave into a net prepared alike. Raises ValueError if the places differ."""
    roundings = _roundings(net)
    if roundings.keys() != found.keys():
        raise ValueError(f"the steps belong to another form of the net: {sorted(roundings.keys() ^ found.keys())[0]}")
    for name, (step, zero) in found.items():
        roundings[name].step.fill_(step)
        roundings[name].zero.fill_(zero)


def _roundings(net: Net) -> dict[str, Rounding]:
    return {name: module for name, module in net.named_modules() if isinstance(module, Rounding)}


def unfolded(arrays: Mapping[str, np.ndarray], spec: NetSpec) -> dict[str, np.ndarray]:
    """Arrays of a folded or prepared net in the form of its spec: every merged normalisation only adds the bias again."""
    net = skeleton(spec)
    own = net.state_dict().keys()
    found = {name: array for name, array in arrays.items() if ".rounding." not in name}
    for name in [name for name in found if name.endswith(".conv.bias") and name not in own]:
        bias, norm = found.pop(name), name.removesuffix("conv.bias") + "norm"
        module = net.get_submodule(norm)
        if not isinstance(module, Norm):
            raise ValueError(f"{name}: there is no normalisation that it could be the rest of")
        found.update({f"{norm}.{key}": array for key, array in module.only_adding(bias).items()})
    return found


def from_file(path: str | os.PathLike[str]) -> tuple[Net, Meta]:
    """The prepared net, with its steps, of a weights file that was trained with rounding, in evaluation mode.

    Raises WeightsError as `checkpoint.load` does, or if the file was not trained so.
    """
    net, meta = load_module(path)
    kept = meta.data.get(KEY)
    if not isinstance(kept, dict):
        raise WeightsError(f"{path}: was not trained with rounding; make it with `python -m training quantize`")
    try:
        prepared = prepare(net)
        set_steps(prepared, kept["steps"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: its steps are damaged: {error}") from error
    return prepared.eval(), meta
