"""The command value: games of policies, one position of each, and a net that learns from them who wins.

Knows what is learned (the result, by mean squared error) and what is measured: the error on positions of games that were not
learned from beside that on some which were. A net that learns from all positions of a game (`--positions-per-game all`)
meets its result hundreds of times and learns it by heart: the two errors then part (Silver et al. 2016: 0.19 and 0.37 on
whole games, 0.226 and 0.234 on one position of each). How the games are made and kept is `training.stages.value_games`'
business.
"""

import dataclasses
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import nn

from goengine import features
from goengine.core.progress import Progress
from goengine.core.stopping import told_to_stop
from goengine.nets import build, weights_file
from goengine.nets.norms import freeze_batch_norm
from goengine.policy_play.games import Policy, PolicyGameParams
from training.core.checkpoint import Counters, RunError, plain
from training.core.command_options import board_shares, keeps_norms
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Stage, Trainer
from training.core.losses import RESULTS, value_errors, weighted_mean
from training.core.run_lock import lock_run
from training.data.sampling import Draw
from training.data.stream import Sampler, mixture, pinned, stream
from training.measure.evaluate import combine, measure_with
from training.stages import value_games
from training.stages.named_policies import fingerprint, policy
from training.stages.players import Seat
from training.stages.policy_options import ValueOptions
from training.stages.supervised import computes_half, device_name, fresh_or_loaded, loop_config, predictor


class ValueStage(Stage):
    """Positions of games with their results, for `training.core.loop`."""

    def __init__(self, config: ValueOptions, module: build.Net, folders: Sequence[Path]):
        """folders: of the games. Raises RecordError if they cannot be read, RunError if the net has no value."""
        if "value" not in module.spec.outputs:
            raise RunError(f"--net {config.net}: has no value to learn")
        self.config, self.spec = config, module.spec
        every = config.positions_per_game == "all"
        games, self.stories = value_games.load_folders(folders, config.positions, config.held_out, every)
        shares, seen = board_shares(config.sizes), features.get(module.spec.features)
        draw = Draw(config.seed, int(config.symmetries), 1, 0.0)
        learned = {size: part.learned for size, part in games.items()}
        self.source = mixture({size: part.games for size, part in games.items()}, seen, draw, shares, learned)
        self.games = {size: part for size, part in games.items() if shares.get(size, not shares)}
        plainly = Draw(0, symmetries=0, shuffle=1, vary=0.0)
        self.measured = {
            kind: {size: Sampler(part.games, seen, plainly, chosen=getattr(part, kind)) for size, part in self.games.items()}
            for kind in ("learned", "held_out")
        }

    def batches(self, first_sample: int) -> Generator[Mapping[str, np.ndarray], None, None]:
        """Batches from that sample on."""
        allocate = pinned if device_name(self.config).startswith("cuda") else np.zeros
        for targets in stream(self.source, self.config.batch, first_sample, allocate=allocate):
            yield {name: getattr(targets, name) for name in ("planes", "globals", "value", "value_weight")}

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The mean squared error of the value in [-1, 1]."""
        output = module(batch["planes"], batch["globals"], True)
        error = weighted_mean(value_errors(output.value, batch["value"]), batch["value_weight"], batch.get(RESULTS))
        return error, {"mse": error.detach()}

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """Mean squared errors and shares of winners named, on positions learned from and on those held out.

        Over all positions measured, so many of each board size, and of each size if there are several.
        """
        predict, figures = predictor(module, device_feed), {}
        for kind, samplers in self.measured.items():
            found = {}
            for size, sampler in samplers.items():
                count = min(self.config.validation_positions, len(sampler.chosen))
                found[f"{kind}_{size}"] = measure_with(predict, sampler, count, max(self.config.batch, 64))
            told = {kind: combine(list(found.values()))} | (found if len(found) > 1 else {})
            for name, part in told.items():
                figures |= {f"mse_{name}": part.value_mse, f"right_{name}": part.value_right}
        return figures

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net with its configuration and data card."""
        card = {
            "games": self.stories[0] if len(self.stories) == 1 else self.stories,
            "positions": sum(len(part.learned) for part in self.games.values()),
            "positions_held_out": sum(len(part.held_out) for part in self.games.values()),
            "sizes": list(self.games),
            "samples": counters.samples,
            "seconds": round(counters.seconds, 1),
            "validation": {name: value for name, value in figures.items() if np.isfinite(value)},
        }
        weights_file.save(path, arrays, self.spec, step=counters.step, config=plain(self.config), data=card)


def recipe_of(config: ValueOptions) -> value_games.Recipe:
    """How the options want the games. Raises as `named_policies.policy` if a policy cannot be used."""
    terms = PolicyGameParams(config.size, config.komi, config.temperature, config.longest)
    latest = max(1, round(config.latest * config.size**2))
    story = {name: fingerprint(net) for name, net in zip(("policy", "reinforced"), _policies(config), strict=True)}
    rest = plain(terms) | {"latest": latest, "parallel": config.parallel, "seed": config.seed}
    return value_games.Recipe(terms, latest, config.parallel, config.seed, story | rest)


def _policies(config: ValueOptions) -> tuple[str, str]:
    """The players before and after the random move."""
    return config.policy, config.policy if config.reinforced is None else config.reinforced


def play(config: ValueOptions, folder: Path) -> bool:
    """Play the games that are missing. Returns whether all are there (False: told to stop; the games played so far stay).

    Raises RunError if another process is at work in the run's folder, RecordError if it has other games.
    """
    recipe, device_feed = recipe_of(config), DeviceFeed(device_name(config), computes_half(config))
    left = ExitStack()

    def players() -> tuple[Policy, Policy]:
        seat = Seat(device_feed, config.play, config.threads or 0)
        before, after = (policy(net, config.size, seat, left) for net in _policies(config))
        return before, after

    config.run.mkdir(parents=True, exist_ok=True)
    left.callback(lock_run(config.run).release)
    with left, told_to_stop() as stop, Progress(f"games {config.run.name}", config.positions) as bar:
        return value_games.play_until(folder, recipe, config.positions, players, bar.update, stop.is_set)


def run(config: ValueOptions) -> bool:
    """Play and train. Returns whether the run is complete, as `training.stages.supervised.supervised` does; a budget is for the
    training.

    Raises WeightsError, EvaluatorError, RunError or RecordError if a net or the games cannot be used.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    module = fresh_or_loaded(config.net, config.features, config.seed)
    folders = config.data or (config.run / "games",)
    if not config.data and not play(config, *folders):
        return False
    stage = ValueStage(config, module, folders)
    if keeps_norms(config.keep_norms, config.net, len(stage.games)):
        freeze_batch_norm(module)
    described = {"options": plain(config), "spec": dataclasses.asdict(module.spec)}
    bound = {"positions per game": config.positions_per_game, "held out": str(config.held_out)}
    return Trainer(config.run, module, stage, loop_config(config), described=described, bound=bound).run()
