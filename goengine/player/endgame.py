"""When to pass, what to capture first, and when to give up: the engine's judgement beyond the search.

Passing ends a game, so it is decided by counting. Where the board is counted as it stands (area rules without agreement about
dead stones), dead stones of the opponent are captured first. Knows positions and opinions about them
(`goengine.player.territory`), and the search's candidates as plain numbers; knows no search, no clock and no protocol.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from goengine.board import coords
from goengine.board.game_kernels import breaks_superko
from goengine.board.kernels import fills_eye, find_liberties, is_legal, play
from goengine.board.life import empty_regions, neighbours, without
from goengine.board.position import Position
from goengine.board.rules import KO_POSITIONAL
from goengine.board.state import BLACK, EMPTIES, EMPTY, PASS, PASSES, SIZE, WHITE, Board, copy_board, new_board
from goengine.player.engine_options import EngineOptions
from goengine.player.territory import Territory

PASS_MARGIN = 0.1  # in value: a pass that costs no more than this is as good as a move on a settled board
LARGEST_DAME = 3  # points of a neutral region that nobody fights over
OPEN_BOARD = 0.3  # share of empty points above which no pass is good while anything is unsettled
STRANGE_KOMI = 0.35  # of N * N points: beyond it no net has learned what positions are worth
LONG_GAME = 2.5  # times N * N moves: on a settled board nobody plays on beyond it


@dataclass(frozen=True)
class Candidate:
    """A move as the search sees it. `value` is None if it was never visited."""

    point: int
    value: float | None


def candidates(position: Position, searched: Mapping[int, float | None], first: int) -> list[Candidate]:
    """All legal moves: ``first``, then what else was searched, in its order (point -> value or None), then the others."""
    order = sorted(searched, key=lambda point: point != first)
    rest = [point for point in position.legal_moves() if point not in searched]
    return [Candidate(point, searched.get(point)) for point in (*order, *rest)]


def may_play(position: Position, point: int, color: int) -> bool:
    """Whether the engine itself would play there: legal, no suicide, and under no rules a repetition of the whole board."""
    if point == PASS:
        return True
    if position.why_illegal(point, color) or breaks_superko(position.game, point, color, KO_POSITIONAL):
        return False
    return not position.rules.suicide or _liberties_after(position, point, color) > 0


def is_own_eye(position: Position, point: int, color: int) -> bool:
    """Whether the move would fill an eye of its own colour."""
    return point != PASS and bool(fills_eye(position.game.board, point, color))


def _liberties_after(position: Position, point: int, color: int) -> int:
    """Liberties, up to 3, of the chain that a legal move makes; 0 if it takes itself off."""
    board = new_board(position.size)
    copy_board(board, position.game.board)
    play(board, point, color)
    return int(find_liberties(board, point, 3, np.zeros(3, np.uint64))) if board.color[point] != EMPTY else 0


def lead_for(position: Position, color: int, dead: frozenset[int] = frozenset()) -> float:
    """Points by which `color` is ahead if the game ended now with these stones dead."""
    white = position.score(dead)
    return -white if color == BLACK else white


def counted_as_it_stands(position: Position) -> bool:
    """Whether two passes end the game without agreement about dead stones."""
    return position.rules.scoring == "area" and not position.rules.friendly_pass_ok


def settled(position: Position, territory: Territory, color: int) -> bool:
    """Whether no chain and no territory is in doubt, and nothing neutral is left that `color` would want.

    Under area rules that is any dame. Under territory rules it is a region that is too large to be one, or where a move makes
    territory, or threatens something that must be answered in one's own.
    """
    if territory.open or not territory.firm:
        return False
    if position.rules.scoring == "area":
        return not any(may_play(position, p, color) for p in territory.dame)
    if any(len(region) > LARGEST_DAME for region in territory.neutral):
        return False
    rest = without(position.game.board, territory.dead_points)
    return not any(_matters(rest, region) for region in territory.neutral)


def _matters(board: Board, region: Sequence[int]) -> bool:
    """Whether a move of either colour in a neutral region gives it a part of the region as territory, or an atari."""
    places, size = frozenset(region), int(board.info[SIZE])
    for p in region:
        for color in (BLACK, WHITE):
            if not is_legal(board, p, color, False):
                continue
            after = new_board(size)
            copy_board(after, board)
            play(after, p, color)
            around = [n for n in neighbours(p, size) if after.color[n] == 3 - color]
            if any(find_liberties(after, n, 2, np.zeros(2, np.uint64)) == 1 for n in around):
                return True
            if any(owner == color and not places.isdisjoint(points) for points, owner in empty_regions(after)):
                return True
    return False


def dead_chains(position: Position, territory: Territory, color: int) -> list[tuple[int, ...]]:
    """The dead chains of a colour."""
    return [chain for chain in territory.dead if position.color(chain[0]) == color]


def capturing_move(
    position: Position, color: int, chains: Sequence[tuple[int, ...]], preferred: Sequence[int], bad: Set[int] = frozenset()
) -> int | None:
    """A move towards capturing dead chains: on a liberty of one of them, those with the fewest first; None if none makes sense.

    `preferred` are the search's candidates, best first; `bad` are never played. Moves into atari come last, as a dead eye space
    needs them at times.
    """
    board, stride = position.game.board, coords.stride(position.size)
    rank = {p: i for i, p in enumerate(preferred)}
    hopeful: list[tuple[bool, int, int, int]] = []
    for chain in chains:
        free = {n for p in chain for n in (p - stride, p - 1, p + 1, p + stride) if board.color[n] == EMPTY}
        for p in free:
            if p not in bad and may_play(position, p, color) and not is_own_eye(position, p, color):
                captures = len(free) == 1
                risky = not captures and _liberties_after(position, p, color) < 2
                hopeful.append((risky, len(free), rank.get(p, len(rank)), p))
    return min(hopeful)[3] if hopeful else None


def values_mean_something(position: Position) -> bool:
    """Whether the game's komi, with all that White gets, is one that nets may know: beyond that their values are noise."""
    return abs(position.white_bonus()) <= STRANGE_KOMI * position.size**2


