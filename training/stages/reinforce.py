"""Learning a policy from the results of its own games: REINFORCE, as the first AlphaGo did (Silver et al. 2016, methods).

An iteration plays some games against an opponent from the pool and then changes the net once: by the sum over its moves of
z d log p(a|s), the mean over games, where z is how the game ended for it, or z less what a value net expected. p is what the
move was drawn from: the softmax at the temperature over the moves that could be drawn. Where OpenVINO plays, p is computed by
torch all the same, from the same weights: the two differ by roundings, of which no account is taken. Of each game some moves
may stand for all (`played_moves`): the gradient's expectation is the same. Chance comes from the seed and the iteration's
number, so that a run goes on as if it had never been stopped. Knows games as `goengine.policy_play` plays them; the
loop, its folder and its end are `training.core.loop`'s.
"""

import dataclasses
import itertools
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import nn

from goengine import features
from goengine.nets import build, weights_file
from goengine.policy_play.games import (
    FinishedPolicyGame,
    PolicyGameParams,
    PolicyGames,
    alternating,
    by_colour,
)
from training.core.checkpoint import Counters, RunError, plain
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Numbers, Stage
from training.core.schedule import Schedule
from training.core.setup import Setup
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Sampler
from training.parallel import cluster
from training.stages.opponents import Pool, known_features, load_policy
from training.stages.played_moves import Moves, outcomes, recorder
from training.stages.players import NetPolicy, Seat
from training.stages.policy_options import ReinforceOptions
from training.stages.supervised import computes_half, device_name, loop_config

FORBIDDEN = -1e9  # logit of a move that could not be drawn
OPPONENTS = 4  # members of the pool that are kept ready to play
_PLAYED, _DRAWN, _MEASURED, _KEPT = range(4)  # what the chance is for


