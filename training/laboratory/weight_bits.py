"""Exported nets whose kernels are stored as small integers and computed in floating point: smaller files, not faster ones.

Knows OpenVINO graphs only. Each output channel has a step of its own; the kernel's integers are multiplied by it when the net
is loaded. `quantize` is about nets that compute on integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from openvino import Model, Node

BITS: Final = (8, 4)
_TRIED: Final = 24  # steps from half of the one that holds the largest weight up to that


def store_kernels(model: Model, bits: int) -> Model:
    """The model with the kernels of its convolutions in 8 or 4 bits; changes it. Raises ValueError for any other number."""
    if bits not in BITS:
        raise ValueError(f"kernels are stored in {' or '.join(map(str, BITS))} bits, not {bits}")
    from openvino import opset13 as op

    for node in model.get_ordered_ops():
        kernel = node.input(1).get_source_output().get_node() if "Convolution" in node.get_type_name() else None
        if kernel is None or kernel.get_type_name() != "Constant":  # one that is rounded already is computed
            continue
        integers, steps = rounded(np.asarray(kernel.get_data(), np.float32), bits)
        stored = op.convert(_constant(integers, bits), "f32")
        node.input(1).replace_source_output(op.multiply(stored, op.constant(steps)).output(0))
    return model


def rounded(kernel: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """(integers int8, steps float32 [C,1,...]) of a kernel [C,...]: for each channel the step with the least squared error."""
    high = 2 ** (bits - 1) - 1
    axes = tuple(range(1, kernel.ndim))
    largest = np.maximum(np.abs(kernel).max(axis=axes, keepdims=True), 1e-8) / high
    best, error = largest, np.full(largest.shape, np.inf)
    for share in np.linspace(0.5, 1.0, _TRIED):
        step = share * largest
        off = np.square(np.clip(np.round(kernel / step), -high, high) * step - kernel).sum(axis=axes, keepdims=True)
        best, error = np.where(off < error, step, best), np.minimum(off, error)
    steps = best.astype(np.float32)
    return np.clip(np.round(kernel / steps), -high, high).astype(np.int8), steps


def _constant(integers: np.ndarray, bits: int) -> Node:
    """The integers in a graph, packed in pairs where they have 4 bits, the first in the lower half of a byte."""
    from openvino import Shape, Tensor, Type, op

    if bits == 8:
        return op.Constant(integers)
    flat = integers.reshape(-1)
    flat = np.append(flat, np.zeros(flat.size % 2, np.int8))
    tensor = Tensor(Type.i4, Shape(list(integers.shape)))
    tensor.data.reshape(-1).view(np.uint8)[:] = (flat[0::2] & 15 | (flat[1::2] & 15) << 4).view(np.uint8)
    return op.Constant(tensor)
