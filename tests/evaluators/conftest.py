"""One tiny net for all tests of evaluators, in every form that is shipped."""

import pytest

from goengine.nets import card as cards
from goengine.nets.spec import preset
from tests.evaluators.helpers import GLOBALS, PLANES

NAME = "tiny"


@pytest.fixture(scope="session")
def net_folder(tmp_path_factory):
    """The folder of a net with random weights: card, checkpoint and OpenVINO files."""
    import torch

    from goengine.nets import checkpoint
    from goengine.nets.build import build

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("nets") / NAME
    folder.mkdir()
    spec = preset("b2c16", "zero", PLANES, GLOBALS)
    net = build(spec, seed=3)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():  # fresh branches are silent and fresh heads flat; a test wants every path to count
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    checkpoint.save(folder / "net.safetensors", net, spec)
    _export(checkpoint.load(folder / "net.safetensors").module(), folder)
    cards.write(
        folder,
        cards.Card(
            name=NAME,
            description="random weights",
            spec=spec,
            data="none",
            command="pytest",
            accuracy={"top1": 0.0},
            proven=("value",),
            files={},
        ),
    )
    return folder


def _export(net, folder):
    import openvino as ov
    import torch

    class Played(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, planes, values):
            out = self.net(planes, values, True)
            return out.policy, torch.tanh(out.value / 2), out.score, out.score_stdev, out.ownership.flatten(1)

    model = ov.convert_model(Played().eval(), example_input=(torch.ones(2, PLANES, 9, 9), torch.zeros(2, GLOBALS)))
    for port, name in zip(model.inputs, ("planes", "globals"), strict=True):
        port.get_tensor().set_names({name})
    for port, name in zip(model.outputs, ("policy", "value", "score", "score_stdev", "ownership"), strict=True):
        port.get_tensor().set_names({name})
    model.reshape({"planes": [-1, PLANES, -1, -1], "globals": [-1, GLOBALS]})
    model.set_rt_info(net.spec.to_json(), ["goengine", "spec"])
    ov.save_model(model, folder / f"{NAME}.xml", compress_to_fp16=False)
