"""The command policy-match: two policies without a search, all games of a match in lock step, minutes instead of hours.

Knows who plays and what is told of the games; what a score says about strength is `goengine.arena.strength`'s business.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch

from goengine.arena.strength.elo import Elo, Score, estimate
from goengine.core.progress import Progress
from goengine.core.tables import table
from goengine.dataio.records import GamePack
from goengine.policy_play.games import (
    FinishedPolicyGame,
    Policy,
    PolicyGameParams,
    PolicyGames,
    alternating,
    by_colour,
)
from training.core.device_feed import DeviceFeed
from training.stages.named_policies import policy
from training.stages.players import Seat
from training.stages.policy_options import PolicyMatchOptions
from training.stages.supervised import computes_half, device_name

HEADER = ("a at", "b at", "won", "drawn", "lost", "share", "Elo", "95 %", "as Black", "as White", "without result", "plies")


@dataclass(frozen=True)
class MatchResult:
    """What a match came to, from the side of a."""

    temperature_a: float
    temperature_b: float
    as_black: Score
    as_white: Score
    without_result: int  # games that became too long
    plies: float  # per game

    @property
    def score(self) -> Score:
        """Of all games that count."""
        return self.as_black + self.as_white

    @property
    def elo(self) -> Elo:
        """How much stronger a is."""
        return estimate(self.score)

    def to_json(self) -> dict[str, object]:
        """Plain values."""
        score, elo = self.score, self.elo
        return {
            "temperature_a": self.temperature_a,
            "temperature_b": self.temperature_b,
            "won": score.wins,
            "drawn": score.draws,
            "lost": score.losses,
            "without_result": self.without_result,
            "share": score.points if score.games else None,
            "elo": [elo.difference, elo.low, elo.high],
            "plies": self.plies,
        }

    def row(self) -> tuple[object, ...]:
        """The cells of `HEADER`."""
        score, elo = self.score, self.elo
        share = f"{100 * score.points:.1f} %" if score.games else "-"
        between = f"{round(elo.low):+d} to {round(elo.high):+d}"
        rest = (f"{round(elo.difference):+d}", between, self.as_black, self.as_white, self.without_result, f"{self.plies:.0f}")
        temperatures = f"{self.temperature_a:g}", f"{self.temperature_b:g}"
        return (*temperatures, score.wins, score.draws, score.losses, share, *rest)


def result_of(finished: FinishedPolicyGame, temperatures: Sequence[float]) -> MatchResult:
    """The result of games in which policy 0 is a, and Black in every second one."""
    black = alternating(len(finished.length)) == 0
    won = np.where(black, finished.result, -finished.result)
    as_black, as_white = (Score(*(int((won[part] == sign).sum()) for sign in (1, 0, -1))) for part in (black, ~black))
    return MatchResult(*temperatures, as_black, as_white, int(np.isnan(won).sum()), round(float(finished.length.mean()), 1))


def play(
    config: PolicyMatchOptions, policies: Sequence[Policy], tell: Callable[[int], None]
) -> tuple[list[MatchResult], GamePack]:
    """(results, games) of a match for each temperature of b, one after the other. tell: hears how many games have ended."""
    terms = PolicyGameParams(config.size, config.komi, longest=config.longest)
    games, who = PolicyGames(terms, config.games), by_colour(alternating(config.games))
    results, parts = [], []
    for number, temperature in enumerate(config.temperatures_b):
        before, temperatures = number * config.games, (config.temperature_a, temperature)
        finished = games.play(
            policies,
            who,
            (config.seed, number),
            temperatures=temperatures,
            tell=lambda ended, before=before: tell(before + ended),
        )
        results.append(result_of(finished, temperatures))
        parts.append(finished.pack(terms))
    return results, GamePack.concat(parts)


def run(config: PolicyMatchOptions) -> list[MatchResult]:
    """Play all matches, and write the games if wanted.

    Raises as `named_policies.policy`, and OSError if the games cannot be written.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    feed = DeviceFeed(device_name(config), computes_half(config))
    with ExitStack() as left, Progress("games", config.games * len(config.temperatures_b)) as bar:
        seat = Seat(feed, config.play, config.threads)
        policies = [policy(name, config.size, seat, left) for name in (config.a, config.b)]
        results, games = play(config, policies, bar.update)
    if config.games_out is not None:
        games.save(config.games_out)
    return results


def to_text(config: PolicyMatchOptions, results: Sequence[MatchResult]) -> str:
    """A table for people."""
    said = f"a: {config.a}\nb: {config.b}\n{config.size}x{config.size}, komi {config.komi:g}, {config.games} games a line\n\n"
    return said + table([result.row() for result in results], header=HEADER, left=0)
