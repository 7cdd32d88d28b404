"""A ranked net answers for the ranks that it is told; before training it is the net that it was grown from."""

import numpy as np
import pytest
import torch

from goengine import features
from goengine.board import coords
from goengine.board.position import Position
from goengine.evaluators import shipped_nets
from goengine.evaluators.base import NOT_CACHED, Batch, EvaluatorError
from goengine.evaluators.cache import Cache
from goengine.evaluators.load import load
from goengine.evaluators.ranked import Ranked, RankedPolicy, as_ranks
from goengine.nets import architecture, build, weights_file
from training.core.checkpoint import RunError
from training.stages.grow import deepen, widen


@pytest.fixture(scope="module")
def positions() -> list[Position]:
    found = []
    position = Position(9)
    for vertex in ("E5", "C3", "G7", "pass", "D4"):
        position.play(coords.from_gtp(vertex, 9))
        found.append(position.copy())
    return found


@pytest.fixture(scope="module")
def hearing(tmp_path_factory):
    """A net that hears ranks: grown, and with weights that are not zero."""
    folder = tmp_path_factory.mktemp("ranked")
    chosen = features.get("zero")
    fresh = build.build(architecture.parse("b2c16", "zero", chosen.planes, chosen.globals), 3)
    weights_file.save(folder / "old.safetensors", fresh, fresh.spec)
    net = widen(weights_file.load(folder / "old.safetensors"), features.get("zero_ranked"))
    weights_file.save(folder / "silent.safetensors", net, net.spec)
    net.trunk.globals.weight.data[:, 14:] = torch.randn((16, net.spec.globals - 14), generator=torch.Generator().manual_seed(1))
    weights_file.save(folder / "hearing.safetensors", net, net.spec)
    return folder


def test_a_grown_net_says_what_it_said(tmp_path, positions):
    old = weights_file.load(shipped_nets.place("b8c96-rl") / "net.safetensors")
    net = widen(old, features.get("zero_ranked"))
    weights_file.save(tmp_path / "net.safetensors", net, net.spec)
    ranked = RankedPolicy(tmp_path / "net.safetensors", device="torch-cpu", precision="f32")
    with load(shipped_nets.place("b8c96-rl") / "net.safetensors", device="torch-cpu", precision="f32") as plain:
        encoded = [features.get("zero").encode_one(p.game, p.code, 9) for p in positions]
        batch = Batch(np.stack([e[0] for e in encoded]), np.stack([e[1] for e in encoded]), np.full(5, NOT_CACHED))
        expected = plain.evaluate(batch)
    for rank in (-20.0, 9.0, None):
        found = ranked.evaluate(positions, rank, 3.0)
        assert np.allclose(found.policy, expected.policy, atol=1e-4) and np.allclose(found.value, expected.value, atol=1e-4)


def test_growth_needs_a_set_that_begins_with_the_old_one(tmp_path, hearing):
    old = weights_file.load(hearing / "silent.safetensors")
    with pytest.raises(RunError, match="must begin with what the net sees"):
        widen(old, features.get("zero"))
    with pytest.raises(RunError, match="must begin with what the net sees"):
        widen(weights_file.load(hearing / "old.safetensors"), features.get("lee48"))
    with pytest.raises(RunError):
        deepen(old, architecture.parse("b1c16", "zero_ranked", old.spec.planes, old.spec.globals))


def test_probabilities_are_of_legal_moves_and_depend_on_both_ranks(hearing, positions):
    policy = RankedPolicy(hearing / "hearing.safetensors", device="torch-cpu", precision="f32")
    found = policy.probabilities(positions, -10.0, 3.0)
    legal = np.stack([p.legal_mask() for p in positions])
    assert found.shape == (5, 82) and found.dtype == np.float32
    assert np.allclose(found.sum(1), 1, atol=1e-5) and (found[legal == 0] == 0).all() and (found[legal != 0] > 0).all()
    for other in ((3.0, 3.0), (-10.0, -10.0), (None, 3.0), (-10.0, None)):
        assert np.abs(policy.probabilities(positions, *other) - found).max() > 1e-4
    mixed = policy.probabilities(positions, [-10.0, 3.0, None, -10.0, 5.0], 3.0)
    assert np.allclose(mixed[[0, 3]], found[[0, 3]], atol=1e-5)
    many = policy.over_ranks(positions, [-10.0, 3.0], 3.0)
    assert many.shape == (5, 2, 82) and np.allclose(many[:, 0], found, atol=1e-5)
    assert np.allclose(many[:, 1], policy.probabilities(positions, 3.0, 3.0), atol=1e-5)


def test_a_search_evaluator_tells_the_same_ranks_with_every_row(hearing, positions):
    net = load(hearing / "hearing.safetensors", device="torch-cpu", precision="f32")
    policy = RankedPolicy(net)
    planes, values = policy._encoded(positions)
    cached = Cache(net, 8)
    batch = Batch(planes, values, np.arange(1, 6, dtype=np.uint64))
    weak, strong = (Ranked(cached, rank, rank).evaluate(batch).policy for rank in (-10.0, 9.0))
    assert np.allclose(weak, policy.evaluate(positions, -10.0, -10.0).policy, atol=1e-3)  # caches keep float16
    assert np.allclose(strong, policy.evaluate(positions, 9.0, 9.0).policy, atol=1e-3)
    assert np.abs(weak - strong).max() > 0.01
    assert (values[:, 14:].sum(1) == 3).all()  # the caller's batch is as it was


def test_wrong_questions_are_refused(hearing, positions):
    policy = RankedPolicy(hearing / "silent.safetensors", device="torch-cpu")
    with pytest.raises(ValueError, match="3 ranks for 5 positions"):
        policy.probabilities(positions, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="one board size"):
        policy.probabilities([Position(9), Position(13)], 1.0)
    with pytest.raises(ValueError, match="at least one"):
        policy.probabilities([], 1.0)
    with pytest.raises(EvaluatorError, match="say nothing of ranks"):
        RankedPolicy("b8c96-rl")
    assert np.isnan(as_ranks(None, 2)).all()
