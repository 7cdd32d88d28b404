"""Random games of self-play with random searches, for tests of shards and of what is learned from them."""

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.dataio.records import BLACK_WINS, NO_RESULT, RESIGNATION, SCORE, UNKNOWN, WHITE_WINS, GameRecord
from goengine.zero.selfplay_params import SelfPlayParams
from goengine.zero.shards import CHEAP, FULL, OPENING, SearchedGame, Shard, ShardBuilder


def random_game(size, seed):
    """A legal game, two stones and more; by seed it is counted, resigned or broken off."""
    rng = np.random.default_rng(seed)
    position = Position(size, Rules.preset("tromp-taylor"))
    moves = []
    for _ in range(int(rng.integers(size, size * size))):
        legal = position.legal_moves()
        point = int(rng.choice(legal))
        moves.append((position.to_play, coords.to_index(point, size)))
        position.play(point)
    margin, outcome, ending = None, NO_RESULT, UNKNOWN
    if seed % 3 == 0:
        margin = float(rng.integers(-20, 20)) + 0.5
        outcome, ending = (BLACK_WINS if margin > 0 else WHITE_WINS), SCORE
    elif seed % 3 == 1:
        outcome, ending = (BLACK_WINS, WHITE_WINS)[seed % 2], RESIGNATION
    return GameRecord(
        size=size, moves=tuple(moves), komi=float(rng.integers(-4, 16)) / 2, rules=Rules.preset("tromp-taylor").to_sgf_text(),
        outcome=outcome, margin=margin, ending=ending,
    )  # fmt: skip


def random_searches(record, seed):
    """(kind, value, score, visits, surprise, policies, owners) as a `SearchedGame` has them."""
    rng = np.random.default_rng(10_000 + seed)
    moves, actions = len(record.moves), record.size**2 + 1
    kind = np.where(rng.random(moves) < 0.6, FULL, CHEAP).astype(np.uint8)
    kind[:2] = OPENING
    kind[-1] = FULL
    searched = kind != OPENING
    value = np.where(searched, rng.uniform(-1, 1, moves), np.nan).astype(np.float32)
    score = np.where(searched, rng.normal(0, 10, moves), np.nan).astype(np.float32)
    surprise = np.where(kind == FULL, rng.exponential(0.5, moves), 0).astype(np.float32)
    start, index, weight = [0], [], []
    for ply in range(moves):
        if kind[ply] == FULL:
            chosen = np.sort(rng.choice(actions, int(rng.integers(1, 6)), replace=False))
            index.extend(chosen.tolist())
            weight.extend(rng.dirichlet(np.ones(len(chosen))).tolist())
        start.append(len(index))
    owners = rng.integers(-1, 2, record.size**2).astype(np.int8) if record.margin is not None else None
    policies = (np.array(start, np.int64), np.array(index, np.uint16), np.array(weight, np.float32))
    return kind, value, score, np.where(searched, 16, 0).astype(np.uint16), surprise, policies, owners


def random_shard(size, seeds, net="000001") -> Shard:
    """A shard of these games."""
    builder = ShardBuilder(size, net, SelfPlayParams(size=size).to_json())
    for seed in seeds:
        record = random_game(size, seed)
        builder.add(SearchedGame(record, *random_searches(record, seed), seed=seed))
    return builder.shard()
