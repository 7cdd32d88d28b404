"""Optimizers by name, and their state as plain named arrays.

Knows: SGD with Nesterov momentum, AdamW, and Muon; which parameters decay (weights of two or more dimensions, not
biases and norms). Does not know the learning-rate curve: the loop multiplies every group's `peak` by the schedule's
factor before each step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from goengine.nets.cuda_graph import CudaGraph
from training.core import sharding

Name = Literal["sgd", "adamw", "muon"]

# Peak learning rates at batch 256, found by short trials on 19x19 games; see `OptimizerConfig.rate`.
PEAK_RATES = {"sgd": 0.08, "adamw": 4e-3, "muon": 0.03}
DECAYS = {"sgd": 1e-4, "adamw": 0.02, "muon": 0.02}


@dataclass(frozen=True)
class OptimizerConfig:
    """Which optimizer and its constants; None takes the optimizer's own default from the tables above."""

    name: Name = "sgd"
    rate: float | None = None
    decay: float | None = None
    momentum: float = 0.9

    @property
    def peak(self) -> float:
        return PEAK_RATES[self.name] if self.rate is None else self.rate

    @property
    def weight_decay(self) -> float:
        return DECAYS[self.name] if self.decay is None else self.decay


def orthogonalise(matrices: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """Nearest semi-orthogonal matrices, roughly: singular values come out between about 0.7 and 1.2.

    `matrices` is [n, rows, columns]. Newton-Schulz iteration with the quintic of Muon (Jordan et al. 2024): its
    coefficients trade exactness for speed, and bfloat16 is enough.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices.bfloat16()
    tall = x.size(1) > x.size(2)
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrices.dtype)


def directions(moments: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Muon's step for each weight from its momentum: orthogonal, with the root mean square of Adam's steps (factor
    0.2 sqrt(max(rows, columns)), Liu et al. 2025).
    """
    by_shape: dict[tuple[int, int], list[int]] = {}
    for i, moment in enumerate(moments):
        by_shape.setdefault((moment.size(0), moment[0].numel()), []).append(i)
    found = [torch.empty_like(moment) for moment in moments]
    for shape, same in by_shape.items():  # one batched product per shape
        matrices = orthogonalise(torch.stack([moments[i].reshape(shape) for i in same])) * (0.2 * max(shape) ** 0.5)
        for i, matrix in zip(same, matrices, strict=True):
            found[i].copy_(matrix.reshape(moments[i].shape))
    return found


def _gradients(parameters: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Of parameters that all have one: what this process holds."""
    return sharding.local([p.grad for p in parameters if p.grad is not None])


class Muon(torch.optim.Optimizer):
    """Orthogonalised momentum for matrices and convolutions, Adam for the rest.

    A convolution's weight counts as the matrix [out, in * height * width]. The step has the root mean square of
    Adam's (`directions`), so both kinds share one learning rate and decoupled decay; a matrix's update is `rate * 0.2`
    per weight.
    """

    def __init__(self, groups: list[dict[str, Any]], rate: float, momentum: float):
        super().__init__(
            groups,
            {
                "lr": rate,
                "momentum": momentum,
                "betas": (0.9, 0.98),
                "weight_decay": 0.0,
                "matrix": False,
                "ratio": 1.0,
            },
        )
        self._directions = CudaGraph(directions)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update from the gradients."""
        for group in self.param_groups:
            present = [p for p in group["params"] if p.grad is not None]
            if present:
                update = self._matrices if group["matrix"] else self._adam
                update(present, group)

    def _matrices(self, parameters: list[torch.Tensor], group: dict[str, Any]) -> None:
        for p in parameters:
            self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
        gradients = _gradients(parameters)
        buffers = sharding.local([self.state[p]["momentum_buffer"] for p in parameters])
        torch._foreach_lerp_(buffers, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, buffers, group["momentum"])  # Nesterov
        held = sharding.local(parameters)
        torch._foreach_mul_(held, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(held, self._steps(parameters, list(ahead)), alpha=-group["lr"])

    def _steps(self, parameters: list[torch.Tensor], ahead: list[torch.Tensor]) -> list[torch.Tensor]:
        """Muon's step for what this process holds of each weight: a direction is that of the whole matrix."""
        found = self._directions([sharding.joined(p, moment) for p, moment in zip(parameters, ahead, strict=True)])
        if not any(map(sharding.is_sharded, parameters)):
            return list(found)
        return sharding.local([sharding.like(p, step) for p, step in zip(parameters, found, strict=True)])

    def _adam(self, parameters: list[torch.Tensor], group: dict[str, Any]) -> None:
        by_count: dict[float, list[torch.Tensor]] = {}
        for p in parameters:
            state = self.state[p]
            if not state:
                state["step"] = torch.zeros(())  # on the CPU: reading it waits for no GPU
                state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(p), torch.zeros_like(p)
            by_count.setdefault(float(state["step"]), []).append(p)
        first, second = group["betas"]
        torch._foreach_add_([self.state[p]["step"] for p in parameters], 1.0)
        for before, same in by_count.items():
            count = before + 1
            gradients = _gradients(same)
            means, squares = (sharding.local([self.state[p][name] for p in same]) for name in ("exp_avg", "exp_avg_sq"))
            held = sharding.local(same)
            torch._foreach_lerp_(means, gradients, 1 - first)
            torch._foreach_mul_(squares, second)
            torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
            spreads = torch._foreach_div(squares, 1 - second**count)
            torch._foreach_sqrt_(spreads)
            torch._foreach_add_(spreads, 1e-8)
            torch._foreach_mul_(held, 1 - group["lr"] * group["weight_decay"])
            torch._foreach_addcdiv_(held, means, spreads, -group["lr"] * group["ratio"] / (1 - first**count))


def make(module: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """The optimizer of a module's trainable parameters; each group carries its `peak` learning rate."""
    weights = [p for p in module.parameters() if p.requires_grad and p.ndim >= 2]
    others = [p for p in module.parameters() if p.requires_grad and p.ndim < 2]
    peak = config.peak
    groups: list[dict[str, Any]] = [
        {"params": weights, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    optimizer: torch.optim.Optimizer
    if config.name == "sgd":
        optimizer = torch.optim.SGD(groups, lr=peak, momentum=config.momentum, nesterov=True)
    elif config.name == "adamw":
        optimizer = torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.98))
    else:
        groups[0]["matrix"] = True
        groups[1]["ratio"] = 0.2  # as large a step per weight as the matrices take
        optimizer = Muon(groups, peak, config.momentum)
    for group in optimizer.param_groups:
        group["peak"] = peak
    return optimizer


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Every group's learning rate is its peak times `factor`."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def state_tensors(optimizer: torch.optim.Optimizer, module: nn.Module) -> dict[str, torch.Tensor]:
    """The optimizer's tensors under 'parameter name|key', float32."""
    found = {}
    for name, parameter in module.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                found[f"{name}|{key}"] = value.detach().float()
    return found


def load_state(optimizer: torch.optim.Optimizer, module: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Put back what `state_tensors` gave, whole. Raises KeyError if an array belongs to no parameter."""
    parameters = dict(module.named_parameters())
    for full, array in arrays.items():
        name, key = full.rsplit("|", 1)
        parameter = parameters[name]
        value = torch.from_numpy(np.array(array))
        if value.shape == parameter.shape:
            value = sharding.like(parameter.detach(), value)  # Adam's count stays a CPU scalar
        optimizer.state[parameter][key] = value