def policy_gradient_loss(
    logits: torch.Tensor,
    legal: torch.Tensor,
    played: torch.Tensor,
    advantage: torch.Tensor,
    weight: torch.Tensor,
    temperature: float = 1.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(-sum of weight advantage log p(played), sum of weight times entropy of p), p being what the moves were drawn from.

    logits [R,A], legal uint8 [R,A], played int64 [R], advantage and weight float32 [R]. Its gradient is that of REINFORCE
    (Williams 1992).
    """
    drawn_from = torch.where(legal > 0, logits.float() / temperature, FORBIDDEN)
    log = torch.log_softmax(drawn_from, 1)
    entropy = -(weight * (log.exp() * log).sum(1)).sum()
    return -(weight * advantage * log.gather(1, played[:, None]).squeeze(1)).sum(), entropy.detach()


class Baseline:
    """A value net: how the games were expected to end."""

    def __init__(self, path: Path, seat: Seat, rows: int):
        """Raises WeightsError if the file is damaged, RunError if the net has no value or sees unknown features."""
        net, self.meta = weights_file.load_module(path)
        if "value" not in self.meta.spec.outputs:
            raise RunError(f"--baseline {path}: the net has no value")
        known_features(path, self.meta.spec)
        self.answers, self._rows = seat.answers(net, "value"), rows

    def values(self, finished: FinishedPolicyGame, terms: PolicyGameParams, moves: Moves) -> np.ndarray:
        """float32[R]: expectation in [-1, 1] for who made each move, before it."""
        games, count, found = packs.to_games(finished.pack(terms)), len(moves.game), []
        chosen, draw = games.start[moves.game] + moves.ply, Draw(0, symmetries=0, shuffle=0, vary=0.0)
        sampler = Sampler(games, features.get(self.meta.spec.features), draw, chosen=chosen)
        for first in range(0, count, self._rows):
            targets = sampler.batch(first, min(self._rows, count - first))
            found.append(self.answers(targets.planes, targets.globals))
        return np.concatenate(found)


class ReinforceStage(Stage):
    """Iterations for `training.core.loop`: a batch is the number of one, and its loss plays the games first."""

    unit = "games"

    def __init__(self, config: ReinforceOptions, module: build.Net, start: weights_file.Meta):
        """module: the net as it was at the beginning of the run; start: what its file says.

        Raises WeightsError or RunError if the baseline cannot be used.
        """
        self.config, self.spec, self.start, self.module = config, module.spec, start, module
        self.device_feed = DeviceFeed(device_name(config), computes_half(config))
        self.terms = PolicyGameParams(config.size, config.komi, config.temperature, config.longest)
        self._seat = Seat(self.device_feed, config.play, config.threads or 0)
        self._opponents: dict[int, NetPolicy] = {}
        self.pool = Pool(config.run / "pool", module.spec, config.every)
        self.baseline = Baseline(config.baseline, self._seat, config.rows) if config.baseline is not None else None
        self._games = PolicyGames(self.terms, config.batch)
        self._who = by_colour(alternating(config.batch))
        self._first = weights_file.arrays_of(module)

    def batches(self, first_sample: Numbers) -> Generator[Mapping[str, np.ndarray], None, None]:
        """Numbers of iterations; a sample is a game."""
        batch = self.config.batch
        for first in itertools.count(first_sample, batch) if isinstance(first_sample, int) else first_sample:
            yield {"iteration": np.array(first // batch)}

    def stepped(self, step: int) -> None:
        """The net joins the pool, if its turn has come."""
        self.pool.join(step, self.module if step else self._first, {"reinforced_from": self.start.sha256})

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Plays an iteration's games with the net as it is. Returns the loss whose gradient is the mean over games.

        The batch's `step`, where workers play, says how many steps the net has made: so large is the pool.
        """
        iteration = int(batch["iteration"])
        step = int(batch["step"]) if "step" in batch else iteration
        self.module.eval()  # no change of the statistics: the net must learn with the policy that it played with
        opponent = self.pool.drawn(step, self._chance(iteration, _DRAWN))
        most, player = self.config.moves_per_game, self._seat.policy(self.module, module)
        learner = recorder(player, self.config.batch, most, self._chance(iteration, _KEPT))
        seed = (self.config.seed, iteration, _PLAYED)
        finished = self._games.play([learner, self._opponent(opponent)], self._who, seed)
        loss, entropy = self._learn(module, finished, learner.moves())
        figures = {**_figures(finished, 0), "entropy": entropy, "opponent": float(opponent)}
        return loss, {name: torch.tensor(value) for name, value in figures.items()}

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """How the averaged net does against the one that the run began with."""
        games = self.config.validation_games
        if not games:
            return {}
        first = build.skeleton(self.spec).to_empty(device="cpu")
        weights_file.restore(first, self._first)
        players = [self._seat.policy(cast(build.Net, module)), self._seat.policy(first.eval())]
        seed = (self.config.seed, 0, _MEASURED)
        finished = PolicyGames(self.terms, games).play(players, by_colour(alternating(games)), seed)
        return {f"{name}_start": value for name, value in _figures(finished, 0).items() if np.isfinite(value)}

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net with its configuration and data card."""
        card = {
            "reinforced_from": self.start.sha256,
            "games": counters.samples,
            "pool": len(self.pool.members(counters.step)),
            "seconds": round(counters.seconds, 1),
            "validation": dict(figures),
        }
        weights_file.save(path, arrays, self.spec, step=counters.step, config=plain(self.config), data=card)

    # -- inside --

    def _chance(self, iteration: int, purpose: int) -> np.random.Generator:
        return np.random.default_rng([self.config.seed, iteration, purpose])

    def _opponent(self, member: int) -> NetPolicy:
        """A member of the pool as a player. The latest few are kept: for OpenVINO each has to be converted."""
        found = self._opponents.pop(member, None) or self._seat.policy(self.pool.net(member))
        self._opponents[member] = found
        if len(self._opponents) > OPPONENTS:
            del self._opponents[next(iter(self._opponents))]
        return found

    def _learn(self, module: nn.Module, finished: FinishedPolicyGame, moves: Moves) -> tuple[torch.Tensor, float]:
        """(loss, mean entropy of the policy); the loss has the last rows' gradients only, the others' have been added up.

        Memory then holds what one part of the rows needs.
        """
        moves = moves.rows(~np.isnan(outcomes(finished, moves)))
        count = len(moves.game)
        if not count:  # there is no winner
            return sum((parameter * 0.0).sum() for parameter in self.module.parameters()), float("nan")
        advantage = outcomes(finished, moves)
        if self.baseline is not None:
            advantage = advantage - self.baseline.values(finished, self.terms, moves)
        total, entropies, loss = 0.0, 0.0, None
        for part in np.array_split(np.arange(count), -(-count // self.config.rows)):
            if loss is not None:
                loss.backward()
                total += float(loss.detach())
            loss, entropy = self._part(module, finished, moves, advantage, part)
            entropies += float(entropy)
        return loss + total, entropies / float(moves.weight.sum())

    def _part(self, module, finished: FinishedPolicyGame, moves: Moves, advantage: np.ndarray, rows: np.ndarray):
        """(loss, sum of entropies) of some of the moves."""
        arrays = {
            "planes": moves.planes[rows],
            "globals": moves.globals[rows],
            "legal": moves.legal[rows],
            "played": finished.moves[moves.game[rows], moves.ply[rows]].astype(np.int64),
            "advantage": advantage[rows].astype(np.float32),
            "weight": moves.weight[rows],
        }
        batch = self.device_feed.put(arrays)
        with self.device_feed.autocast():
            logits = module(batch["planes"], batch["globals"], True).policy
        rest = (batch[name] for name in ("legal", "played", "advantage", "weight"))
        loss, entropy = policy_gradient_loss(logits, *rest, self.config.temperature)
        return loss / self.config.batch, entropy


def _figures(finished: FinishedPolicyGame, player: int) -> dict[str, float]:
    """What share of the games that were counted the first policy has won (a draw is half a win), and how games were."""
    result = finished.result
    black = alternating(len(result)) == player
    won = np.where(black, result, -result)[~np.isnan(result)]
    return {
        "won": float((won + 1).mean() / 2) if len(won) else float("nan"),
        "plies": float(finished.length.mean()),
        "unfinished": float(np.isnan(result).mean()),
    }


def run(config: ReinforceOptions, began: float | None = None) -> bool:
    """Run the stage. Returns whether the run is complete, as `training.stages.supervised.supervised` does.

    Raises WeightsError or RunError if a net cannot be used: it is damaged, has no policy, or sees other features.
    """
    if cluster.many(config):
        return cluster.learn(setup, config, began)
    if config.threads:
        torch.set_num_threads(config.threads)
    return setup(config).trainer(began).run()


def setup(config: ReinforceOptions) -> Setup:
    """What the stage trains. Raises WeightsError or RunError as `run`."""
    module, meta = load_policy(config.net)
    stage = ReinforceStage(config, module, meta)
    schedule = Schedule(config.steps, config.budget, config.warmup, floor=1.0)
    loop = dataclasses.replace(loop_config(config), schedule=schedule)
    described = {"options": plain(config), "spec": dataclasses.asdict(module.spec)}
    bound = {"net": meta.sha256, "board size": str(config.size), "pool of every": str(config.every)}
    if stage.baseline is not None:
        bound["baseline"] = stage.baseline.meta.sha256
    return Setup(config.run, module, stage, loop, described, bound)
