"""Tiny nets for all tests of evaluators, in every form that is shipped."""

import pytest

from goengine.nets.architecture import parse
from tests.evaluators.helpers import GLOBALS, PLANES

NAME = "tiny"


@pytest.fixture(scope="session")
def net_folder(tmp_path_factory):
    """The folder of a net with random weights: card, checkpoint and OpenVINO files."""
    return shipped(tmp_path_factory.mktemp("nets"), "b2c16", NAME)


@pytest.fixture(scope="session")
def net_folders(net_folder, tmp_path_factory):
    """By name of a preset, folders of nets with both heads and with only one."""
    folder = tmp_path_factory.mktemp("heads")
    return {"b2c16": net_folder, **{name: shipped(folder, name, name) for name in ("lee-policy-8", "lee-value-8")}}


def shipped(folder, net, name, features=("zero", PLANES, GLOBALS), sizes=(9, 19)):
    """Ships a net with random weights, a preset's or a text's, as `name`. ``features``: with their planes and globals."""
    import torch

    from goengine.nets import ship, weights_file
    from goengine.nets.build import build

    torch.set_num_threads(1)
    spec = parse(net, *features)
    net = build(spec, seed=3)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():  # fresh branches are silent and fresh heads flat; a test wants every path to count
        for parameter in net.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    weights_file.save(folder / "trained.safetensors", net, spec)
    results = {"description": "random weights", "command": "pytest", "proven": ["value"], "sizes": [*sizes], "top1": 0.1}
    return ship.ship(folder / "trained.safetensors", folder / name, results)
