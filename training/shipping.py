"""From a run's weights to a shipped net: float16 and OpenVINO forms, int8 calibrated on real positions, and the measured card.

Knows which figures a card holds and how they come about. Does not train, and does not choose the net.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath

import numpy as np

from goengine import features
from goengine.evaluators.load import load
from goengine.nets import checkpoint, ship
from training import evaluate, packs
from training.data import Sampler
from training.options import Ship
from training.sampling import Draw, Games

CALIBRATION_BATCH = 10
FIGURES = ("top1", "top5", "cross_entropy", "value_mse", "score_error")


def run(config: Ship) -> dict[str, object]:
    """Write the folder of the net, measure its forms on held-out games, and write the card. Returns the card's results."""
    games = packs.load((config.games,))
    source = checkpoint.load(config.weights)
    folder = config.folder / config.name
    with tempfile.TemporaryDirectory() as temporary:
        clean = Path(temporary) / ship.NET
        meta = source.meta
        checkpoint.save(
            clean,
            source.arrays,
            source.spec,
            step=meta.step,
            config=without_folders(meta.config),
            data=without_folders(meta.data),
        )
        ship.ship(clean, folder, results(config, {}), calibration(games, source.spec.features, config))
    measured: dict[str, object] = {}
    for precision in ("bf16", "int8"):
        for key, value in figures(folder, games, precision, config).items():
            measured[key if precision == "bf16" else f"{key}_int8"] = value
    ship.write_card(folder, results(config, measured))
    return measured


def calibration(games: Games, feature_set: str, config: Ship) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of positions drawn at random, with symmetries, in the form that nets take."""
    sampler = Sampler(games, features.get(feature_set), Draw(config.seed, symmetries=1, shuffle=1, vary=0.5))
    for first in range(0, config.calibration, CALIBRATION_BATCH):
        targets = sampler.batch(first, CALIBRATION_BATCH)
        yield targets.planes.astype(np.float32), targets.globals.copy()


def figures(folder: Path, games: Games, precision: str, config: Ship) -> dict[str, object]:
    """What one form of the net reaches on held-out positions."""
    with load(folder, device="cpu", precision=precision, threads=config.threads) as evaluator:
        predict = evaluate.from_evaluator(evaluator)
        chosen = features.get(evaluator.features)
        found = evaluate.measure(predict, games, chosen, positions=config.positions, batch=64, seed=config.seed)
    values = found.as_dict()
    return {"positions": found.positions, **{name: round(float(values[name]), 4) for name in FIGURES}}


def results(config: Ship, measured: Mapping[str, object]) -> dict[str, object]:
    """The card's results."""
    return {
        "description": config.description,
        "command": config.command,
        "strength": config.strength,
        "proven": list(config.proven),
        "sizes": list(config.sizes),
        "rank": config.rank,
        **measured,
    }


def without_folders(value: object) -> object:
    """A configuration whose paths keep only their names: a card tells what was used, not where it lay."""
    if isinstance(value, Mapping):
        return {key: without_folders(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_folders(entry) for entry in value]
    if isinstance(value, str) and ("/" in value or "\\" in value):
        return PureWindowsPath(value).name  # which knows both separators
    return value
