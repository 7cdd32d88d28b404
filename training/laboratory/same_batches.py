"""What all nets of a comparison learn from and are measured on: packs of recorded games, or shards of self-play.

Made once and drawn from by every net, in the same order. Knows no nets.
"""

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from goengine import features
from goengine.core.array_file import RecordError
from goengine.zero import run_folder
from training.core.checkpoint import RunError
from training.core.messages import warn
from training.data.sampling import Draw
from training.data.stream import Mixture, Sampler, Source
from training.laboratory.compare_options import CompareOptions
from training.laboratory.costs import Inputs
from training.measure.evaluate import Predict
from training.stages.supervised import HeldOut, LearnedGames, Measured, RecordedGames, check_features, recorded_games
from training.zero.replay_window import Part, join, load_part
from training.zero.row_figures import row_figures
from training.zero.zero_options import ZeroOptions
from training.zero.zero_sampling import RowSampler

EVERY = 20  # of the shards one is held out
CALIBRATION = 256  # positions of each board size on which the steps of 8-bit integers are found


@dataclass(frozen=True)
class SameBatches:
    """games: to learn from; held_out: to measure on; sizes: their board sizes; digest: of what they are made of."""

    games: LearnedGames
    held_out: Measured
    sizes: tuple[int, ...]
    digest: str

    def calibration(self) -> list[Inputs]:
        """Some of the positions that are learned from, of each board size."""
        samplers: Sequence[Any] = self.games.source.sources if isinstance(self.games.source, Mixture) else (self.games.source,)
        drawn = [sampler.batch(0, CALIBRATION) for sampler in samplers if isinstance(sampler, Sampler)]
        return [(targets.planes.astype(np.float32), targets.globals.copy()) for targets in drawn]


class SelfPlayGames:
    """Rows of self-play with what their searches found."""

    def __init__(self, parts: Mapping[int, Sequence[Part]], feature_name: str, draw: Draw, alike: bool):
        """alike: as many batches of each board size; else in proportion to their rows."""
        chosen, weight = features.get(feature_name), ZeroOptions.horizon_weight
        samplers = [RowSampler(*join(own), chosen, draw, weight) for own in parts.values()]
        sources: Sequence[Any] = samplers
        rows = [len(sampler.rows.position) for sampler in samplers]
        self.source: Source = sources[0] if len(sources) == 1 else Mixture(sources, [1] * len(rows) if alike else rows)
        self.card: Mapping[str, Any] = {
            "games": sum(len(sampler.games.size) for sampler in samplers),
            "positions": sum(rows),
            "sizes": list(parts),
        }


class HeldOutRows:
    """Rows of self-play that are only measured, each as it was played, against the result alone."""

    def __init__(self, parts: Mapping[int, Sequence[Part]], feature_name: str):
        draw = Draw(0, symmetries=0, shuffle=1, vary=0.0)
        self._samplers: dict[int, RowSampler] = {}
        for size, own in parts.items():
            games, rows = join(own)
            self._samplers[size] = RowSampler(games, rows._replace(upto=np.zeros(0)), features.get(feature_name), draw, 0.0)

    def figures(self, predict: Predict, outputs: Set[str], positions: int, batch: int) -> dict[str, float]:
        """As `training.zero.row_figures`."""
        return row_figures(self._samplers, predict, positions, batch)


def same_batches(config: CompareOptions) -> SameBatches:
    """The games of the options.

    Raises RecordError if there are none of a size that was asked for, or a pack is damaged, RunError if there are no such
    features.
    """
    check_features(config.features)
    return _of_shards(config) if config.shards else _of_packs(config)


def _of_packs(config: CompareOptions) -> SameBatches:
    games: RecordedGames = recorded_games(config.learning(config.nets[0]), config.features)
    sizes = tuple(games.card["sizes"])
    held_out = HeldOut(config.validation, config.features, sizes)
    if missing := set(sizes) - held_out.sizes:
        raise RecordError(f"--validation {config.validation}: has no games of size {run_folder.words(sorted(missing))}")
    return SameBatches(games, held_out, sizes, _digest((*config.data, *([config.validation] if config.validation else []))))


def _of_shards(config: CompareOptions) -> SameBatches:
    paths = [path for folder in config.data for path in _shards(folder)]
    parts: dict[int, list[Part]] = {}
    for path in paths:
        try:
            part = load_part(path, range(26))
        except RecordError as error:
            warn(f"{error}; the shard is left out")
            continue
        if part.count() and (not config.sizes or part.size in config.sizes):
            parts.setdefault(part.size, []).append(part)
    _check_sizes(config, parts)
    sizes = tuple(sorted(parts))
    learned = {size: [part for i, part in enumerate(parts[size]) if not _is_held_out(i)] for size in sizes}
    held_out = {size: [part for i, part in enumerate(parts[size]) if _is_held_out(i)] for size in sizes}
    draw = Draw(config.seed, symmetries=1, shuffle=1, vary=0.0)
    games = SelfPlayGames(learned, config.features, draw, alike=bool(config.sizes))
    return SameBatches(games, HeldOutRows(held_out, config.features), sizes, _digest(paths))


def _is_held_out(number: int) -> bool:
    """Whether the shard of that number, the oldest 0, is only measured: the second of every twenty."""
    return number % EVERY == 1


def _shards(folder: Path) -> list[Path]:
    """The shards in a folder, or in that of a run of self-play, the oldest first. Raises RecordError if there are none."""
    if not folder.is_dir():
        raise RecordError(f"--data {folder}: neither a pack (NAME.npz) nor a folder of self-play shards")
    found = run_folder.shard_paths(folder) or sorted(folder.glob("[!.]*.npz"), key=lambda path: path.name)
    if not found:
        raise RecordError(f"--data {folder}: no shards (.npz) in it")
    return found


def _check_sizes(config: CompareOptions, parts: Mapping[int, Sequence[Part]]) -> None:
    where = " ".join(map(str, config.data))
    if missing := [size for size in config.sizes if size not in parts]:
        raise RecordError(f"--data {where}: no rows of size {run_folder.words(missing)}, which --sizes asks for")
    if not parts:
        raise RecordError(f"--data {where}: no rows; every shard is damaged or has none")
    for size, own in parts.items():
        if len(own) < 2:
            raise RecordError(f"--data {where}: one shard of size {size}; two are needed, to learn from and to measure on")


def _digest(paths: Sequence[Path]) -> str:
    """Of the names and lengths of files."""
    digest = hashlib.sha256()
    for path in paths:
        try:
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        except OSError as error:
            raise RunError(f"{path}: {error.strerror or error}") from error
    return digest.hexdigest()[:16]
