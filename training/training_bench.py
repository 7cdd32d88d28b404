"""How fast this machine makes training samples and trains on them: what `python -m training bench` measures.

Knows how each figure comes about: packs into memory, samples from threads, steps on one batch that stays on the device,
and the same steps fed by the sampler. The last two take turns in short stretches, and each figure is the best of several:
what else runs on the machine only slows things down. Judges nothing. Imports torch by need.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from goengine import features
from goengine.board import coords
from goengine.board.kernels import play
from goengine.board.playout import random_move
from goengine.board.random import new_generator
from goengine.board.state import BLACK, new_board
from goengine.core.figures import Figure
from goengine.core.machine import usable_cores
from goengine.dataio.records import BLACK_WINS, SCORE, WHITE_WINS, GamePack, GameRecord
from training.core.command_options import SupervisedOptions, TrainingBenchOptions
from training.data import packs
from training.data.sampling import Draw, Games
from training.data.stream import Sampler, stream

RUNS = 3
GAMES, COPIES = 40, 50  # random games, and how often a pack holds each


def measure(config: TrainingBenchOptions) -> Iterator[Figure]:
    """All figures, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        for size, paths in _sources(config, Path(folder)).items():
            games = packs.load_sizes(paths)
            for board, part in games.items():
                if board == size or size == 0:
                    yield from _samples(config, part, board)
            yield from _loading(paths, max(games))
            if config.steps:
                yield from _steps(config, paths, Path(folder) / "run", max(games))


def random_pack(size: int, games: int = GAMES, seed: int = 1) -> GamePack:
    """Counted games of random moves, about as long as real ones, with results of no meaning."""
    generator = new_generator(seed)
    records = []
    for g in range(games):
        board, color, moves = new_board(size), BLACK, []
        for _ in range(2 * size * size // 3):
            point = int(random_move(board, color, generator))
            play(board, point, color)
            moves.append((color, coords.to_index(point, size)))
            color = 3 - color
        margin = g % 21 - 10 + 0.5
        outcome = BLACK_WINS if margin > 0 else WHITE_WINS
        records.append(GameRecord(size, tuple(moves), 7.5, "Chinese", outcome=outcome, margin=margin, ending=SCORE))
    return GamePack.build(records)


def _sources(config: TrainingBenchOptions, folder: Path) -> dict[int, list[Path]]:
    """Packs by the board size of their random games; 0 for those that the user names."""
    if config.data:
        return {0: list(config.data)}
    made = {}
    for size in config.sizes:
        path = folder / f"random-{size}.npz"
        pack = GamePack.concat([random_pack(size)] * COPIES)
        pack.save(path)
        owners = np.ones((len(pack), size * size), np.int8)
        meta = {"format": packs.OWNERS_FORMAT, "version": packs.OWNERS_VERSION}
        packs.write_arrays(packs.owners_path(path), {"games": np.arange(len(pack), dtype=np.int32), "owners": owners}, meta)
        made[size] = [path]
    return made


def _loading(paths: list[Path], size: int) -> Iterator[Figure]:
    """Packs from the disk's cache into checked arrays."""
    best = np.inf
    for _ in range(RUNS):
        start = time.perf_counter()
        parts = packs.load_sizes(paths).values()
        best = min(best, time.perf_counter() - start)
    held = sum(array.nbytes for part in parts for array in part)
    yield Figure("packs read, checked", size, held / 1e6 / best, "MB/s")
    yield Figure("packs read, checked", size, sum(len(part.size) for part in parts) / best, "games/s")


def _samples(config: TrainingBenchOptions, games: Games, size: int) -> Iterator[Figure]:
    """Samples as training takes them: random positions replayed, all features with ladders, symmetries, all targets."""
    sampler = Sampler(games, features.get("zero"), Draw(1, symmetries=1, shuffle=1, vary=0.5))
    counts = sorted({1, config.workers or usable_cores()})
    for threads in counts:
        rate, per_core = 0.0, 0.0
        source = stream(sampler, config.batch, 0, threads=threads)
        for _ in range(3 + threads):  # what was made ahead while nobody looked does not count
            next(source)
        for _ in range(RUNS):
            wall, cpu, count = time.perf_counter(), time.process_time(), 0
            while time.perf_counter() - wall < config.seconds / RUNS or count < 2 + 2 * threads:
                next(source)
                count += 1
            spent, worked = time.perf_counter() - wall, time.process_time() - cpu
            rate, per_core = max(rate, count * config.batch / spent), max(per_core, count * config.batch / worked)
        source.close()
        yield Figure(f"samples, {threads} thread{'s' * (threads > 1)}", size, rate, "positions/s")
    yield Figure("samples, per second of CPU time", size, per_core, "positions/s")


def _steps(config: TrainingBenchOptions, paths: list[Path], folder: Path, size: int) -> Iterator[Figure]:
    """Steps on a batch that stays on the device, and steps that the sampler feeds."""
    from training.core.loop import Trainer
    from training.stages import supervised

    if config.threads:
        supervised.torch.set_num_threads(config.threads)
    shutil.rmtree(folder, ignore_errors=True)
    settings = {name: getattr(config, name) for name in ("net", "batch", "optimizer", "workers", "device", "half", "compile")}
    run = SupervisedOptions(data=tuple(paths), run=folder, steps=10**9, **settings)
    module = supervised.fresh_or_loaded(run.net, run.features, run.seed)
    stage = supervised.GamesStage(run, module)
    trainer = Trainer(folder, module, stage, supervised.loop_config(run))
    trainer.module.train()
    source = stage.batches(0)
    feed = trainer.device_feed.feed(source)
    fixed = next(feed)

    def steps(batches: Callable[[], dict], count: int) -> float:
        """Positions per second of so many steps."""
        start = time.perf_counter()
        for _ in range(count):
            trainer.step(batches())
            trainer.device_feed.step_done()
        trainer.device_feed.finish()
        return count * config.batch / (time.perf_counter() - start)

    rate = max(steps(lambda: fixed, 2), steps(lambda: fixed, 2))  # the first ones compile
    count = max(2, round(config.seconds / RUNS * rate / config.batch))
    pairs = [(steps(lambda: fixed, count), steps(lambda: next(feed), count)) for _ in range(RUNS + 1)][1:]
    source.close()
    trainer.lock.release()
    alone, fed = (max(rates) for rates in zip(*pairs, strict=True))
    place = f"{run.net} on {trainer.device_feed.device}, batch {config.batch}"
    yield Figure(f"steps of {place}, one fixed batch", size, alone, "positions/s")
    yield Figure(f"steps of {place}, fed by the sampler", size, fed, "positions/s")
    yield Figure("fed over fixed", size, fed / alone, "")
