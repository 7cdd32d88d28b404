"""The set ``zero`` made the plain way: ladders on copies of the board, all regions for pass-alive, nothing kept or skipped.

What `goengine.features.zero` is compared with: the tests ask for equal planes, `goengine bench` says how much faster that one
is. Nothing else should call this.
"""

from typing import NamedTuple

import numpy as np

from goengine.board.coords import padded
from goengine.board.kernels import find_liberties
from goengine.board.ladders import BUDGET
from goengine.board.plain_ladders import (
    PlainLadderScratch,
    atari_captures,
    ladder_capture,
    ladder_escape,
    new_plain_ladder_scratch,
)
from goengine.board.scoring import BensonScratch, new_benson_scratch, plain_benson
from goengine.board.state import BLACK, SIZE, TO_PLAY, WHITE
from goengine.core.jit import kernel
from goengine.features.zero import clear_planes, encode_globals, encode_moves, encode_stones, mark


class PlainZeroScratch(NamedTuple):
    """Working memory of `encode` for one board size."""

    ladder: PlainLadderScratch
    benson: BensonScratch
    alive: np.ndarray  # uint8[P]    a colour's pass-alive area
    liberties: np.ndarray  # uint16[P]  by chain: liberties, counted once per position
    found: np.ndarray  # uint64[8]


def new_scratch(size: int) -> PlainZeroScratch:
    """Working memory for boards of this size."""
    words = np.zeros(padded(size), np.uint8), np.zeros(padded(size), np.uint16)
    return PlainZeroScratch(new_plain_ladder_scratch(size), new_benson_scratch(size), *words, np.zeros(8, np.uint64))


@kernel
def encode(game, rules, scratch, planes, values):
    """As `goengine.features.zero.encode`."""
    board, own = game.board, game.status[TO_PLAY]
    clear_planes(planes)
    encode_stones(game, rules, scratch, planes)
    encode_moves(game, planes)
    _encode_alive(board, own, rules.suicide != 0, scratch, planes)
    encode_globals(game, rules, values)
    for p in range(board.color.size):
        if p and board.chain[p] == p and scratch.liberties[p] <= 2:
            _encode_ladder(board, own, p, scratch, planes)


@kernel
def _encode_alive(board, own, suicide, scratch, planes):
    size = board.info[SIZE]
    for color in (BLACK, WHITE):
        plain_benson(board, color, scratch.alive, suicide, scratch.benson)
        for row in range(size):
            for column in range(size):
                if scratch.alive[(row + 1) * (size + 1) + column + 1] != 0:
                    planes[16 if color == own else 17, row, column] = 1


@kernel
def _encode_ladder(board, own, chain, scratch, planes):
    size, found = board.info[SIZE], scratch.found
    stone = np.int64(board.color[chain])
    if scratch.liberties[chain] == 1:
        saved, move = ladder_escape(board, chain, scratch.ladder, BUDGET)
        captured = not saved
        if saved and stone == own:
            mark(planes, 15, np.int64(move), size)
    else:
        captured, move = ladder_capture(board, chain, scratch.ladder, BUDGET)
        if captured and stone != own:
            mark(planes, 14, np.int64(move), size)
            find_liberties(board, chain, 2, found)
            other = np.int64(found[0] ^ found[1] ^ move)
            if atari_captures(board, chain, other, scratch.ladder, BUDGET):
                mark(planes, 14, other, size)
    if captured:
        for p in range(board.color.size):
            if board.chain[p] == chain:
                mark(planes, 12 if stone == own else 13, p, size)
