"""Training a net to play as people of given ranks do: positions of ranked games, with both players' ranks among the inputs.

Begins with a net that sees `zero_ranked` (made of a finished one by `training grow`), whose trunk knows Go already: a few kyu
games teach it only how people differ. Knows which moves are drawn how often; the losses are those of all games.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch

from goengine import features
from goengine.features import zero_ranked
from goengine.nets import build
from training.core.checkpoint import RunError, plain
from training.core.rank_options import RankedOptions
from training.core.setup import Setup
from training.data import packs, ranked
from training.data.sampling import Draw, Games
from training.data.stream import Source
from training.measure.by_rank import Measured, measured_moves
from training.stages.supervised import GamesStage, freeze_norms_if_wanted, fresh_or_loaded, loop_config


class RankedGames:
    """Games of ranked people to learn from, as `training.stages.supervised.LearnedGames`."""

    def __init__(self, games: Games, config: RankedOptions):
        chosen = ranked.drawn_positions(games, config.drawn, config.seed)
        draw = Draw(config.seed, int(config.symmetries), 1, config.vary, config.results)
        self.source: Source = ranked.RankedSampler(games, features.get(zero_ranked.NAME), draw, chosen)
        self.card: Mapping[str, Any] = {
            "packs": [path.name for path in config.data],
            "games": len(games.size),
            "positions": len(chosen),
            "sizes": [int(games.size[0])],
        }


def setup(config: RankedOptions) -> Setup:
    """What the stage trains. Raises RunError if the net knows nothing of ranks."""
    module = fresh_or_loaded(config.net, zero_ranked.NAME, config.seed)
    if module.spec.features != zero_ranked.NAME:
        raise RunError(f"--net {config.net}: sees {module.spec.features}, not {zero_ranked.NAME}; see the command grow")
    learned, held = ranked.split(packs.load(config.data))
    stage = RankedStage(config, module, learned, held)
    freeze_norms_if_wanted(module, config.net, config, stage)
    described = {"options": plain(config), "spec": dataclasses.asdict(module.spec)}
    return Setup(config.run, module, stage, loop_config(config), described)


class RankedStage(GamesStage):
    """Positions of ranked games; measured by band on those held out."""

    def __init__(self, config: RankedOptions, module: build.Net, learned: Games, held: Games):
        measured = Measured(held, measured_moves(held, config.validation_positions))
        super().__init__(config, module, RankedGames(learned, config), measured)


def run(config: RankedOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete (False: stopped by a signal, everything saved)."""
    if config.threads:
        torch.set_num_threads(config.threads)
    return setup(config).trainer(began).run()
