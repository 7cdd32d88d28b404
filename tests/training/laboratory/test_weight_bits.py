"""Kernels in 8 and 4 bits: the nearest integers, as small as they should be, and the same answers nearly."""

import numpy as np
import pytest
import torch

from goengine.evaluators.openvino import core
from goengine.nets import export, weights_file
from tests.nets.helpers import SPECS, lively, positions
from training.laboratory.weight_bits import rounded, store_kernels


@pytest.mark.parametrize(("bits", "most"), [(8, 127), (4, 7)])
def test_integers_and_their_steps(bits, most):
    kernel = np.random.default_rng(1).normal(size=(5, 3, 3, 3)).astype(np.float32)
    kernel[4] = 0
    integers, steps = rounded(kernel, bits)
    assert np.abs(integers[:4]).max(axis=(1, 2, 3)).max() == most and steps.shape == (5, 1, 1, 1)
    off, plain = integers * steps - kernel, np.abs(kernel).max(axis=(1, 2, 3), keepdims=True) / most
    assert np.square(off).sum() <= np.square(np.round(kernel / np.maximum(plain, 1e-8)) * plain - kernel).sum()
    assert (off[4] == 0).all()


def test_a_net_of_small_kernels(tmp_path):
    """An odd number of weights, depthwise kernels and all; what is stored as integers comes back as the nearest weights."""
    spec = SPECS["mixed"]
    net = lively(spec).eval()
    meta = weights_file.Meta(spec, 0, {}, {}, "")
    planes, globals_ = positions(spec, 4, 9)
    with torch.no_grad():
        expected = net(planes, globals_).policy.numpy()
    off, sizes = {}, {}
    for bits in (16, 8, 4):
        model = export.openvino_model(net, meta)
        path = tmp_path / f"{bits}.xml"
        export.save_openvino(model if bits == 16 else store_kernels(model, bits), path)
        sizes[bits] = path.with_suffix(".bin").stat().st_size
        compiled = core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        off[bits] = np.abs(compiled([planes.numpy(), globals_.numpy()])["policy"] - expected).mean() / expected.std()
    assert sizes[4] < sizes[8] < sizes[16] and off[16] < off[8] < off[4]
    assert off[8] < 0.05 and off[4] < 1


def test_other_numbers_of_bits():
    with pytest.raises(ValueError, match="8 or 4 bits, not 2"):
        store_kernels(export.openvino_model(lively(SPECS["conv"]), weights_file.Meta(SPECS["conv"], 0, {}, {}, "")), 2)
