"""Compiles the kernels that make training samples, by making a few of each kind; `goengine warmup` starts it.

Games go through files, as in training, because numba compiles a kernel for the exact kind of its arrays. Needs no torch.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from goengine import features
from goengine.dataio.records import GamePack, GameRecord
from goengine.dataio.sgf import write_game
from goengine.zero.shards import CHEAP, FULL, SearchedGame, ShardBuilder
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import mixture
from training.training_bench import random_pack
from training.zero.replay_window import Replay, ReplayConfig

SIZE, GAMES, BATCH = 5, 4, 8


def from_records(pack: GamePack, folder: Path) -> None:
    """Pack SGF files, and draw samples of every feature set."""
    files = [folder / f"{number}.sgf" for number in range(len(pack))]
    for number, file in enumerate(files):
        file.write_bytes(write_game(pack.game(number)))
    packs.pack(files, folder / "games.npz")
    games = packs.load_sizes([folder / "games.npz"])
    draw = Draw(1, symmetries=1, shuffle=1, vary=0.5)
    for name in features.names():
        source = mixture(games, features.get(name), draw, {})
        found = source.source(0, BATCH)
        if found is not None:
            sampler, first = found
            sampler.fill(first, sampler.buffers(BATCH, np.zeros))


def from_self_play(pack: GamePack, folder: Path) -> None:
    """Write two shards, and draw samples from the window over them, and from the newest."""
    shards = [folder / f"w-{number}.npz" for number in (1, 2)]
    for path in shards:
        builder = ShardBuilder(SIZE, "000000", {})
        for number in range(len(pack)):
            builder.add(_searched(pack.game(number)))
        builder.shard().save(path)
    config = ReplayConfig({SIZE: 1.0}, window=100, first_rows=1, uses=100.0, horizon_weight=0.5, seed=1)
    replay = Replay(config, features.get("zero"), lambda: shards, print)
    replay.look()
    found = replay.source(0, BATCH)
    samplers = [*([] if found is None else [found[0]]), *replay.newest().values()]
    for sampler in samplers:
        sampler.batch(0, BATCH)


def _searched(record: GameRecord) -> SearchedGame:
    """A game as if every other move were found by a full search, which is sure of it."""
    moves = len(record.moves)
    kind = np.where(np.arange(moves) % 2 == 0, FULL, CHEAP).astype(np.uint8)
    full = np.flatnonzero(kind == FULL)
    index = np.array([record.moves[move][1] for move in full], np.uint16)
    start = np.concatenate([[0], np.cumsum(kind == FULL)])
    zeros, ones = np.zeros(moves, np.float32), np.ones(len(full), np.float32)
    owners = np.ones(record.size**2, np.int8)
    return SearchedGame(record, kind, zeros, zeros, zeros.astype(np.uint16), zeros, (start, index, ones), owners, seed=1)


def main() -> int:
    """Run both. Returns the exit status."""
    pack = random_pack(SIZE, GAMES)
    with tempfile.TemporaryDirectory() as folder:
        from_records(pack, Path(folder))
        from_self_play(pack, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
