"""The shipped policies: whole, as accurate as their cards say they must be, and the same moves for the same seed."""

import dataclasses
import json

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.random import new_generator
from goengine.board.state import BLACK, NONE, new_board
from goengine.evaluators import shipped_nets as nets
from goengine.patterns import shipped_policies
from goengine.patterns.policy import ROLLOUT, TREE, PolicyError
from goengine.patterns.rollout import begin_flow, draw_move, new_flow, new_rollouts, play_flow, play_rollouts
from tests.patterns.test_policies import policy_of

# The first moves of a rollout from the empty board with seed 1; what was drawn when the policy was shipped.
OPENING = {
    9: "B4 B3 C3 C2 D2 H2 H3 G3 G4 G2 F4 E3 D3 E4 E5 D5",
    19: "S9 R14 C10 K2 L2 L3 M3 L9 K15 L18 O14 P5 L4 K3 K4 C5",
}


@pytest.fixture(scope="module")
def factors():
    return shipped_policies.read_policy(ROLLOUT).factors()


def test_both_are_there_and_whole():
    assert shipped_policies.names() == (ROLLOUT, TREE)
    assert shipped_policies.problems() == []
    assert not set(shipped_policies.names()) & set(nets.names())


@pytest.mark.parametrize(("name", "least"), [(ROLLOUT, 0.242), (TREE, 0.30)])
def test_cards(name, least):
    card, policy = shipped_policies.read(name), shipped_policies.read_policy(name)
    assert card.validation["top1"] >= least and card.validation["positions"] > 100_000
    assert card.weights == policy.features == len(policy.weights) and card.positions > 8_000_000
    assert card.patterns == {part: len(getattr(policy, part)) for part in ("shapes", "answers", "squares", "diamonds")}
    assert (shipped_policies.FOLDER / name / shipped_policies.POLICY).stat().st_size < 8_000_000
    assert "/" not in card.command + "".join(card.data)  # names, not places of the machine that made it


@pytest.mark.parametrize("size", [9, 19])
def test_the_same_seed_gives_the_same_rollout(factors, size):
    board, flow, generator = new_board(size), new_flow(size), new_generator(1)
    begin_flow(board, flow, factors)
    moves, last, color = [], NONE, BLACK
    for _ in range(16):
        last = int(draw_move(board, flow, factors, last, color, generator))
        play_flow(board, flow, factors, last, color)
        moves.append(coords.to_gtp(last, size))
        color = 3 - color
    assert " ".join(moves) == OPENING[size]


def test_many_rollouts_are_counted(factors):
    board, rollouts = new_board(9), new_rollouts(9, factors)
    total, moves = play_rollouts(board, rollouts, NONE, BLACK, new_generator(2), 40)
    owned = rollouts.owned
    assert total == owned.sum() and (np.abs(owned) <= 40).all() and (board.color == new_board(9).color).all()
    assert 40 * 60 < moves < 40 * 200


def written(folder, mined):
    policy = policy_of(mined)
    card = dataclasses.replace(shipped_policies.read(ROLLOUT), weights=len(policy.weights))
    (folder / ROLLOUT).mkdir()
    shipped_policies.write(folder / ROLLOUT, policy, card)
    return folder / ROLLOUT


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "goengine-net"}, "not of the format"),
        ({"kind": "tree"}, "its card is that of a tree policy"),
        ({"kind": "other"}, "none of"),
        ({"games": "many"}, "games: unexpected 'many'"),
        ({"sha256": "0" * 64}, "checksum"),
        ({"more": 1}, "more"),
        ({"data": 3}, "policy.json"),
    ],
)
def test_wrong_cards_are_refused(tmp_path, mined, change, says):
    folder = written(tmp_path, mined)
    assert shipped_policies.read_policy(ROLLOUT, tmp_path).kind == ROLLOUT
    card = json.loads((folder / shipped_policies.CARD).read_text())
    (folder / shipped_policies.CARD).write_text(json.dumps(card | change))
    with pytest.raises(PolicyError, match=says):
        shipped_policies.read_policy(ROLLOUT, tmp_path)
    assert len(shipped_policies.problems(tmp_path)) == 1


def test_damaged_files_are_refused(tmp_path, mined):
    folder = written(tmp_path, mined)
    content = (folder / shipped_policies.POLICY).read_bytes()
    (folder / shipped_policies.POLICY).write_bytes(content[:-1])
    with pytest.raises(PolicyError, match="checksum"):
        shipped_policies.read_policy(ROLLOUT, tmp_path)
    (folder / shipped_policies.POLICY).unlink()
    with pytest.raises(PolicyError, match=r"policy\.npz: cannot be read"):
        shipped_policies.read_policy(ROLLOUT, tmp_path)
    with pytest.raises(PolicyError, match=r"policy\.json: cannot be read"):
        shipped_policies.read_policy("none", tmp_path)
