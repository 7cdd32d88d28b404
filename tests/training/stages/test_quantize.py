"""Training with roundings: it comes nearer to the net as it was, its file brings the steps, and shipping takes it."""

import json

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import card, quantize, weights_file
from goengine.nets.architecture import parse
from tests.nets.helpers import lively, positions
from training import cli
from training.stages.distillation import divergence

ZERO = features.get("zero")


@pytest.fixture
def stored(small_pack, tmp_path):
    small_pack.save(tmp_path / "small.npz")
    spec = parse("b2c16", ZERO.name, ZERO.planes, ZERO.globals)
    net = lively(spec)
    with torch.no_grad():  # opinions, as a trained net has them
        net.policy.logits.weight *= 20
    weights_file.save(tmp_path / "float.safetensors", net, spec, step=7)
    return tmp_path


def arguments(stored, run, *more):
    settings = {
        "--data": stored / "small.npz", "--run": stored / run, "--batch": 16, "--threads": 1, "--calibration": 32,
        "--weights": stored / "float.safetensors",
    }  # fmt: skip
    return ["quantize", *(str(part) for pair in settings.items() for part in pair), *more]


def test_training_makes_up_for_coarse_steps(stored):
    net = weights_file.load(stored / "float.safetensors").module()
    rounded, (planes, values) = quantize.prepare(net), positions(net.spec, 32, 7)
    quantize.calibrate(rounded, [(planes.numpy(), values.numpy())])
    quantize.set_steps(rounded, {place: [8 * step, zero] for place, (step, zero) in quantize.steps(rounded).items()})
    told, optimizer, seen = net(planes, values).policy.detach(), torch.optim.AdamW(rounded.parameters(), 1e-4), []
    for _ in range(30):
        loss = divergence(rounded(planes, values).policy, told).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(float(loss.detach()))
    assert max(seen[-5:]) < 0.8 * seen[0]


@pytest.mark.slow
def test_a_rounding_net_is_trained_and_shipped(stored, capsys):
    assert cli.main(arguments(stored, "run", "--steps", "30")) == 0
    net, meta = quantize.from_file(stored / "run" / "net.safetensors")
    assert meta.data["quantized_from"] == weights_file.load(stored / "float.safetensors").meta.sha256
    assert len(quantize.steps(net)) == 4
    # a run that goes on has the steps that it began with
    assert cli.main(arguments(stored, "run", "--steps", "31")) == 0
    again, _ = quantize.from_file(stored / "run" / "net.safetensors")
    assert quantize.steps(again) == quantize.steps(net)
    shipped = ["ship", "--name", "tiny", "--games", str(stored / "small.npz"), "--folder", str(stored), "--positions", "50"]
    more = ["--int8", str(stored / "run" / "net.safetensors"), "--sizes", "7", "--threads", "1"]
    capsys.readouterr()
    assert cli.main([*shipped, "--weights", str(stored / "float.safetensors"), *more]) == 0
    told = json.loads(capsys.readouterr().out)
    assert 0 <= told["same_move_int8"] <= 1 and told["same_move"] >= 0.9 and told["win_rate_off_int8"] < 0.2
    assert told["reliability"]["all"]["error"] >= 0 and (stored / "tiny" / "reliability.svg").exists()
    assert "tiny-int8.xml" in card.read(stored / "tiny").files
    assert cli.main([*shipped, "--weights", str(stored / "run" / "net.safetensors"), *more]) == 1
    assert "was not made from" in capsys.readouterr().err


@pytest.mark.slow
def test_no_int8_form_unless_asked_for(stored, capsys):
    shipped = ["ship", "--name", "tiny", "--games", str(stored / "small.npz"), "--folder", str(stored), "--positions", "20"]
    weights = ["--weights", str(stored / "float.safetensors"), "--sizes", "7", "--threads", "1"]
    assert cli.main([*shipped, *weights]) == 0
    assert "tiny-int8.xml" not in card.read(stored / "tiny").files
    assert cli.main([*shipped, *weights, "--calibration-games", str(stored / "small.npz"), "--calibration", "32"]) == 0
    assert "tiny-int8.xml" in card.read(stored / "tiny").files
    capsys.readouterr()


def test_what_rounds_already_is_refused(stored, capsys):
    assert cli.main(arguments(stored, "run", "--steps", "1")) == 0
    again = arguments(stored, "next", "--steps", "1", "--weights", str(stored / "run" / "net.safetensors"))
    assert cli.main(again) == 1
    assert "rounds already" in capsys.readouterr().err


def test_a_run_keeps_to_its_net(stored, capsys):
    assert cli.main(arguments(stored, "run", "--steps", "1")) == 0
    spec = parse("b2c16", ZERO.name, ZERO.planes, ZERO.globals)
    weights_file.save(stored / "float.safetensors", lively(spec, 5), spec)
    assert cli.main(arguments(stored, "run", "--steps", "2")) == 1
    assert "take another --run folder" in capsys.readouterr().err


def test_arrays_are_those_of_the_spec(stored):
    assert cli.main(arguments(stored, "run", "--steps", "1", "--rate", "0")) == 0
    before, after = (
        weights_file.load(path).module() for path in (stored / "float.safetensors", stored / "run/net.safetensors")
    )
    weight = (
        before.trunk.stem.conv.weight
        * (before.trunk.stem.norm.weight * (before.trunk.stem.norm.running_var + 1e-5) ** -0.5)[:, None, None, None]
    )
    assert np.allclose(weight.detach().numpy(), after.trunk.stem.conv.weight.detach().numpy(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    "more, said", [(["--calibration", "0"], "--calibration"), (["--trust", "2"], "--trust"), ([], "budget")]
)
def test_wrong_options(stored, more, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments(stored, "run", *more))
    assert stop.value.code == 2 and said in capsys.readouterr().err