class Finish:
    """The choice between the search's move, a capture of dead stones, and a pass.

    candidates: the search's moves, best first. territory: an opinion about the position, whose player to move is `color`.
    pass_value: gives the net's value of a pass for `color`, asked where the search never tried one; None if no value of this
    search means anything.
    """

    def __init__(
        self,
        position: Position,
        color: int,
        candidates: Sequence[Candidate],
        territory: Territory,
        pass_value: Callable[[], float] | None,
    ):
        self.position, self.color, self.territory, self.pass_value = position, color, territory, pass_value
        self.playable = [c for c in candidates if may_play(position, c.point, color)]
        self.moves = [c for c in self.playable if c.point != PASS and not is_own_eye(position, c.point, color)]
        self.passing = next((c for c in self.playable if c.point == PASS), None)
        self.prisoners = dead_chains(position, territory, 3 - color)
        self.settled = settled(position, territory, color)

    def choose(self) -> int:
        """The point to play, or PASS."""
        if not self.moves:
            return self._capture() or PASS
        if self.position.game.status[PASSES] and self._pass_ends_well():
            return PASS
        if self.settled:
            return self._on_settled_board()
        if self.playable[0].point != PASS:
            return self.moves[0].point
        return self._instead_of_pass()

    def choose_cleanup(self) -> int:
        """As `choose`, but never a pass while dead stones of the opponent stand."""
        if self.prisoners:
            return self._capture() or (self.moves[0].point if self.moves else PASS)
        if self.settled or not self.moves:
            return PASS
        return self.choose()

    def _pass_ends_well(self) -> bool:
        """The opponent has passed: does another pass win, or is there nothing left to do?"""
        if counted_as_it_stands(self.position):
            return lead_for(self.position, self.color) > 0 or (self.settled and not self.prisoners)
        wins = lead_for(self.position, self.color, self.territory.dead_points) > 0
        return self.settled or (wins and self.playable[0].point == PASS)

    def _on_settled_board(self) -> int:
        if counted_as_it_stands(self.position) and self.prisoners and not self._is_urgent():
            capture = self._capture()
            if capture is not None:
                return capture
        if self.position.rules.scoring == "territory":
            return PASS if self.playable[0].point not in self._neutral() else self.playable[0].point
        if not counted_as_it_stands(self.position) and lead_for(self.position, self.color, self.territory.dead_points) > 0:
            return PASS
        return PASS if self._pass_costs_nothing() else self.moves[0].point

    def _is_urgent(self) -> bool:
        """Whether the search has found a move that is worth clearly more than a pass: the opponent is up to something."""
        best, passing = self.playable[0], self.passing.value if self.passing else None
        return best.point != PASS and best.value is not None and passing is not None and best.value - passing > PASS_MARGIN

    def _neutral(self) -> frozenset[int]:
        """Points that belong to nobody: under territory rules nothing is lost by playing there."""
        return frozenset(p for region in self.territory.neutral for p in region)

    def _capture(self) -> int | None:
        """A move towards the capture of dead stones, but none that the search has found to be worse than a pass."""
        passing = self.passing.value if self.passing else None
        limit = -1.0 if passing is None else passing - PASS_MARGIN
        bad = {c.point for c in self.playable if c.value is not None and c.value < limit}
        return capturing_move(self.position, self.color, self.prisoners, [c.point for c in self.playable], bad)

    def _pass_costs_nothing(self) -> bool:
        long = len(self.position.moves) > LONG_GAME * self.position.size**2
        if long or self.pass_value is None or self.playable[0].point == PASS:
            return True
        best = self.moves[0].value
        if self.passing is None or best is None:
            return False
        passing = self.pass_value() if self.passing.value is None else self.passing.value
        return best - passing <= PASS_MARGIN

    def _instead_of_pass(self) -> int:
        """The search would pass on an unsettled board: a move that does no harm, or the pass if there is none, as in a seki."""
        if self.position.game.board.info[EMPTIES] > OPEN_BOARD * self.position.size**2:
            return self.moves[0].point  # whatever the values are: they tell little where komi has decided the game
        if self.pass_value is None:
            safe = (c.point for c in self.moves if _liberties_after(self.position, c.point, self.color) >= 2)
            return next(safe, PASS)
        visited = [c.value for c in self.moves if c.value is not None]
        passing = self.passing.value if self.passing else None
        would_end = self.position.game.status[PASSES] > 0  # and `_pass_ends_well` has said no
        if would_end or passing is None or not visited or max(visited) >= passing - PASS_MARGIN:
            return self.moves[0].point
        return PASS


