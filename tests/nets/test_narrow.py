"""Narrower blocks: a net without channels that nobody reads answers as before, in every form, and its file says its widths."""

import numpy as np
import pytest
import torch

from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.load import load
from goengine.evaluators.openvino import core
from goengine.nets import export, quantize, ship, weights_file
from goengine.nets.architecture import difference, parse, to_text
from goengine.nets.card import FILE
from goengine.nets.narrow import groups, narrowed
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.spec import BlockSpec, NetSpecError
from tests.nets.helpers import SPECS, lively, padded, positions, tiny

CUTTABLE = [name for name, spec in SPECS.items() if groups(lively(spec)) and spec.norm in ("batch", "fixed")]


def unread(net):
    """(the net with every third inner channel read by nobody, the channels that are left)."""
    keep = [np.flatnonzero(np.arange(group.channels) % 3) for group in groups(net)]
    with torch.no_grad():
        for group, kept in zip(groups(net), keep, strict=True):
            layer = net.get_submodule(group.seen)
            weight = getattr(layer, "conv", layer).weight
            mask = torch.zeros(group.channels)
            mask[torch.from_numpy(kept)] = 1
            mask = mask.repeat(weight.shape[1] // group.channels)
            weight *= mask[None, :, None, None] if weight.ndim == 4 else mask[None]
    return net, keep


@pytest.mark.parametrize("name", CUTTABLE)
def test_a_narrower_net_answers_as_before(name):
    net, keep = unread(lively(SPECS[name]).eval())
    made = narrowed(net, keep)
    assert made.spec != net.spec and [group.channels for group in groups(made)] == [len(kept) for kept in keep]
    planes, globals_ = positions(net.spec, 4, 9)
    with torch.no_grad():
        for given in (planes, padded(planes, 12)):
            for ours, theirs in zip(made(given, globals_), net(given, globals_), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    text = to_text(made.spec)
    assert parse(text, made.spec.features, made.spec.planes, made.spec.globals) == made.spec
    assert type(made.spec).from_json(made.spec.to_json()) == made.spec


def test_one_width_alone_may_change():
    """What follows from the pooled channels is said once these are."""
    net, keep = unread(lively(SPECS["gpool"]).eval())
    others, pooled = groups(net)
    only_pooled = narrowed(net, [np.arange(others.channels), keep[1]])
    assert (only_pooled.spec.blocks[0].size, only_pooled.spec.blocks[0].inner) == (others.channels, len(keep[1]))
    assert narrowed(net, [np.arange(g.channels) for g in (others, pooled)]).spec == net.spec


def test_what_cannot_be_cut():
    net = lively(SPECS["bottleneck"])
    whole = [np.arange(group.channels) for group in groups(net)]
    with pytest.raises(ValueError, match="block 1: its inner layers must stay equally wide"):
        narrowed(net, [whole[0][:4], *whole[1:]])
    for wrong in (whole[0][:0], whole[0][::-1], whole[0] + 1):
        with pytest.raises(ValueError, match="block 1: expected channels of 0 to 7, ascending"):
            narrowed(net, [wrong, *whole[1:]])


@pytest.mark.parametrize("name", ["gpool", "inverted"])
def test_every_form_takes_it(name, tmp_path):
    """OpenVINO's answers and integers are those of the module, and a shipped one plays."""
    made = narrowed(*unread(lively(SPECS[name]).eval()))
    planes, globals_ = (x.numpy() for x in positions(made.spec, 4, 9))
    weights_file.save(tmp_path / "net.safetensors", made, made.spec)
    net, meta = weights_file.load_module(tmp_path / "net.safetensors")
    compiled = core().compile_model(export.openvino_model(net, meta), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    with torch.no_grad():
        expected = made(torch.from_numpy(planes), torch.from_numpy(globals_)).policy.numpy()
    np.testing.assert_allclose(compiled([planes, globals_])["policy"], expected, atol=1e-3)
    prepared = quantize.prepare(net)
    quantize.calibrate(prepared, [(planes, globals_)])
    rounded = core().compile_model(export.int8_model(prepared.eval(), meta), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = rounded([planes, globals_])["policy"]
    assert 0 < np.abs(found - expected).mean() < 0.1 * expected.std()


@pytest.mark.slow
def test_onnx_takes_it(tmp_path):
    pytest.importorskip("onnxscript")
    made = narrowed(*unread(lively(SPECS["gpool"]).eval()))
    export.export_onnx(made, weights_file.Meta(made.spec, 0, {}, {}, ""), tmp_path / "net.onnx")
    planes, globals_ = positions(made.spec, 3, 7)
    compiled = core().compile_model(tmp_path / "net.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    with torch.no_grad():
        expected = made(planes, globals_).policy.numpy()
    np.testing.assert_allclose(compiled([planes.numpy(), globals_.numpy()])["policy"], expected, atol=1e-3)


def test_a_file_that_says_other_widths(tmp_path):
    net = lively(tiny(("residual", {"kind": "gpool", "size": 7, "inner": 4})))
    with pytest.raises(WeightsError, match=r"trunk.blocks.1.*block 2 of the spec is g8i4, of c16:rg8i4"):
        weights_file.save(tmp_path / "net.safetensors", net, tiny(("residual", {"kind": "gpool", "size": 8, "inner": 4})))


@pytest.mark.parametrize("device", ["cpu", "torch-cpu"])
def test_a_card_that_says_other_widths(tmp_path, device):
    folder = tmp_path / "narrow"
    net = lively(tiny(({"kind": "residual", "size": 7},)))
    weights_file.save(tmp_path / "net.safetensors", net, net.spec)
    ship.ship(tmp_path / "net.safetensors", folder, {"sizes": [9]})
    load(folder, device=device).close()
    card = folder / FILE
    card.write_text(card.read_text().replace('"size": 7', '"size": 8'))
    with pytest.raises(EvaluatorError, match=r"another net than its card says \(block 1 is r7, not r8\)"):
        load(folder, device=device)


def test_where_specs_differ():
    one = tiny(("residual", "gpool"))
    assert difference(one, one) == ""
    assert difference(one, tiny(("residual",))) == "it has 2 blocks, not 1"
    assert difference(one, tiny(("residual", {"kind": "gpool", "inner": 3}))) == "block 2 is g, not gi3"
    assert difference(one, tiny(("residual", {"kind": "gpool", "width": 20}))) == "block 2 gives 16 channels, not 20"
    assert difference(one, tiny(("residual", "gpool"), norm="fixed")) == "norm is 'batch', not 'fixed'"


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({"kind": "residual", "inner": 4}, "inner"),
        ({"kind": "inverted", "inner": 4, "k": 2}, "not both"),
        ({"kind": "gpool", "inner": 0, "size": -1}, "size"),
        ({"kind": "gpool", "inner": 5000}, "pooled channels"),
        ({"kind": "gpool", "inside": 5}, "width, size, k and inner"),
    ],
)
def test_wrong_widths(block, said):
    with pytest.raises(NetSpecError, match=said):
        BlockSpec.from_json(block)


def test_pooled_channels_leave_some():
    with pytest.raises(NetSpecError, match=r"pooled channels: expected fewer than channels \(16\), got 16 \(block 1"):
        tiny(({"kind": "gpool", "inner": 16},))
    assert tiny(({"kind": "gpool", "inner": 16, "size": 4},)).blocks[0].inner == 16
