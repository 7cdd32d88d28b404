"""What a finished game is worth inside the tree. Reads boards only.

A game is finished by two passes. Area: Tromp-Taylor, every stone on the board is alive. Territory: stones inside the opponent's
pass-alive area are dead, all others alive; taxes are left to the real counting at the end of the game.
"""

from goengine.board.rules import SCORING_TERRITORY
from goengine.board.scoring import ALIVE_TERRITORY, area, area_of, benson
from goengine.board.state import BLACK, CAPTURED_BLACK, CAPTURED_WHITE, EMPTY, PASSES, SIZE, WHITE
from goengine.core.jit import kernel


@kernel
def is_over(game, rules, passes):
    """Whether two passes in a row have ended the game, of ``passes`` in all; the one that takes a button does not count."""
    row = game.status[PASSES]
    if rules.button != 0 and row == passes:
        row -= 1
    return row >= 2


@kernel
def final_score(board, rules, scratch):
    """Black's points minus White's on a finished board, the rules' komi counted in."""
    if rules.scoring != SCORING_TERRITORY:
        return area(board, scratch.owner, scratch.stack) - rules.komi
    return _territory(board, scratch) - rules.komi


@kernel
def _territory(board, scratch):
    """Black's territory less White's, and each side's prisoners against it."""
    colors = scratch.colors
    for p in range(colors.size):
        colors[p] = board.color[p]
    prisoners = board.info[CAPTURED_WHITE] - board.info[CAPTURED_BLACK]
    for color in (BLACK, WHITE):
        benson(board, color, scratch.alive, False, scratch.benson)
        for p in range(colors.size):
            if scratch.alive[p] == ALIVE_TERRITORY and board.color[p] == 3 - color:
                colors[p] = EMPTY
                prisoners += 1 if color == BLACK else -1
    area_of(colors, board.info[SIZE], scratch.owner, scratch.stack)
    score = prisoners
    for p in range(colors.size):
        if colors[p] == EMPTY:
            score += scratch.owner[p]
    return score
