"""The positions of a recorded game that a review looks at: before and after each move, set-up stones between them included.

Knows records and the rules that they are judged by; no searches.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from goengine.board import coords
from goengine.board.kernels import is_legal
from goengine.board.position import Position
from goengine.board.rules import Rules, known_sgf_text
from goengine.dataio.records import Edit, GameRecord

_KEPT = 64  # positions that were built last


@dataclass(frozen=True)
class Place:
    """A moment of a game: after so many moves, before or after what is set up there, with a side to play."""

    ply: int
    edited: bool
    to_play: int


class GameLine:
    """A record's main line as far as it can be played: `places` in order, `before` and `after` the place of each move.

    fault: why it ends early, naming the move, or "".
    """

    def __init__(self, record: GameRecord, rules: Rules):
        self.record, self.rules, self.size = record, rules, record.size
        self.fault = record.fault
        self.places: list[Place] = []
        self.before: list[int] = []
        self.after: list[int] = []
        self._edits: dict[int, Edit] = {edit.ply: edit for edit in record.edits}
        self._latest: OrderedDict[int, Position] = OrderedDict()
        self._index: dict[Place, int] = {}
        self._walk()

    def _add(self, place: Place) -> int:
        if place not in self._index:
            self._index[place] = len(self.places)
            self.places.append(place)
        return self._index[place]

    def _walk(self) -> None:
        """Play the moves while they can be played. Raises ValueError if the first stones cannot stand."""
        position = self._beginning()
        for ply, (color, index) in enumerate(self.record.moves):
            try:
                edited = self._edit(position, ply, color)
                self._check(position, ply)
            except ValueError as error:
                self.fault = str(error)
                break
            self.before.append(self._add(Place(ply, edited, color)))
            self._play(position, color, coords.from_index(index, self.size))
            self.after.append(self._add(Place(ply + 1, False, int(position.to_play))))
        else:
            self._end(position)
        if not self.places:
            self._add(Place(0, False, int(position.to_play)))

    def _end(self, position: Position) -> None:
        """What is set up after the last move is a place of its own."""
        try:
            if self._edit(position, len(self.record.moves), 0):
                self._add(Place(len(self.record.moves), True, int(position.to_play)))
        except ValueError as error:
            self.fault = str(error)

    def _beginning(self) -> Position:
        record = self.record
        position = Position(self.size, self.rules)
        black, white = ([coords.from_index(i, self.size) for i in side] for side in (record.black_setup, record.white_setup))
        position.set_up(black, white, record.to_play)
        position.handicap = record.handicap_stones()
        return position

    def _edit(self, position: Position, ply: int, mover: int) -> bool:
        """Make the set-up after so many moves. Returns whether there is any."""
        edit = self._edits.get(ply)
        if edit is None:
            return False
        black, white, empty = ([coords.from_index(i, self.size) for i in points] for points in edit[1:4])
        try:
            position.edit(black, white, empty, edit.to_play or (mover if edit.changes_board else 0))
        except ValueError as error:
            raise ValueError(f"the stones set up after move {ply} cannot stand: {error}") from None
        return edit.changes_board

    def _check(self, position: Position, ply: int) -> None:
        """Raises ValueError if a move cannot be made. Superko and suicide of several stones pass: some rules allow them."""
        color, index = self.record.moves[ply]
        point = coords.from_index(index, self.size)
        reason = position.why_illegal(point, color, tolerant=True)
        if reason == "suicide" and is_legal(position.game.board, point, color, True):
            reason = ""
        if reason:
            vertex = coords.to_gtp(point, self.size)
            raise ValueError(f"move {ply + 1}, {'BW'[color - 1]} {vertex}, is illegal ({reason})")

    @staticmethod
    def _play(position: Position, color: int, point: int) -> None:
        position.execute(point, color)

    def point(self, ply: int) -> int:
        """The point of the move after so many moves."""
        return coords.from_index(self.record.moves[ply][1], self.size)

    def at(self, index: int) -> Position:
        """The position at a place: the caller's own."""
        place = self.places[index]
        start = max((kept for kept in self._latest if kept <= place.ply), default=None)
        position = self._beginning() if start is None else self._latest[start].copy()
        for ply in range(start or 0, place.ply):
            color, move = self.record.moves[ply]
            self._edit(position, ply, color)
            self._play(position, color, coords.from_index(move, self.size))
        self._latest[place.ply] = position.copy()
        self._latest.move_to_end(place.ply)
        while len(self._latest) > _KEPT:
            self._latest.popitem(last=False)
        if place.edited:
            self._edit(position, place.ply, place.to_play)
        if position.to_play != place.to_play:
            position.to_play = place.to_play
        return position

    def boards(self) -> Iterator[tuple[int, ...]]:
        """The colours of all points, in policy order: before the first move, then after each that can be played."""
        position = self._beginning()
        points = coords.points(self.size)
        yield tuple(position.game.board.color[points].tolist())
        for ply in range(len(self.before)):
            color, move = self.record.moves[ply]
            self._edit(position, ply, color)
            self._play(position, color, coords.from_index(move, self.size))
            yield tuple(position.game.board.color[points].tolist())


def rules_of(record: GameRecord, rules: str | None, komi: float | None) -> tuple[Rules, str]:
    """(the rules to review by, what had to be assumed or ""). What is given goes before what the record says.

    Raises RulesError if the given rules are unknown.
    """
    note = ""
    if rules is not None:
        found = Rules.parse(rules)
    else:
        known = known_sgf_text(record.rules) if record.rules else None
        found = known or Rules()
        if known is None:
            said = f"the rules '{record.rules[:40]}' are unknown" if record.rules else "the record names no rules"
            note = f"{said}: {found.name()} are assumed"
    if komi is not None:
        return found.with_komi(komi), note
    if record.names_komi:
        return found.with_komi(record.komi), note
    if record.handicap_stones() >= 2:
        return found.with_komi(0.5), note
    return found, note
