"""Heads that divide the board: their files, and OpenVINO's answers against torch's, on any board size."""

import numpy as np
import pytest
import torch

from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.graph import Graph
from goengine.evaluators.trunk_heads import TRUNK, trunk_alone, with_head
from goengine.nets import architecture, build, export, owners_head, weights_file
from goengine.nets.extent import extent_of
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.weights_file import Meta


def net(text="c16:rg"):
    return build.build(architecture.parse(text, "zero", 18, 14), 3).eval()


def trained(head):
    """The head with statistics and last layers that are no longer those of a fresh one."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for value in head.state_dict().values():
            if value.is_floating_point():
                value.add_(0.1 * torch.rand(value.shape, generator=generator) - 0.05)
    return head.eval()


def model_of(module):
    return export.openvino_model(module, Meta(module.spec, 0, {}, {}, "0" * 64))


def inputs(size, batch=3):
    random = np.random.default_rng(size)
    planes = (random.random((batch, 18, size, size)) < 0.3).astype(np.float32)
    planes[:, 0] = 1
    return planes, random.random((batch, 14)).astype(np.float32)


@pytest.mark.parametrize("text", ["b1c8:u12", "b1c8:v8"])
def test_openvino_answers_as_torch_does(text):
    module = net()
    head = trained(owners_head.build(owners_head.head_spec(text, module.spec), 1))
    joined = Graph(with_head(model_of(module), export.openvino_head(head)), 1, "f32")
    for size in (2, 5, 9, 19):
        planes, values = inputs(size)
        told = joined(planes, values)
        with torch.no_grad():
            tensor = torch.from_numpy(planes)
            seen = module.trunk(tensor, torch.from_numpy(values), extent_of(tensor, True))
            out = head(seen)
            whole = module(tensor, torch.from_numpy(values), True)
        points, stones = torch.softmax(out.points, 1).numpy(), torch.softmax(out.stones, 1).numpy()
        assert np.allclose(told["points"], points, atol=1e-4) and np.allclose(told["stones"], stones, atol=1e-4)
        assert np.allclose(told["ownership"], points[:, 0] - points[:, 1], atol=1e-4)
        assert np.allclose(told["policy"], whole.policy.numpy(), atol=1e-3)  # what the net says beside it is the same
        assert np.ptp(told["ownership"]) > 0.01


def test_the_trunk_alone():
    module = net()
    planes, values = inputs(7)
    told = Graph(trunk_alone(model_of(module)), 1, "f32")(planes, values)
    tensor = torch.from_numpy(planes)
    with torch.no_grad():
        seen = module.trunk(tensor, torch.from_numpy(values), extent_of(tensor, True))
    assert list(told) == [TRUNK] and np.allclose(told[TRUNK], seen.numpy(), atol=1e-4)


def test_a_head_of_another_trunk_is_refused():
    head = owners_head.build(owners_head.head_spec("b1c8:u8", net("c24:rg").spec), 1)
    with pytest.raises(EvaluatorError, match="reads 24 channels, the net's trunk has 16"):
        with_head(model_of(net()), export.openvino_head(head))


def test_a_net_without_owners_has_no_place_for_a_head():
    module = build.build(architecture.parse("b2c8/value-none", "zero", 18, 14), 1)
    with pytest.raises(EvaluatorError, match="trunk cannot be found"):
        trunk_alone(model_of(module))


def test_the_file_of_a_head(tmp_path):
    module = net()
    head = trained(owners_head.build(owners_head.head_spec("b1c8:u8", module.spec), 1))
    path, form = tmp_path / "head.safetensors", weights_file.OWNERS_FORMAT
    weights_file.save(path, head, head.spec, step=3, data={"net": "tiny"}, form=form)
    found = weights_file.load(path, form)
    assert found.meta.step == 3 and found.meta.data == {"net": "tiny"} and found.spec == head.spec
    assert np.array_equal(found.arrays["logits.weight"], head.logits.weight.detach().numpy())
    with pytest.raises(WeightsError, match="not a net of this project"):
        weights_file.load(path)
    weights_file.save(tmp_path / "net.safetensors", module, module.spec)
    with pytest.raises(WeightsError, match="not a head that divides the board"):
        weights_file.load(tmp_path / "net.safetensors", form)


def test_a_wrong_architecture_is_named():
    with pytest.raises(architecture.ArchitectureError, match="z"):
        owners_head.head_spec("b1c8:z", net().spec)
