"""How a game goes on: moves with their past, superko, all legal moves at once, and a key of what can be seen of a game.

What a move does to the stones is `goengine.board.kernels`'.
"""

import numpy as np

from goengine.board.kernels import hash_after, is_legal, ko_point, play
from goengine.board.rules import KO_POSITIONAL, KO_SIMPLE
from goengine.board.state import (
    CAPTURED_BLACK,
    CAPTURED_WHITE,
    EMPTY,
    HASHES,
    NONE,
    PASS,
    PASSES,
    PLY,
    RECENT,
    SIZE,
    STRIDE,
    TO_PLAY,
    ZOBRIST_TO_PLAY,
    copy_array,
)
from goengine.core.jit import kernel
from goengine.core.mix import mix

_1 = np.uint64(1)


@kernel
def game_play(game, point, color):
    """Play a legal move or pass of ``color`` in a game: the board moves on, the past is kept, the opponent is to play."""
    board = game.board
    for ply in range(RECENT - 1, 0, -1):
        game.recent[ply] = game.recent[ply - 1]
        copy_array(game.past[ply], game.past[ply - 1])
    game.recent[0] = point
    copy_array(game.past[0], board.color)
    advance(game, point, color)


@kernel
def advance(game, point, color):
    """`game_play` without the last moves and boards, which are the caller's to write."""
    play(game.board, point, color)
    status = game.status
    if point == PASS:
        status[PASSES] += 1
    else:
        status[PASSES] = 0
        game.touched[point] = 1
    status[TO_PLAY] = 3 - color
    status[PLY] += 1
    _remember(game)


@kernel
def _remember(game):
    """Append the present position to the hashes; when they are full, forget the older half."""
    status = game.status
    capacity = game.hashes.size
    if status[HASHES] == capacity:
        half = capacity // 2
        for i in range(half):
            game.hashes[i] = game.hashes[capacity - half + i]
            game.movers[i] = game.movers[capacity - half + i]
        status[HASHES] = half
    game.hashes[status[HASHES]] = game.board.hash[0]
    game.movers[status[HASHES]] = status[TO_PLAY]
    status[HASHES] += 1


@kernel
def _has_empty_neighbour(board, point):
    s = board.info[STRIDE]
    return (
        board.color[point - s] == EMPTY
        or board.color[point - 1] == EMPTY
        or board.color[point + 1] == EMPTY
        or board.color[point + s] == EMPTY
    )


@kernel
def breaks_superko(game, point, color, ko_rule):
    """Whether the position after a move of ``color`` stood on the board before (positional; situational: same to play)."""
    if ko_rule == KO_SIMPLE or point == PASS:
        return False
    if game.touched[point] == 0 and _has_empty_neighbour(game.board, point):
        return False  # the stone stays where no stone ever stood; without an empty neighbour it might be suicide
    h = hash_after(game.board, point, color)
    for i in range(game.status[HASHES] - 1, -1, -1):
        if game.hashes[i] == h and (ko_rule == KO_POSITIONAL or game.movers[i] == 3 - color):
            return True
    return False


@kernel
def game_is_legal(game, point, color, rules):
    """Whether ``color`` may play ``point`` under the rules (a RuleCode), superko included."""
    if not is_legal(game.board, point, color, rules.suicide != 0):
        return False
    return not breaks_superko(game, point, color, rules.ko)


@kernel
def game_legal(game, rules, mask):
    """Write 1 into ``mask`` (uint8[N*N + 1], policy order) for each legal move of the player to move; pass is last.

    As `game_is_legal` for every point, in a quarter of the time: superko is asked only where a position can recur. A stone
    that lives changes the position for good where no stone ever stood.
    """
    board, color = game.board, game.status[TO_PLAY]
    colors, size, s = board.color, board.info[SIZE], np.uint64(board.info[STRIDE])
    suicide, ko = rules.suicide != 0, ko_point(board, color)
    index = 0
    for row in range(size):
        first = (row + 1) * (size + 1) + 1
        for point in range(first, first + size):
            p = np.uint64(point)
            legal = False
            if colors[p] == EMPTY and point != ko:
                open_ = colors[p - s] == EMPTY or colors[p - _1] == EMPTY or colors[p + _1] == EMPTY or colors[p + s] == EMPTY
                legal = open_ or is_legal(board, point, color, suicide)
                if legal and (game.touched[p] != 0 or (suicide and not open_)):
                    legal = not breaks_superko(game, point, color, rules.ko)
            mask[index] = legal
            index += 1
    mask[index] = 1


@kernel
def position_key(game):
    """A hash of what features see of a game: stones, side to play, ko, passes, the last moves and the balance of prisoners.

    Not in it: superko by positions before those moves. The rules and komi are the caller's to mix in.
    """
    h = game.board.hash[0] ^ ZOBRIST_TO_PLAY[game.status[TO_PLAY]]
    h = mix(h, np.uint64(ko_point(game.board, game.status[TO_PLAY])))
    h = mix(h, np.uint64(game.status[PASSES]))
    h = mix(h, np.uint64(game.board.info[CAPTURED_BLACK] - game.board.info[CAPTURED_WHITE]))
    for ply in range(RECENT):
        h = mix(h, np.uint64(game.recent[ply] - NONE))
    return h
