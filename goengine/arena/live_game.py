"""One game between two searches without evaluators: says which leaves want evaluating, takes the answers, plays the moves.

`goengine.arena.batched_games` gathers the leaves of many such games. Knows trees, limits, when to pass and when to give up; the
rest of the end belongs to `goengine.arena.referee`. Knows neither nets nor batches.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from goengine import features
from goengine.arena.dead_stones import own_opinion, undisputed
from goengine.arena.fixtures import Fixture, GameOutcome, GameSetup, Side, other
from goengine.arena.players import DEFAULT_VISITS, NetPlayer
from goengine.arena.referee import Referee
from goengine.board import coords
from goengine.board.playout import sensible_moves
from goengine.board.position import Position
from goengine.board.state import BLACK, PASS, PASSES
from goengine.evaluators.base import Evaluation, Traits
from goengine.player.endgame import counted_as_it_stands
from goengine.policy_play.game_arrays import draw
from goengine.search import root as roots
from goengine.search.leaves import Leaves
from goengine.search.params import Limits
from goengine.search.search import Run
from goengine.search.tree import VALUE_SUM, VALUES
from goengine.search.tree_search import TreeSearch, believed

RESIGN_PLIES = 6  # plies in a row, so three turns of each player, at which both must see the game as lost


@dataclass
class SearchSide:
    """A player's part in one game."""

    player: NetPlayer
    traits: Traits
    core: TreeSearch
    limits: Limits
    salt: np.uint64  # mixed into the keys of its leaves, so that each game sees the net in its own views
    seconds: float = 0.0
    visits: int = 0  # new ones, of all moves
    run: Run | None = field(default=None, repr=False)


def limits_of(player: NetPlayer) -> Limits:
    """The limits of a move. Raises ValueError if they need a clock."""
    if player.seconds is not None:
        raise ValueError(
            f"{player.describe()}: seconds per move need a clock of its own for each player, and games in lock step share "
            "their time; give visits, or play the match over GTP"
        )
    if player.raw:
        return Limits(visits=1)
    visits = player.visits
    if visits is None and player.playouts is None:
        visits = DEFAULT_VISITS
    return Limits(visits=visits, playouts=player.playouts, early_stop=player.early_stop)


def new_seat(player: NetPlayer, traits: Traits, fixture: Fixture, side: Side) -> SearchSide:
    """A player's place in a game; all its chance comes from the fixture."""
    words = np.random.SeedSequence([fixture.seed, fixture.number, side == "b"]).generate_state(2, np.uint64)
    seed = int(words[0] >> np.uint64(1))
    core = TreeSearch(player.params, features.get(traits.features), seed, **believed(traits))
    return SearchSide(player, traits, core, limits_of(player), words[1])


