"""A position as plain text: the board with coordinates, the last move marked, captures, rules. Knows no terminal."""

from goengine.board import coords
from goengine.board.drawing import star_points
from goengine.board.position import Position
from goengine.board.state import BLACK, WHITE

_LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"


def text(position: Position) -> str:
    """Rows from the top: X Black, O White, `+` star points, brackets around the last move; then what no board shows."""
    size = position.size
    stars = star_points(size)
    header = "   " + " ".join(_LETTERS[:size])
    rows = [header]
    for row in range(size):
        line = f"{size - row:2d}"
        for column in range(size):
            p = coords.point(row, column, size)
            symbol = ".XO"[position.color(p)]
            symbol = "+" if symbol == "." and (row, column) in stars else symbol
            line += f"({symbol}" if p == position.last_move else f"){symbol}" if _last_left(position, p) else f" {symbol}"
        end = ")" if coords.point(row, size - 1, size) == position.last_move else " "
        rows.append(f"{line}{end}{size - row}")
    return "\n".join([*rows, header, *_facts(position)])


def _last_left(position: Position, p: int) -> bool:
    """Whether the point to the left is the last move; the left neighbour of a first column is an edge point."""
    return position.last_move > 0 and p - 1 == position.last_move


def _facts(position: Position) -> list[str]:
    rules = position.rules
    handicap = position.handicap_stones()
    turn = "Black" if position.to_play == BLACK else "White"
    return [
        f"move {len(position.moves) + 1}, {turn} to play" + (f", handicap {handicap}" if handicap else ""),
        f"captured: {position.captured(WHITE)} white by Black, {position.captured(BLACK)} black by White",
        f"rules {rules.name()}, komi {rules.komi:g}",
    ]