def resignation_min_move(position: Position, options: EngineOptions, color: int) -> int:
    """Moves that must be on the board before the engine gives up: more on larger boards and when giving handicap."""
    if options.resign_min_move is not None:
        return options.resign_min_move
    given = position.handicap_stones() if color != BLACK else 0
    return 3 * position.size + 10 * given


def resignation_chance(position: Position, options: EngineOptions, color: int) -> float:
    """The chance of winning below which a game is lost; who gives handicap begins low and gives up later."""
    given = position.handicap_stones() if color != BLACK else 0
    return options.resign_winrate / (1 + given)


class Resignation:
    """Counts the hopeless turns of a colour in a row."""

    def __init__(self) -> None:
        self._hopeless = {1: 0, 2: 0}

    def reset(self) -> None:
        """A new game, or another position."""
        self._hopeless = {1: 0, 2: 0}

    def decide(self, position: Position, options: EngineOptions, color: int, chance: float, lead: float) -> bool:
        """Whether `color` gives up. `chance` is the search's, `lead` the points by a count that does not ask the net.

        Both must say that the game is lost, at as many turns in a row as the options demand.
        """
        hopeless = chance < resignation_chance(position, options, color) and lead < 0
        self._hopeless[color] = self._hopeless[color] + 1 if hopeless else 0
        if not options.resign or len(position.moves) < resignation_min_move(position, options, color):
            return False
        return self._hopeless[color] >= options.resign_turns
