"""The game at the end of a line of moves from the root, made in one go when the whole line is known.

A game remembers its last boards, and moves them up by one with every move. Whoever knows how long the line will be can write
each of them where it will stand at the end, and need not copy those that will be forgotten.
"""

import numpy as np

from goengine.board.game_kernels import advance
from goengine.board.state import HASHES, RECENT, TO_PLAY, copy_array
from goengine.core.jit import kernel

NOWHERE = -1  # the game has not been put at the root yet


@kernel
def go_along(game, root, line, gone, depth, length):
    """Bring ``game`` to where ``root`` is after the first ``depth`` moves of ``line``. Returns ``depth``.

    ``gone``: how many of them have been played on it, or NOWHERE. ``length``: of the line, the same in all calls for it; the
    last moves and boards are right at its end only.
    """
    if gone == NOWHERE:
        _start(game, root, length)
        gone = 0
    for i in range(gone, depth):
        place = length - 1 - i
        if place < RECENT:
            game.recent[place] = line[i]
            copy_array(game.past[place], game.board.color)
        advance(game, np.int64(line[i]), game.status[TO_PLAY])
    return depth


@kernel
def _start(game, root, length):
    """Copy the root's game; its last boards go where they stand after ``length`` moves."""
    b, r = game.board, root.board
    copy_array(b.color, r.color)
    copy_array(b.chain, r.chain)
    copy_array(b.next, r.next)
    copy_array(b.stones, r.stones)
    copy_array(b.pseudo, r.pseudo)
    copy_array(b.empties, r.empties)
    copy_array(b.slot, r.slot)
    copy_array(b.info, r.info)
    b.hash[0] = r.hash[0]
    for place in range(length, RECENT):
        game.recent[place] = root.recent[place - length]
        copy_array(game.past[place], root.past[place - length])
    count = root.status[HASHES]
    copy_array(game.hashes, root.hashes[:count])
    copy_array(game.movers, root.movers[:count])
    copy_array(game.touched, root.touched)
    copy_array(game.status, root.status)
