"""One tiny net for all tests of evaluators, in every form that is shipped."""

import pytest

from goengine.nets.spec import preset
from tests.evaluators.helpers import GLOBALS, PLANES

NAME = "tiny"


@pytest.fixture(scope="session")
def net_folder(tmp_path_factory):
    """The folder of a net with random weights: card, checkpoint and OpenVINO files."""
    import torch

    from goengine.nets import checkpoint, ship
    from goengine.nets.build import build

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("nets")
    spec = preset("b2c16", "zero", PLANES, GLOBALS)
    net = build(spec, seed=3)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():  # fresh branches are silent and fresh heads flat; a test wants every path to count
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    checkpoint.save(folder / "trained.safetensors", net, spec)
    results = {"description": "random weights", "command": "pytest", "proven": ["value"], "top1": 0.1}
    return ship.ship(folder / "trained.safetensors", folder / NAME, results)
