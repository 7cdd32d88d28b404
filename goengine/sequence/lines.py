"""A game, or a part of one, as a line of tokens: two for the players' ranks, then set-up stones and moves.

Every token says what was played, by whom, and whose turn it is next; a model reads the first n and says token n + 1. The head's
tokens hold ranks as `goengine.ranks.inputs` writes them, Black's first, so that all ranks share what they teach. Lines of a
batch are padded behind; what stands behind a token never changes what a model says at it. 19x19 alone. Knows no nets.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import BLACK, WHITE
from goengine.nets.sequence.sequence_spec import BOARD
from goengine.ranks.inputs import side_inputs

MOVES = BOARD * BOARD + 1  # what a model says: points row by row, then the pass
HEAD = MOVES  # the token of a rank
PAD = MOVES + 1
TOKENS = MOVES + 2
HEADS = 2  # tokens of the head of a line


class Lines(NamedTuple):
    """B lines of T tokens."""

    tokens: np.ndarray  # int64[B, T]   policy indices, HEAD, PAD
    colors: np.ndarray  # int64[B, T]   who played it: BLACK or WHITE, of a head whose rank it is; 0 for padding
    turn: np.ndarray  # int64[B, T]     whose turn it is after it; 0 for padding
    ranks: np.ndarray  # float32[B, 2, SIDE]  Black's and White's

    @property
    def lengths(self) -> np.ndarray:
        """int64[B]: tokens of each line without padding."""
        found: np.ndarray = (self.tokens != PAD).sum(1)
        return found


class Sentence(NamedTuple):
    """One game before it is padded: moves as policy indices, and who made them."""

    moves: np.ndarray  # int64[n]
    colors: np.ndarray  # int64[n]
    ranks: tuple[float, float]  # Black's and White's, NaN where unknown
    turn: int  # whose turn it is after the last move


def as_lines(sentences: Sequence[Sentence], longest: int) -> Lines:
    """The sentences as lines; of one that is too long the last moves."""
    room = longest - HEADS
    kept = [(s.moves[-room:], s.colors[-room:]) for s in sentences]
    width = HEADS + max(len(moves) for moves, _ in kept)
    tokens = np.full((len(kept), width), PAD, np.int64)
    colors, turn = np.zeros_like(tokens), np.zeros_like(tokens)
    tokens[:, :HEADS], colors[:, :HEADS] = HEAD, (BLACK, WHITE)
    for row, (moves, own) in enumerate(kept):
        end = HEADS + len(moves)
        tokens[row, HEADS:end], colors[row, HEADS:end] = moves, own
        turn[row, : HEADS - 1] = BLACK
        turn[row, HEADS - 1 : end - 1], turn[row, end - 1] = own, sentences[row].turn
    ranks = np.stack([side_inputs(np.array([s.ranks[side] for s in sentences])) for side in (0, 1)], axis=1)
    return Lines(tokens, colors, turn, ranks)


def sentence_of(position: Position, black: float | None, white: float | None) -> Sentence:
    """A position's set-up stones and moves. Raises ValueError if its board is not 19x19."""
    if position.size != BOARD:
        raise ValueError(f"sequence models know {BOARD}x{BOARD} alone, not {position.size}x{position.size}")
    stones = [(BLACK, p) for p in position.black_setup] + [(WHITE, p) for p in position.white_setup]
    played = [*stones, *position.moves]
    moves = np.array([coords.to_index(point, BOARD) for _, point in played], np.int64)
    ranks = (np.nan if black is None else float(black), np.nan if white is None else float(white))
    return Sentence(moves, np.array([color for color, _ in played], np.int64), ranks, position.to_play)
