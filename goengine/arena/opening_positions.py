"""What an opening is, and when two of them lead to the same position. Knows the rules; draws none."""

from goengine.arena.fixtures import Fixture, GameSetup
from goengine.arena.referee import Referee
from goengine.board import coords, symmetry
from goengine.board.position import IllegalMove

Opening = tuple[int, ...]  # points on the padded board


class OpeningsError(ValueError):
    """Openings that cannot be had; the message says why and what to do."""


def position_key(moves: Opening, terms: GameSetup) -> bytes | None:
    """What two openings share that lead to the same position up to symmetry; None if they cannot be played."""
    try:
        position = Referee(Fixture(0, "a", moves), terms).position
    except IllegalMove:
        return None
    stones = position.game.board.color[coords.points(terms.size)]
    return min(symmetry.flat(stones, s).tobytes() for s in range(symmetry.COUNT)) + bytes([position.to_play])
