"""A net that sees another feature set: what can be said of the new planes is said as before, and what cannot is refused."""

import dataclasses

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from tests.nets.helpers import LEE, lively, tiny
from training import cli
from training.core.checkpoint import RunError
from training.stages.restem import fit, restem

pytestmark = pytest.mark.usefixtures("one_thread")

SEEN = tiny(("residual", "gpool"))
SHOWN = 2 * SEEN.planes
NEW = dataclasses.replace(features.get("zero"), name="new", planes=SHOWN, globals=SEEN.globals)


def stored(spec):
    return weights_file.Checkpoint(spec, weights_file.arrays_of(lively(spec)), weights_file.Meta(spec, 0, {}, {}, ""))


def pairs(spec, count=40, seed=1):
    """Random positions, and the same shown by twice as many planes: mixtures of the old ones, and noise."""
    random = np.random.default_rng(seed)
    planes = (random.random((count, spec.planes, 7, 7)) < 0.3).astype(np.float32)
    planes[:, 0] = 1
    values = random.normal(size=(count, spec.globals)).astype(np.float32)
    noise = random.random((count, SHOWN - spec.planes, 7, 7))
    mixed = np.concatenate((planes[:, :1], planes[:, :0:-1], noise), axis=1)
    return (planes, values), (mixed.astype(np.float32), values)


@pytest.mark.parametrize("changes", [{}, {"norm": "fixed"}, {"stem_norm": False}, {"globals": 0}])
def test_planes_that_tell_as_much_are_understood_at_once(changes):
    old = stored(tiny(("residual", "gpool"), **changes))
    new = dataclasses.replace(NEW, globals=old.spec.globals)
    fitted = fit(old.module().eval(), new, [pairs(old.spec, seed=1), pairs(old.spec, seed=2)])
    net = restem(old, new, fitted).eval()
    assert (net.spec.features, net.spec.planes, net.spec.globals) == ("new", SHOWN, old.spec.globals)
    assert fitted.explained > 0.999
    (planes, values), (mixed, _) = pairs(old.spec, seed=3)
    with torch.no_grad():
        before = old.module().eval()(torch.from_numpy(planes), torch.from_numpy(values))
        after = net(torch.from_numpy(mixed), torch.from_numpy(values))
    assert before.policy.std() > 0.1
    for was, now in zip(before, after, strict=True):
        torch.testing.assert_close(now, was, rtol=0.02, atol=0.02)


def test_in_training_the_normalisation_hears_what_it_expects():
    old = stored(SEEN)
    net = restem(old, NEW, fit(old.module().eval(), NEW, [pairs(SEEN, 200)]))
    _, (mixed, values) = pairs(SEEN, 200)
    mean, variance = net.trunk.stem.norm.running_mean.clone(), net.trunk.stem.norm.running_var.clone()
    net.train()(torch.from_numpy(mixed), torch.from_numpy(values))
    torch.testing.assert_close(net.trunk.stem.norm.running_mean, mean, rtol=0.01, atol=0.01)
    torch.testing.assert_close(net.trunk.stem.norm.running_var, variance, rtol=0.01, atol=0.01)


def test_what_is_not_shown_is_lost():
    old = stored(SEEN)
    (seen, _), (mixed, values) = pairs(SEEN)
    blind = mixed.copy()
    blind[:, 1 : SEEN.planes] = 0  # the noise stays
    fitted = fit(old.module().eval(), NEW, [((seen, values), (blind, values))])
    assert fitted.explained < 0.9


@pytest.mark.parametrize(("heads", "kept"), [("policy", {"policy", "opponent"}), ("value", {"value", "score", "ownership"})])
def test_one_head_can_be_left_out(heads, kept):
    old = stored(SEEN)
    net = restem(old, NEW, fit(old.module().eval(), NEW, [pairs(SEEN)]), heads)
    assert net.spec.outputs == kept
    for name, value in net.state_dict().items():
        if not name.startswith("trunk.stem") and name != "trunk.globals.weight":
            np.testing.assert_array_equal(value.numpy(), old.arrays[name])


def test_what_cannot_be_done_is_said():
    fixed = stored(tiny(("conv",), norm="layer"))
    fitted = fit(fixed.module().eval(), NEW, [pairs(fixed.spec)])
    with pytest.raises(RunError, match="cannot be fitted"):
        restem(fixed, NEW, fitted)
    with pytest.raises(RunError, match="no positions"):
        fit(build(SEEN).eval(), NEW, [])
    policy = stored(tiny(("conv",), policy_head="placed", value_head="none", **LEE))
    with pytest.raises(RunError, match="--heads value"):
        restem(policy, NEW, fit(policy.module().eval(), NEW, [pairs(policy.spec)]), "value")


def test_the_command(tmp_path, small_pack, capsys):
    zero = features.get("zero")
    small_pack.save(tmp_path / "games.npz")
    weights, out = tmp_path / "net.safetensors", tmp_path / "new.safetensors"
    old = lively(parse("b2c16", zero.name, zero.planes, zero.globals))
    weights_file.save(weights, old, old.spec, step=7, config={"rate": 0.04}, data={"games": 3})
    command = ["restem", "--weights", str(weights), "--data", str(tmp_path / "games.npz"), "--out", str(out)]
    assert cli.main([*command, "--features", "lee48", "--heads", "policy", "--positions", "256"]) == 0
    share = float(capsys.readouterr().err.split("it explains ")[1].split("%")[0])
    net, meta = weights_file.load_module(out)
    assert (net.spec.features, net.spec.planes, net.spec.globals) == ("lee48", 48, 0)
    assert net.spec.outputs == {"policy", "opponent"} and meta.data["explained"] == pytest.approx(share / 100, abs=1e-3)
    assert 50 < share <= 100 and meta.step == 7 and meta.data["games"] == 3
    assert cli.main([*command, "--features", "lee99"]) == 1
    assert "lee99" in capsys.readouterr().err
