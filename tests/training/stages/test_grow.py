"""Growing: a deeper net that plays as before and can be trained on, what cannot grow, and the command."""

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from tests.nets.helpers import lively, padded, positions, tiny
from training import cli
from training.core.checkpoint import RunError
from training.stages.grow import deepen

pytestmark = pytest.mark.usefixtures("one_thread")

ZERO = features.get("zero")
OLD = ("residual", "gpool")
NEW = ("residual", "gpool", "bottleneck", "nested", "dilated", "down_up", "down_up_linear")  # what normalises last
SILENT = (*NEW, "inverted", "squeeze")  # every kind that can stand behind


def stored(spec, seed=1):
    """A trained net as a file brings it."""
    return weights_file.Checkpoint(spec, weights_file.arrays_of(lively(spec, seed)), weights_file.Meta(spec, 0, {}, {}, ""))


def assert_same(one, other):
    for name, a, b in zip(one._fields, one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("kind", SILENT)
def test_a_grown_net_answers_as_before(kind, training):
    old = stored(tiny(OLD))
    grown, before = deepen(old, tiny((*OLD, kind, kind))).train(training), old.module().train(training)
    assert grown.spec == tiny((*OLD, kind, kind))
    planes, globals_ = positions(old.spec, 8, 9, 50)
    with torch.no_grad():
        assert_same(grown(planes, globals_), before(planes, globals_))
        assert_same(grown(padded(planes, 13), globals_), before(padded(planes, 13), globals_))
    # the heads differ between seeds, so the comparison can fail
    assert not torch.allclose(before(planes, globals_).policy, stored(old.spec, 2).module()(planes, globals_).policy, atol=0.1)


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        (("preact",), ("preact_gpool", "transformer", "inverted", "squeeze"), {}),
        (("transformer", "dense"), ("preact", "transformer"), {"activation": "silu"}),
        (("residual", "conv"), ("inverted", "squeeze"), {"activation": "mish"}),
        (OLD, NEW, {"norm": "group", "squeeze": 4}),
        (OLD, NEW, {"norm": "fixed"}),
    ],
)
def test_other_nets_grow(old, new, more):
    before = stored(tiny(old, **more))
    grown, given = deepen(before, tiny((*old, *new), **more)).eval(), positions(before.spec, 8, 9, 50)
    with torch.no_grad():
        assert_same(grown(*given), before.module()(*given))


def test_the_new_blocks_learn():
    net = deepen(stored(tiny(OLD)), tiny((*OLD, *NEW)))
    assert net.training
    blocks, given = net.trunk.blocks[len(OLD) :], positions(net.spec, 8, 9)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)

    def moved():
        """Names of the new blocks' parameters that a step moves."""
        answer = net(*given)
        optimizer.zero_grad()
        (answer.policy.softmax(1)[:, 0].mean() + answer.value.square().mean()).backward()
        optimizer.step()
        return {name for name, parameter in blocks.named_parameters() if bool(parameter.grad.abs().sum() > 0)}

    # what stands before a silent layer has to wait until that one has moved
    assert moved() == {f"{i}.last.norm.{name}" for i in range(len(NEW)) for name in ("weight", "bias")}
    assert moved() == {name for name, _ in blocks.named_parameters()}


def test_the_seed_is_that_of_the_new_blocks():
    old = stored(tiny(OLD))
    one, same, other = (weights_file.arrays_of(deepen(old, tiny((*OLD, "residual")), seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(one[name], array) for name, array in same.items())
    changed = {name for name, array in other.items() if not np.array_equal(one[name], array)}
    assert changed and all(name.startswith("trunk.blocks.2.") for name in changed)


@pytest.mark.parametrize(
    "old, new, said",
    [
        (tiny(OLD), tiny((*OLD, "residual"), channels=24), "grows in depth only"),
        (tiny(OLD), tiny((*OLD, "residual"), features="other"), "grows in depth only"),
        (tiny(OLD), tiny(("gpool", *OLD)), "stand behind the old ones"),
        (tiny(OLD), tiny(("residual",)), "stand behind the old ones"),
        (tiny(("preact",)), tiny(("preact", "residual")), "may be negative"),
        (tiny(("inverted",)), tiny(("inverted", "nested")), "may be negative"),
        (tiny(OLD), tiny((*OLD, "preact_gpool")), "a last normalisation"),
        (tiny(OLD), tiny((*OLD, "transformer")), "a last normalisation"),
        (tiny(("conv",)), tiny(("conv", "conv")), "no branch"),
        (tiny(OLD), tiny((*OLD, "dense")), "block 3 of c16:rge/pool6/hidden12 is no branch"),
        (tiny(OLD), tiny((*OLD, {"kind": "residual", "width": 24})), "another width"),
        (tiny(OLD, activation="silu"), tiny((*OLD, "residual"), activation="silu"), "ends with silu"),
    ],
)
def test_what_cannot_grow(old, new, said):
    with pytest.raises(RunError, match=said):
        deepen(stored(old), new)


@pytest.fixture
def weights(tmp_path):
    spec = parse("b4c64", ZERO.name, ZERO.planes, ZERO.globals)
    weights_file.save(tmp_path / "old.safetensors", lively(spec), spec, step=7, config={"rate": 0.04}, data={"games": 3})
    return tmp_path / "old.safetensors"


def test_the_command_grows_a_file(weights, capsys):
    out = weights.parent / "new.safetensors"
    assert cli.main(["grow", "--weights", str(weights), "--net", "b6c64", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "4 blocks became 6" in said.err and said.out == ""
    old, new = weights_file.load(weights), weights_file.load(out)
    assert new.spec == parse("b6c64", ZERO.name, ZERO.planes, ZERO.globals)
    assert (new.meta.step, new.meta.config) == (7, {"rate": 0.04})
    assert new.meta.data == {"games": 3, "grown_from": old.meta.sha256}
    given = positions(old.spec, 2, 9)
    with torch.no_grad():
        assert_same(new.module()(*given), old.module()(*given))


def test_the_command_refuses_another_width(weights, capsys):
    out = weights.parent / "new.safetensors"
    assert cli.main(["grow", "--weights", str(weights), "--net", "b6c96", "--out", str(out)]) == 1
    assert "grows in depth only" in capsys.readouterr().err and not out.exists()


def test_wrong_options(weights, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["grow", "--weights", str(weights), "--net", "b9000", "--out", "new.safetensors"])
    assert stop.value.code == 2 and "--net b9000: at character 2" in capsys.readouterr().err
