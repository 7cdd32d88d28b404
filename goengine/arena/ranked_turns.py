"""Turns of players who have ranks, for many games at once: their moves in shared batches, and when they pass.

Knows `goengine.player.human_moves` and the end of games; no trees.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from goengine.arena.fixtures import Side
from goengine.arena.live_game import LiveGame
from goengine.arena.players import NetPlayer
from goengine.board.position import Position
from goengine.board.state import PASS, PASSES
from goengine.evaluators.base import Evaluator
from goengine.evaluators.ranked import RankedPolicy
from goengine.player.endgame import Finish, candidates
from goengine.player.human_moves import HumanChoice, HumanMoves, HumanTurn
from goengine.player.human_play import load_policy
from goengine.player.net_source import Given, NetSource
from goengine.player.opinion import Opinion
from goengine.player.rank_style import parse_profile

PASS_ASKED: Final = 0.02  # share of a pass in the ranked policy from which somebody counts whether the game is over
PLAYOUTS: Final = 100


class RankedTurns:
    """The players of a match that have ranks. Raises EvaluatorError if a ranked net cannot be loaded."""

    def __init__(
        self,
        players: Mapping[Side, NetPlayer],
        nets: Mapping[Side, Evaluator],
        policies: Mapping[Side, RankedPolicy] | None = None,
    ):
        """nets: the players' own, which look at moves. policies: in place of the nets that the players name."""
        self._players = players
        self._policies = policies or _policies(players)
        self._moves = {side: HumanMoves(policy, nets[side]) for side, policy in self._policies.items()}
        self._opinions = {side: Opinion(Given(nets[side]), PLAYOUTS) for side in self._policies}
        self._chance: dict[tuple[int, Side], np.random.Generator] = {}

    def play(self, games: Sequence[LiveGame]) -> None:
        """A move in each of these games, in which a player with a rank is to move."""
        for side in self._moves:
            mine = [game for game in games if game.to_move == side and game.played is None]
            start = time.perf_counter()
            choices = self._moves[side].choose([self._turn(game, side) for game in mine])
            share = (time.perf_counter() - start) / max(1, len(mine))
            for game, choice in zip(mine, choices, strict=True):
                game.seats[side].seconds += share
                game.play_ranked(lambda position, side=side, choice=choice: self._finished(side, position, choice))
                if game.played is not None:
                    self._chance.pop((game.referee.fixture.number, side), None)

    def _turn(self, game: LiveGame, side: Side) -> HumanTurn:
        position, fixture = game.referee.position, game.referee.fixture
        profile = parse_profile(self._players[side].rank)
        key = fixture.number, side
        if key not in self._chance:
            self._chance[key] = np.random.default_rng([fixture.seed, fixture.number, side == "b"])
        own, other = profile.own(position.to_play), profile.other(position.to_play)
        return HumanTurn(position, own, other, self._chance[key])

    def _finished(self, side: Side, position: Position, choice: HumanChoice) -> tuple[int, float]:
        """The move, or a pass where the game is over; and the value."""
        if choice.point != PASS and choice.pass_share < PASS_ASKED and not position.game.status[PASSES]:
            return choice.point, choice.before
        opinion, color = self._opinions[side], position.to_play
        finish = Finish(
            position,
            color,
            candidates(position, {choice.point: choice.after, PASS: None}, choice.point),
            opinion.territory(position),
            lambda: opinion.value_of_pass(position),
        )
        return finish.choose(), choice.before


def _policies(players: Mapping[Side, NetPlayer]) -> dict[Side, RankedPolicy]:
    """The ranked nets, one for both players where they name the same."""
    source, loaded = NetSource(threads=1), {}
    for side, player in players.items():
        if player.rank:
            loaded[side] = load_policy(source, player.rank_net)
    return loaded
