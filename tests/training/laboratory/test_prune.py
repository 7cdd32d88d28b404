"""Pruning: channels go where they matter least, what stays computes as before, and both experiments run, stop and go on."""

import json
import shutil

import numpy as np
import pytest
import torch

from goengine import features
from goengine.nets import architecture, weights_file
from goengine.nets.architecture import parse
from goengine.nets.narrow import groups
from tests.nets.helpers import SPECS, lively, positions
from training import cli
from training.laboratory import channels
from training.stages import pruned, taylor

pytestmark = pytest.mark.usefixtures("one_thread")
ZERO = features.get("zero")


@pytest.fixture
def stored(small_pack, tmp_path):
    small_pack.save(tmp_path / "small.npz")
    spec = parse("c16:rg", ZERO.name, ZERO.planes, ZERO.globals)
    weights_file.save(tmp_path / "whole.safetensors", lively(spec), spec, step=7)
    return tmp_path


def arguments(stored, run, *more):
    settings = {
        "--data": stored / "small.npz", "--validation": stored / "small.npz", "--run": stored / run, "--batch": 16,
        "--threads": 1, "--weights": stored / "whole.safetensors", "--validation-positions": 64, "--steps": 2,
        "--scored": 32, "--chunk": 2, "--timed-size": 5, "--timed-batch": 1,
    }  # fmt: skip
    return ["prune", *(str(part) for pair in settings.items() for part in pair), *more]


@pytest.mark.parametrize("kind", ["residual", "gpool", "bottleneck", "inverted", "transformer", "preact_gpool"])
def test_importance_is_what_cutting_a_channel_changes(kind):
    """A channel that is 0 has none, and a faint one what the loss changes without it, to first order."""
    spec = SPECS[kind]
    net = lively(spec).eval()
    given = dict(zip(("planes", "globals"), positions(spec, 6, 9), strict=True))

    def loss(module, batch):
        return module(batch["planes"], batch["globals"], True).policy[:, 3].mean()

    found = groups(net)
    with torch.no_grad():
        for group in found:  # the first channel of each group is never read
            layer = net.get_submodule(group.seen)
            weight = getattr(layer, "conv", layer).weight
            weight[:, :: group.channels] = 0
            weight[:, 1 :: group.channels] *= 1e-3
    importance = taylor.importances(net, [given], loss)
    assert [len(part) for part in importance] == [group.channels for group in found]
    whole = net(given["planes"], given["globals"], True).policy[:, 3].double()
    for group, part in zip(found, importance, strict=True):
        assert part[0] == 0 and part[1] > 0 and part[2] > part[1]
        layer = net.get_submodule(group.seen)
        weight = getattr(layer, "conv", layer).weight
        with torch.no_grad():
            kept = weight.clone()
            weight[:, 1 :: group.channels] = 0
            moved = net(given["planes"], given["globals"], True).policy[:, 3].double() - whole
            weight.copy_(kept)
        assert part[1] == pytest.approx(float(moved.square().mean()), rel=0.1)


def test_chunks_go_that_matter_least_for_their_weights():
    net = lively(SPECS["mixed"]).eval()
    found = groups(net)
    rng = np.random.default_rng(1)
    importance = [rng.random(group.channels) + 1.0 for group in found]
    importance[0][[3, 5]] = 0.0
    keep = taylor.chosen(found, importance, 1e-9, 2)
    assert [int(n) for n in np.setdiff1d(np.arange(found[0].channels), keep[0])] == [3, 5]
    assert all(len(kept) == group.channels for kept, group in zip(keep[1:], found[1:], strict=True))
    keep = taylor.chosen(found, importance, 0.5, 3)
    before, after = (sum(len(k) * g.weights for k, g in zip(kept, found, strict=True)) for kept in (importance, keep))
    assert 0.4 * before < after <= 0.5 * before
    for group, kept in zip(found, keep, strict=True):
        assert len(kept) == group.channels or len(kept) % 3 == 0
    keep = taylor.chosen(found, importance, 1.0, 3)
    assert {len(kept) for kept in keep} <= {3, 2} or all(len(kept) for kept in keep)  # never none at all


def test_small_weights():
    net = lively(SPECS["residual"]).eval()
    masks = pruned.small_weights(net, 1.0)
    name = "trunk.blocks.0.first.conv.weight"
    weight = net.get_parameter(name).detach().numpy()
    assert (masks[name] == (np.abs(weight) >= weight.std())).all() and "trunk.blocks.0.first.norm.weight" not in masks
    shares = pruned.shares_removed(masks)
    assert shares["all"] == pytest.approx(0.68, abs=0.08) and shares["trunk.blocks.0.first.conv"] == pytest.approx(
        1 - masks[name].mean()
    )
    spared = pruned.small_weights(net, 1.0, net.get_parameter(name).numel())
    assert name in spared and set(spared) < set(masks) and all(net.get_parameter(n).numel() >= 2304 for n in spared)


