"""Silent units of a value head: found, brought back without a change of what the net says, and able to learn."""

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from tests.nets.helpers import LEE, tiny
from training import cli
from training.core.checkpoint import RunError
from training.stages.revive import listen, revive

pytestmark = pytest.mark.usefixtures("one_thread")

SPEC = tiny(("residual", "gpool"))
SILENT = [1, 4, 5, 11]


def inputs(count=64, seed=1):
    random = np.random.default_rng(seed)
    planes = (random.random((count, SPEC.planes, 9, 9)) < 0.3).astype(np.float32)
    planes[:, 0] = 1
    return planes, random.normal(size=(count, SPEC.globals)).astype(np.float32)


def silenced(spec):
    """A net with four units that no position wakes."""
    made = build(spec, 1).eval()
    with torch.no_grad():
        made.value.hidden.bias += 1.0
        made.value.hidden.bias[SILENT] = -1000
        made.value.outputs.weight.normal_(generator=torch.Generator().manual_seed(2))
    return made


@pytest.fixture
def net():
    return silenced(SPEC)


def test_silent_units_are_found(net):
    planes, values = inputs()
    heard = listen(net, [(planes[:20], values[:20]), (planes[20:], values[20:])])
    assert heard.inputs.shape == (64, 24) and heard.outputs.shape == (64, 12)
    assert heard.silent.nonzero().flatten().tolist() == SILENT


def test_a_revived_net_says_the_same_and_every_unit_learns(net):
    batch = inputs()
    answers = net(*map(torch.from_numpy, batch))
    assert revive(net, listen(net, [batch])) == len(SILENT)
    for was, now in zip(answers, net(*map(torch.from_numpy, batch)), strict=True):
        assert torch.equal(was, now)
    after = listen(net, [batch])
    assert not after.silent.any()
    fires = (after.outputs[:, SILENT] > 0).float().mean(dim=0)
    assert (fires > 0.1).all() and (fires < 0.9).all()
    net(*map(torch.from_numpy, batch)).value.sum().backward()
    assert (net.value.outputs.weight.grad[0] != 0).all()


def test_training_gives_silent_units_a_gradient_and_changes_no_answer():
    made = silenced(tiny(("residual",), norm="fixed"))  # which keeps no statistics, so both modes compute the same
    batch = [torch.from_numpy(array) for array in inputs()]
    said = made.eval()(*batch)
    said.value.sum().backward()
    assert (made.value.hidden.weight.grad[SILENT] == 0).all()
    made.zero_grad()
    learning = made.train()(*batch)
    for was, now in zip(said, learning, strict=True):
        assert torch.equal(was, now)
    learning.value.sum().backward()
    assert (made.value.hidden.weight.grad[SILENT].abs().sum(dim=1) > 0).all()


@pytest.mark.parametrize(
    "spec", [tiny(("residual",), activation="silu"), tiny(("conv",), value_head="none", policy_head="placed", globals=0, **LEE)]
)
def test_nets_without_such_units(spec):
    with pytest.raises(RunError, match="this net has none"):
        listen(build(spec).eval(), [])


def test_no_positions(net):
    with pytest.raises(RunError, match="no positions"):
        listen(net, [])


def test_the_command(tmp_path, small_pack, capsys):
    zero = features.get("zero")
    small_pack.save(tmp_path / "games.npz")
    weights, out = tmp_path / "net.safetensors", tmp_path / "new.safetensors"
    old = silenced(parse("b2c16", zero.name, zero.planes, zero.globals))
    weights_file.save(weights, old, old.spec, step=7, config={"rate": 0.04}, data={"games": 3})
    command = [
        "revive",
        "--weights",
        str(weights),
        "--data",
        str(tmp_path / "games.npz"),
        "--out",
        str(out),
        "--positions",
        "64",
    ]
    assert cli.main([*command, "--positions", "64"]) == 0
    silent = int(capsys.readouterr().err.split(": ")[1].split(" of ")[0])
    assert silent >= len(SILENT)
    new = weights_file.load(out)
    assert new.meta.data == {"games": 3, "revived_from": weights_file.load(weights).meta.sha256}
    assert (new.arrays["value.outputs.weight"][:, SILENT] == 0).all()
