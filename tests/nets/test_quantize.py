"""Rounded nets: small steps, the same answers, integers in the exported graph, and the way to a file and back."""

import numpy as np
import pytest
import torch

from goengine.evaluators.openvino import core
from goengine.nets import quantize, weights_file
from goengine.nets.export import OUTPUTS, int8_model, openvino_labels, save_openvino
from goengine.nets.fold import fold
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.spec import BLOCK_KINDS
from tests.nets.helpers import SPECS, lively, positions, tiny

POST = tiny(("residual", "gpool", "bottleneck"))


FLOATING = ("transformer", "squeeze", "layer norm")  # what stays in floating point


def batches(spec, count=3):
    return [tuple(x.numpy() for x in positions(spec, 4, size, seed)) for seed, size in enumerate([9, 13, 7] * count)]


def calibrated(spec):
    net = lively(spec).eval()
    prepared = quantize.prepare(net)
    quantize.calibrate(prepared, batches(spec))
    return net, prepared.eval()


def test_the_best_step_clips_what_is_rare():
    values = np.concatenate([np.linspace(0, 1, 1_000_000), [1.5]])
    step, zero = quantize.best_step(values)
    assert zero == 0 and step < 1.2 / 255
    step, zero = quantize.best_step(np.linspace(-0.28, 2, 1000))
    assert zero * step == pytest.approx(0.28, abs=2 * step) and (255 - zero) * step == pytest.approx(2, abs=0.05)
    assert quantize.best_step(np.zeros(10))[0] > 0


@pytest.mark.parametrize(
    "kind", [*BLOCK_KINDS, "silu", "numbers", "fixed norm", "layer norm", "dense widens", "residual widens"]
)
def test_a_rounded_net_says_nearly_the_same(kind):
    spec = SPECS[kind]
    net, prepared = calibrated(spec)
    planes, globals_ = positions(spec, 8, 9, 50)
    with torch.no_grad():
        exact, plain, rounded = net(planes, globals_), quantize.prepare(net)(planes, globals_), prepared(planes, globals_)
    spread = float(exact.policy.std())
    moved = float((rounded.policy - exact.policy).abs().mean())
    if kind in FLOATING:
        assert moved < 1e-5 * spread and not quantize.steps(prepared)
        return
    assert 0 < moved < 0.1 * spread
    assert float((plain.policy - exact.policy).abs().mean()) < 0.1 * spread  # weights round before there are steps
    assert len(quantize.steps(prepared)) >= (1 if kind == "conv" else 2)


def test_gradients_pass_the_roundings():
    _, prepared = calibrated(POST)
    prepared.train()
    prepared(*positions(POST, 4, 9), True).policy.logsumexp(1).sum().backward()
    for name, parameter in prepared.trunk.named_parameters():
        assert parameter.grad is not None and bool(parameter.grad.abs().sum() > 0), name


@pytest.mark.parametrize("spec", [POST, SPECS["lee policy"], SPECS["mixed"], SPECS["fixed norm"], SPECS["group norm"]])
def test_unfolded_arrays_are_the_same_net(spec):
    net = lively(spec).eval()
    arrays = quantize.unfolded(weights_file.arrays_of(fold(net)), net.spec)
    again = weights_file.Checkpoint(spec, arrays, weights_file.Meta(spec, 0, {}, {}, "")).module()
    given = positions(spec, 4, 9)
    with torch.no_grad():
        for ours, theirs in zip(again(*given), net(*given), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_a_file_brings_its_steps(tmp_path):
    _, prepared = calibrated(POST)
    path = tmp_path / "net.safetensors"
    arrays = quantize.unfolded(weights_file.arrays_of(prepared), prepared.spec)
    weights_file.save(path, arrays, POST, data={quantize.KEY: {"steps": quantize.steps(prepared)}})
    again, _ = quantize.from_file(path)
    given = positions(POST, 4, 9)
    with torch.no_grad():
        assert torch.allclose(again(*given).policy, prepared(*given).policy, atol=1e-3)
    with pytest.raises(ValueError, match="another form"):
        quantize.set_steps(prepared, {"nowhere": [1.0, 0]})


@pytest.mark.parametrize("data, said", [({}, "not trained with rounding"), ({quantize.KEY: {"steps": {}}}, "damaged")])
def test_a_file_without_steps_is_refused(tmp_path, data, said):
    weights_file.save(tmp_path / "net.safetensors", lively(POST), POST, data=data)
    with pytest.raises(WeightsError, match=said):
        quantize.from_file(tmp_path / "net.safetensors")


def test_no_positions():
    with pytest.raises(ValueError, match="at least one"):
        quantize.calibrate(quantize.prepare(lively(POST)), ())


def compiled_form(prepared, folder):
    """The exported graph, ready to compute."""
    model = int8_model(prepared, weights_file.Meta(prepared.spec, 0, {}, {}, "abc"))
    assert openvino_labels(model)["sha256"] == "abc"
    save_openvino(model, folder / "q.xml")
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    return core().compile_model(folder / "q.xml", "CPU", options)


def answers(compiled, prepared, planes, globals_):
    """(policy by the exported graph, by the module)."""
    with torch.no_grad():
        return compiled([planes.numpy(), globals_.numpy()])[OUTPUTS[0]], prepared(planes, globals_, True).policy.numpy()


def test_no_sum_of_integers_overflows(tmp_path):
    """The largest products there can be, all of one sign: CPUs that add pairs of them in 16 bits must hold them."""
    net = lively(POST).eval()
    with torch.no_grad():
        for module in net.trunk.blocks.modules():
            if isinstance(module, torch.nn.Conv2d):
                module.weight.copy_(module.weight.abs().amax().expand_as(module.weight))
    prepared = quantize.prepare(net)
    quantize.calibrate(prepared, batches(POST))
    for rounding in prepared.modules():
        if isinstance(rounding, quantize.Rounding):
            rounding.step /= 8  # nearly everything reaches the highest step
    found, expected = answers(compiled_form(prepared.eval(), tmp_path), prepared, *positions(POST, 8, 9, 50))
    assert np.abs(found - expected).mean() < 0.02 * expected.std()


def test_the_exported_graph_computes_on_integers(tmp_path):
    _, prepared = calibrated(POST)
    compiled = compiled_form(prepared, tmp_path)
    found, expected = answers(compiled, prepared, *positions(POST, 8, 9, 50))
    assert np.abs(found - expected).mean() < 0.02 * expected.std(), "float16 may move a value over the edge of a step, rarely"
    precisions = [
        str(info["runtimePrecision"].astype(str))
        for node in compiled.get_runtime_model().get_ordered_ops()
        if str((info := node.get_rt_info())["layerType"].astype(str)) == "Convolution"
    ]
    if core().get_property("CPU", "OPTIMIZATION_CAPABILITIES").count("INT8"):
        assert sum(precision in ("u8", "i8") for precision in precisions) == 9  # 2 + 3 + 4 of three blocks


@pytest.mark.parametrize(
    "name", ["dense", *(pytest.param(kind, marks=pytest.mark.slow) for kind in BLOCK_KINDS if kind not in ("dense", *FLOATING))]
)
def test_every_block_exports_its_integers(name, tmp_path):
    """The graph rounds where the module does: moves' probabilities within 1e-3."""
    _, prepared = calibrated(SPECS[name])
    found, expected = answers(compiled_form(prepared, tmp_path), prepared, *positions(SPECS[name], 4, 9, 50))
    shares = [torch.from_numpy(logits).softmax(1) for logits in (found, expected)]
    torch.testing.assert_close(*shares, rtol=0, atol=1e-3)
