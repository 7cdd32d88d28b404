"""Who owns each point at the end of a counted game.

Records of servers end with dead stones on the board and neutral points open, so the last board alone does not show the owners.
Random playouts show which chains are dead, and a fill shows what the living stones surround. The result is believed only if its
count agrees with the record; on TYGEM games it does in four of five. Knows no nets and no files.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from goengine.board.kernels import play
from goengine.board.playout import playouts
from goengine.board.random import new_generator
from goengine.board.rules import SCORING_AREA
from goengine.board.state import BLACK, EMPTY, PASS, SIZE, Board, new_board
from goengine.core.jit import kernel
from training.data.sampling import Games, set_up

PLAYOUTS = 40  # per counted game
SURE = 0.8  # in a region that both sides touch, a point has an owner if playouts lean to one side by this share
TOLERANCE = 1.5  # points by which the count may differ from the record


class OwnershipScratch(NamedTuple):
    """Working memory for one board size."""

    board: Board
    trial: Board  # for playouts
    owned: np.ndarray  # int64[N*N]    playouts that Black ends with the point, minus White's
    balance: np.ndarray  # int64[P]    by chain: the same, for the chain's own side
    seen: np.ndarray  # uint8[N*N]
    region: np.ndarray  # int64[N*N]


def new_scratch(size: int) -> OwnershipScratch:
    """Working memory for boards of this size."""
    board, points = new_board(size), size * size
    return OwnershipScratch(
        board,
        new_board(size),
        np.zeros(points, np.int64),
        np.zeros(board.color.size, np.int64),
        np.zeros(points, np.uint8),
        np.zeros(points, np.int64),
    )


@kernel
def _alive_stones(scratch, out):
    """Write the stones of living chains into `out` (1 Black, -1 White).

    Those chains live whose points playouts leave to their own side.
    """
    board, owned, balance = scratch.board, scratch.owned, scratch.balance
    size = board.info[SIZE]
    for p in range(balance.size):
        balance[p] = 0
    for i in range(out.size):
        p = (i // size + 1) * (size + 1) + i % size + 1
        if board.color[p] != EMPTY:
            balance[board.chain[p]] += owned[i] if board.color[p] == BLACK else -owned[i]
    for i in range(out.size):
        p = (i // size + 1) * (size + 1) + i % size + 1
        color = board.color[p]
        out[i] = 0
        if color != EMPTY and balance[board.chain[p]] > 0:
            out[i] = 1 if color == BLACK else -1


@kernel
def _fill_regions(scratch, count, size, out):
    """Give every region without living stones to the side that alone surrounds it.

    Where both sides do, each point goes to whom playouts surely give it.
    """
    seen, region, owned = scratch.seen, scratch.region, scratch.owned
    for i in range(seen.size):
        seen[i] = 0
    for start in range(out.size):
        if out[start] != 0 or seen[start]:
            continue
        seen[start] = 1
        region[0] = start
        found, done, black, white = 1, 0, False, False
        while done < found:
            i = region[done]
            done += 1
            for side in range(4):
                row = i // size + (1 if side == 0 else -1 if side == 1 else 0)
                column = i % size + (1 if side == 2 else -1 if side == 3 else 0)
                if row < 0 or column < 0 or row >= size or column >= size:
                    continue
                j = row * size + column
                if out[j] == 1 and not seen[j]:
                    black = True
                elif out[j] == -1 and not seen[j]:
                    white = True
                elif out[j] == 0 and not seen[j]:
                    seen[j] = 1
                    region[found] = j
                    found += 1
        for place in range(found):
            i = region[place]
            if black != white:
                out[i] = 1 if black else -1
            elif owned[i] > SURE * count:
                out[i] = 1
            elif owned[i] < -SURE * count:
                out[i] = -1


@kernel
def _final_owner(games, g, scratch, generator, count, owner):
    """Who owns each point at the end of game g into `owner` int8[N*N] (1 Black, -1 White); returns Black's margin
    as counted so.

    Chains that lose their points in random playouts are dead; what living stones of one colour surround is theirs.
    """
    board = scratch.board
    first, end = games.start[g], games.start[g + 1]
    set_up(games, g, board)
    balance = 0.0 - games.komi[g]
    for i in range(games.setup_start[g], games.setup_start[g + 1]):
        balance -= 1 if games.setup_colors[i] == BLACK else -1
    for i in range(first, end):
        play(board, np.int64(games.moves[i]), games.colors[i])
        if games.moves[i] != PASS:
            balance -= 1 if games.colors[i] == BLACK else -1
    for i in range(owner.size):
        scratch.owned[i] = 0
    playouts(board, scratch.trial, np.int64(3 - games.colors[end - 1]), generator, count, scratch.owned)
    _alive_stones(scratch, owner)
    _fill_regions(scratch, count, np.int64(games.size[g]), owner)
    if games.rules[g, 1] == SCORING_AREA:  # stones put on the board count under area scoring only
        balance = 0.0 - games.komi[g]
    for i in range(owner.size):
        balance += owner[i]
    return balance


def estimate_owners(
    games: Games, chosen: np.ndarray, seed: int = 0, tick: Callable[[int], None] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(games whose owners are believed, int32[K]; int8[K, N*N]) of the `chosen` counted games, all of one board size.

    One to two milliseconds a game on 19x19. `tick` hears how many are done.
    """
    size = int(games.size[chosen].max(initial=2))
    scratch, generator = new_scratch(size), new_generator(seed)
    owner = np.zeros(size * size, np.int8)
    believed, owners = [], []
    for number, g in enumerate(chosen):
        margin = _final_owner(games, g, scratch, generator, PLAYOUTS, owner)
        if abs(margin - games.margin[g]) <= TOLERANCE:
            believed.append(g)
            owners.append(owner.copy())
        if tick and number % 100 == 0:
            tick(number)
    table = np.stack(owners) if owners else np.zeros((0, size * size), np.int8)
    return np.array(believed, np.int32), table