class LiveGame:
    """A game from its opening to its end: call `select`; if it found leaves, then `update` or `fail`; else `finish_turn`."""

    def __init__(self, fixture: Fixture, terms: GameSetup, seats: dict[Side, SearchSide]):
        self.terms, self.seats = terms, seats
        self.referee = Referee(fixture, terms, stop_when_decided=True)
        self.played: GameOutcome | None = None  # once it is over
        self._black_values: deque[float] = deque(maxlen=RESIGN_PLIES)
        self._check_end()

    @property
    def to_move(self) -> Side:
        """Whose turn it is."""
        return self.referee.to_move

    @property
    def seat(self) -> SearchSide:
        """The player to move."""
        return self.seats[self.to_move]

    def select(self, leaves: Leaves) -> bool:
        """Search for the player to move until leaves want evaluating. False: the turn is over, or needs no search."""
        seat, start = self.seat, time.perf_counter()
        run = seat.run
        if run is None:
            if self._pass_wins():
                return False
            run = self._begin(seat)
        leaves.count = 0
        while leaves.count == 0 and not run.over():
            begun = seat.core.select(leaves, seat.player.params.leaves, run.budget())
            run.begun += begun
            seat.visits += begun
            if begun == 0:
                break
        seat.seconds += time.perf_counter() - start
        return leaves.count > 0

    def update(self, leaves: Leaves, answer: Evaluation, seconds: float) -> None:
        """Enter the answers, which took the evaluator so long. Ends the game if they are no numbers."""
        seat, start = self.seat, time.perf_counter()
        try:
            seat.core.update(leaves, answer)
        except ValueError as error:
            self._died(str(error))
        seat.seconds += seconds + time.perf_counter() - start

    def fail(self, leaves: Leaves, reason: str) -> None:
        """The evaluator of the player to move could not answer: the game is over."""
        self.seat.core.cancel(leaves)
        self._died(reason)

    def play_ranked(self, choose: Callable[[Position], tuple[int, float]]) -> None:
        """A turn of a player who has a rank. ``choose`` gives his move, and the position's value for him."""
        seat, start = self.seat, time.perf_counter()
        if self._pass_wins():
            point = PASS
        else:
            point, value = choose(self.referee.position)
            self._black_values.append(value if self.referee.position.to_play == BLACK else -value)
        self._play(point)
        seat.seconds += time.perf_counter() - start

    def finish_turn(self) -> None:
        """Play the move of the search."""
        seat = self.seat
        if seat.run is None:
            point = PASS
        else:
            point = self._by_policy(seat) if seat.player.raw else seat.core.choose()
            self._note_value(seat.core)
            seat.run = None
        self._play(point)

    # -- inside --

    def _play(self, point: int) -> None:
        """Play a move of who is to move, and see whether the game is over."""
        mover = self.to_move
        reason = self.referee.play(point)
        if reason:
            detail = f"{coords.to_gtp(point, self.terms.size)}: {reason}"
            self.played = self.referee.lost_by(mover, "illegal move", detail=detail, **self._facts())
        else:
            self._check_end()

    def _begin(self, seat: SearchSide) -> Run:
        position = self.referee.position
        seat.core.set_position(position)
        seat.core.agree(undisputed(position) if position.game.status[PASSES] else ())
        seat.core.renew()
        run = seat.run = Run(seat.core, seat.limits)
        seat.core.begin(run.simulations())
        return run

    def _by_policy(self, seat: SearchSide) -> int:
        """A sensible move drawn from the root's policy, as games without a search draw it (`goengine.policy_play`)."""
        position, root, size = self.referee.position, seat.core.root, self.terms.size
        assert root is not None, "a search comes before its policy"
        legal = np.zeros(size * size + 1, np.uint8)
        sensible_moves(position.game, position.code, legal)
        logits = np.log(roots.by_action(root.moves, root.raw, size) + np.float32(1e-30))
        temperature = roots.temperature_at(seat.player.params, len(position.moves), size)
        index = draw(logits, legal, float(temperature), seat.core.generator, np.zeros(len(legal)))
        return coords.from_index(int(index), size)

    def _pass_wins(self) -> bool:
        """The opponent has passed, and the board counts for the player to move as it stands: nobody plays on then.

        Only where passes do not cost or win points.
        """
        position = self.referee.position
        rules = position.rules
        if not position.game.status[PASSES] or rules.scoring != "area" or rules.has_button:
            return False
        white = position.score(undisputed(position))
        return (white < 0) if position.to_play == BLACK else (white > 0)

    def _note_value(self, core: TreeSearch) -> None:
        """Remember what the root is worth, for Black. The tree's sums are for the player who moved to the root."""
        row = core.tree.stats[0]
        value = -float(roots.with_rollouts(row, row[VALUE_SUM] / max(1.0, row[VALUES]), core.rollout_weight))
        self._black_values.append(value if self.referee.position.to_play == BLACK else -value)

    def _check_end(self) -> None:
        state = self.referee.state()
        if state == "passes":
            position = self.referee.position
            dead = frozenset() if counted_as_it_stands(position) else own_opinion(position)
            detail = {"detail": f"{len(dead)} dead stones by our own opinion"} if dead else {}
            self.played = self.referee.count(dead, **detail, **self._facts())
        elif state == "decided":
            self.played = self.referee.decided(**self._facts())
        elif state == "move limit":
            self.played = self.referee.limit_reached(**self._facts())
        else:
            loser = self._hopeless()
            if loser:
                self.played = self.referee.lost_by(loser, "resignation", **self._facts())

    def _hopeless(self) -> Side | None:
        """The side that both players have seen as lost for some turns."""
        limit, values = self.terms.resign, self._black_values
        if limit is None or len(values) < RESIGN_PLIES:
            return None
        black = self.referee.fixture.black
        return black if max(values) <= limit else other(black) if min(values) >= -limit else None

    def _died(self, reason: str) -> None:
        self.played = self.referee.lost_by(self.to_move, "died", detail=reason, **self._facts())

    def _facts(self) -> dict[str, Any]:
        return {
            "names": {side: seat.traits.name for side, seat in self.seats.items()},
            "seconds": {side: seat.seconds for side, seat in self.seats.items()},
            "visits": {side: seat.visits for side, seat in self.seats.items()},
        }