def test_cut_weights_stay_cut(stored, capsys):
    assert (
        cli.main(arguments(stored, "run", "--alphas", "0.5", "2.6", "--steps", "3", "--average", "0.5", "--spared", "0")) == 0
    )
    said = capsys.readouterr().out
    assert "48.9 %" in said and "87.08 %" in said and "trunk.blocks.0.first.conv" in said
    masks = pruned.small_weights(weights_file.load(stored / "whole.safetensors").module(), 2.6)
    after = weights_file.load(stored / "run/alpha-2.6/net.safetensors").module()
    before = weights_file.load(stored / "whole.safetensors").module()
    for name, mask in masks.items():
        weight = after.get_parameter(name).detach().numpy()
        assert (weight[mask == 0] == 0).all()
    name = "trunk.blocks.0.first.conv.weight"
    kept = masks[name] == 1
    moved = (after.get_parameter(name) - before.get_parameter(name)).detach().numpy()[kept]
    assert kept.any() and np.abs(moved).max() > 0  # what is left has been trained
    result = json.loads((stored / "run/alpha-2.6/result.json").read_text())
    assert result["samples"] == 48 and {"top1", "value_mse"} <= result["before"].keys()


def test_a_family(stored, capsys, monkeypatch):
    """Two nets, one after the other from the same; shares of time are told by weights here, since a clock is no test."""
    size = {}

    def by_weights(self, net, folder):
        size.setdefault("whole", sum(p.numel() for p in self.whole.trunk.blocks.parameters()))
        return sum(p.numel() for p in net.trunk.blocks.parameters()) / size["whole"]

    monkeypatch.setattr(channels._Family, "share_of_time", by_weights)
    asked = arguments(stored, "run", "--shares", "0.5", "0.8", "--cut", "0.3", "--finish", "1", "--compare", "alone")
    assert cli.main(asked) == 0
    first = capsys.readouterr().out
    lines = [line.split() for line in first.splitlines()[2:]]
    assert [line[:2] for line in lines if line[0] == "from"] == [["from", "scratch,"]] * 2
    texts = [line[0] for line in lines if line[0].startswith("c16")]
    assert len(texts) == 2 and texts[0] != texts[1]
    for share, text in zip(("0.8", "0.5"), texts, strict=True):
        checkpoint = weights_file.load(stored / f"run/share-{share}/net.safetensors")
        assert architecture.to_text(checkpoint.spec) == text
        assert checkpoint.meta.data["pruned_from"] == weights_file.load(stored / "whole.safetensors").meta.sha256
        scratch = weights_file.load(stored / f"run/share-{share}/scratch-alone/net.safetensors")
        assert scratch.spec == checkpoint.spec
    # the same command tells the same again, and a round that is gone is made again from the one before
    assert cli.main(asked) == 0 and capsys.readouterr().out == first
    shutil.rmtree(stored / "run/round-002")
    assert cli.main(asked) == 0 and capsys.readouterr().out == first


def test_what_time_is_asked_for(stored, capsys):
    assert cli.main(arguments(stored, "run", "--milliseconds", "100000")) == 1
    assert "--milliseconds 100000: the net takes" in capsys.readouterr().err


def test_nothing_is_left_to_cut(stored, capsys, monkeypatch):
    monkeypatch.setattr(channels._Family, "share_of_time", lambda *_: 1.0)
    assert cli.main(arguments(stored, "run", "--shares", "0.1", "--cut", "0.9", "--chunk", "64")) == 1
    assert "nothing more can be cut" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--alphas", "0"], "--alphas 0: expected deviations above 0"),
        (["--alphas", "0.5", "11"], "--alphas 11: expected"),
        (["--alphas", "0.5", "0.5"], "twice"),
        (["--alphas", "nan"], "--alphas"),
        (["--shares", "1"], "--shares 1: a share"),
        (["--shares", "0.5", "--alphas", "1"], "given: --alphas, --shares"),
        ([], "given: none"),
        (["--shares", "0.5", "--cut", "0"], "--cut 0"),
        (["--shares", "0.5", "--budget", "5m"], "has no --budget"),
    ],
)
def test_wrong_options(stored, more, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments(stored, "run", *more))
    assert stop.value.code == 2 and said in capsys.readouterr().err


def test_a_net_without_inner_channels(stored, capsys):
    spec = parse("c16:cc", ZERO.name, ZERO.planes, ZERO.globals)
    weights_file.save(stored / "whole.safetensors", lively(spec), spec)
    assert cli.main(arguments(stored, "run", "--shares", "0.5")) == 1
    assert "no block of b2c16:c has inner channels" in capsys.readouterr().err
