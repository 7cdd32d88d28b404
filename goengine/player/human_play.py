"""How an engine plays by a rank: the ranked net that its options name, the turn as they describe it, and how it gives up.

Knows options, nets and colours; `human_moves` chooses the moves.
"""

import dataclasses
from typing import Final

import numpy as np

from goengine.board.position import Position
from goengine.evaluators import shipped_nets
from goengine.evaluators.base import Evaluator, EvaluatorError
from goengine.evaluators.ranked import Ranked, RankedPolicy
from goengine.features import zero_ranked
from goengine.player.engine_options import AUTOMATIC, EngineOptions
from goengine.player.human_moves import HumanChoice, HumanMoves, HumanTurn
from goengine.player.net_source import Given, NetSource
from goengine.player.opinion import Opinion
from goengine.player.rank_style import Profile, parse_profile, profile_name, style_of

VISITS: Final = 16  # of the search that tells how the game stands: enough for passing and giving up
LEARNED: Final = 19  # the board size that ranked games are on


def ranked_net() -> str:
    """The name of the ranked net to play with: of those that are there the one of highest rank. Raises EvaluatorError."""
    ranked = shipped_nets.seeing(zero_ranked.NAME)
    if not ranked:
        raise EvaluatorError("no net that knows ranks came with the engine; name one with --rank-net, or play by --level")
    return ranked[0].name


def load_policy(nets: NetSource, name: str = AUTOMATIC) -> RankedPolicy:
    """The ranked policy of a net's name or path. Raises EvaluatorError if there is none or it knows nothing of ranks."""
    return RankedPolicy(nets.other(ranked_net() if name == AUTOMATIC else name))


class HumanPlay:
    """An engine's part that knows ranks. Raises EvaluatorError if the ranked net cannot be loaded."""

    def __init__(self, options: EngineOptions, nets: NetSource, policy: RankedPolicy | None = None):
        """policy: in place of the net that the options name."""
        assert options.rank is not None, "without a rank nobody plays by one"
        self.profile: Profile = parse_profile(options.rank)
        self._options = options
        self._policy = policy or load_policy(nets, options.rank_net)
        self._moves: HumanMoves | None = None

    def draw(
        self, position: Position, allowed: frozenset[int] | None, evaluator: Evaluator, generator: np.random.Generator
    ) -> HumanChoice | None:
        """A move for the player to move; None where the search's own is to be played: humanSLChosenMoveProp says how often.

        allowed: the points that may be played; None: all.
        """
        if generator.random() >= self._options.human_move_prop:
            return None
        return self._with(evaluator).choose([self._turn(position, allowed, generator)])[0]

    def likeliest(self, position: Position, allowed: frozenset[int] | None, evaluator: Evaluator) -> HumanChoice | None:
        """The move that is drawn most often; None where people's moves have less than half a say."""
        if self._options.human_move_prop < 0.5:
            return None
        return self._with(evaluator).likeliest(self._turn(position, allowed, np.random.default_rng(0)))

    def opinion(self, color: int) -> Opinion:
        """What the ranked net says where the profile's player of that colour is to move."""
        told = Ranked(self._policy.evaluator, self.profile.own(color), self.profile.other(color))
        return Opinion(Given(told), self._options.playouts)

    def resigning(self, color: int) -> EngineOptions:
        """The options by which a player of the colour gives up: the weaker, the later."""
        style = style_of(self.profile.own(color))
        return dataclasses.replace(
            self._options,
            resign_winrate=self._options.resign_winrate * style.resign_share,
            resign_turns=max(self._options.resign_turns, style.resign_turns),
        )

    def describe(self, size: int) -> str:
        """The rank and the net, for people; where the board is one that no ranked game was on, that too."""
        strange = "" if size == LEARNED else f"; ranked games are all on {LEARNED}x{LEARNED}, here a rank is a guess"
        return f"{profile_name(self._options.rank or '')} by {self._policy.evaluator.name}{strange}"

    def _with(self, evaluator: Evaluator) -> HumanMoves:
        if self._moves is None or self._moves.evaluator is not evaluator:
            self._moves = HumanMoves(self._policy, evaluator)
        return self._moves

    def _turn(self, position: Position, allowed: frozenset[int] | None, generator: np.random.Generator) -> HumanTurn:
        color, options = position.to_play, self._options
        return HumanTurn(
            position,
            self.profile.own(color),
            self.profile.other(color),
            generator,
            pikl_lambda=options.human_lambda,
            may_pass=not options.human_ignore_pass,
            allowed=allowed,
        )
