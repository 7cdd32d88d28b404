"""Several models of people's moves on the same held-out moves: what each costs, and its figures by band and phase."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from goengine.core.tables import table
from goengine.evaluators.load import load
from goengine.evaluators.symmetric import Symmetric
from training.core.rank_options import CompareRanksOptions
from training.data import packs, ranked
from training.measure import by_rank
from training.measure.evaluate import from_evaluator

FIGURES = ("bits", "top1", "top5")


def compare(config: CompareRanksOptions, say: Callable[[int, str], None]) -> dict[str, Any]:
    """Figures of each model by its name, JSON-ready."""
    _, held = ranked.split(packs.load(config.games))
    moves = by_rank.measured_moves(held, config.moves, config.seed)
    found = {}
    for number, name in enumerate(config.models):
        say(number, name)
        logits, seconds = _timed(name, config, lambda model: model(held, moves.positions))
        bands = by_rank.by_band(logits, moves)
        found[name] = {
            "all": asdict(by_rank.even(bands)),
            "bands": {band: asdict(figures) for band, figures in bands.items()},
            "phases": {phase: asdict(figures) for phase, figures in by_rank.by_phase(logits, moves).items()},
            "milliseconds": round(1000 * seconds / len(moves.positions), 3),
        }
    return {"moves": len(moves.positions), "games": len(held.size), "seed": config.seed, "models": found}


def _timed(name: str, config: CompareRanksOptions, run: Callable[[by_rank.Logits], np.ndarray]) -> tuple[np.ndarray, float]:
    """(what a model says, seconds that it took)."""
    evaluator = load(name, threads=config.threads)
    if config.views > 1:
        evaluator = Symmetric(evaluator, np.random.default_rng(config.seed), config.views)
    began = time.perf_counter()
    with evaluator:  # type: ignore[attr-defined]  # all evaluators of ours close
        found = run(by_rank.of_net(from_evaluator(evaluator), evaluator.features))
    return found, time.perf_counter() - began


def tables(told: dict[str, Any]) -> str:
    """The figures as tables for people: one for each figure by band, one for bits by phase."""
    models = told["models"]
    parts = [f"{told['moves']} moves of {told['games']} held-out games\n"]
    for key, titles in (("bands", FIGURES), ("phases", ("bits", "top1"))):
        groups = list(next(iter(models.values()))[key])
        for title in titles:
            rows = [
                [_short(name), *(_figure(found[key][group][title], title) for group in groups)]
                for name, found in models.items()
            ]
            if key == "bands":
                rows = [[*row, _figure(models[name]["all"][title], title)] for row, name in zip(rows, models, strict=True)]
            parts.append(table(rows, header=(title, *groups, *(["all alike"] if key == "bands" else []))))
    rows = [[_short(name), f"{found['milliseconds']:.2f}"] for name, found in models.items()]
    parts.append(table(rows, header=("", "ms a move")))
    return "\n".join(parts)


def _short(name: str) -> str:
    path = Path(name)
    return f"{path.parent.name}/{path.stem}" if path.suffix else path.name


def _figure(value: float, title: str) -> str:
    return f"{value:.2f}" if title == "bits" else f"{100 * value:.1f}%"
