"""A review by rank: how likely people of the player's rank, and stronger ones, play each move, and what these would have seen.

A mistake is typical of a rank where people of the rank often play it; else it is a slip: he who made it knows better. "Often"
is at least TYPICAL of the time, or at least half as often as the move that the rank likes best. Knows ranked nets and
positions; no searches and no files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import BLACK, PASS
from goengine.dataio.records import GameRecord
from goengine.evaluators.ranked import RankedPolicy
from goengine.nets.sequence.sequence_spec import BOARD
from goengine.ranks.scale import HIGHEST, RankError, rank_name, rank_value
from goengine.review.judgement import MoveReview, RankedMove
from goengine.review.line import GameLine
from goengine.sequence.decoder import Decoder

STRONGER: Final = 3.0  # stones
TYPICAL: Final = 0.10
SEEN: Final = 8  # moves of a line that a stronger player sees
POSITIONS: Final = 32  # asked about at a time
FROM_RECORD: Final = "record"


@dataclass(frozen=True)
class Ranks:
    """By whose eyes a game is reviewed: numbers on the scale, None for a side that is not; seen: of the better lines."""

    black: float | None
    white: float | None
    seen: float | None = None  # None: STRONGER stones above the player

    def own(self, color: int) -> float | None:
        """The player's rank."""
        return self.black if color == BLACK else self.white

    def stronger(self, color: int) -> float:
        """Of whom the player can learn."""
        own = self.own(color)
        assert own is not None
        return min(HIGHEST, own + STRONGER) if self.seen is None else self.seen


def ranks_of(text: str, record: GameRecord, seen: str | None = None) -> tuple[Ranks | None, str]:
    """(ranks of a game, or None for no review by rank; what is to be told).

    text: `record` (BR and WR), `none`, one rank for both, or Black's and White's with a comma, of which one may be empty.
    Raises RankError if a rank is asked for that is none.
    """
    above = None if seen is None else rank_value(seen)
    if text == "none":
        return None, ""
    if text == FROM_RECORD:
        known = [None if not rank <= HIGHEST else rank for rank in record.ranks()]
        wrong = [
            said for said, rank in zip((record.black_rank, record.white_rank), known, strict=True) if said and rank is None
        ]
        note = f"no review by the rank {' and '.join(said[:20] for said in wrong)}" if wrong else ""
        return (None if known == [None, None] else Ranks(known[0], known[1], above)), note
    words = [word.strip() for word in text.split(",")]
    if len(words) > 2 or not any(words):
        raise RankError(f"ranks '{text[:40]}': expected one such as 5k, or Black's and White's such as 5k,3d")
    black, white = (None if not word else rank_value(word) for word in (words[0], words[-1]))
    return Ranks(black, white, above), ""


@dataclass(frozen=True)
class RankedNets:
    """The nets of a review by rank. decoder: continues lines on 19x19; without it the policy does, as on other boards."""

    policy: RankedPolicy
    decoder: Decoder | None = None

    def continuations(self, positions: Sequence[Position], ranks: Sequence[float]) -> list[tuple[int, ...]]:
        """How players of these ranks go on, both sides alike: the likeliest move each time, SEEN of them at most."""
        if self.decoder is None or positions[0].size != BOARD:
            return continuations(self.policy, positions, ranks)
        lines = [self.decoder.continuation(position, rank, rank, SEEN) for position, rank in zip(positions, ranks, strict=True)]
        return [tuple(step.point for step in line) for line in lines]


def read_by_rank(
    nets: RankedNets, line: GameLine, moves: Sequence[MoveReview], ranks: Ranks, stop: Callable[[], bool]
) -> dict[int, RankedMove]:
    """By number of the move: what the ranks say of each reviewed move, and what stronger players see in place of mistakes."""
    wanted = [move for move in moves if move.known and ranks.own(move.color) is not None]
    found: dict[int, RankedMove] = {}
    for start in range(0, len(wanted), POSITIONS):
        if stop():
            return found
        part = wanted[start : start + POSITIONS]
        for move, own, above in zip(part, *_shares(nets.policy, line, part, ranks), strict=True):
            found[move.number] = _ranked(move, own, above, ranks, line.size)
    missed = [move for move in wanted if move.mistake and move.number in found]
    for start in range(0, len(missed), POSITIONS):
        if stop():
            return found
        part = missed[start : start + POSITIONS]
        positions = [line.at(line.before[move.number - 1]) for move in part]
        lines = nets.continuations(positions, [ranks.stronger(move.color) for move in part])
        for move, seen in zip(part, lines, strict=True):
            found[move.number] = found[move.number].with_line(seen)
    return found


def _shares(policy: RankedPolicy, line: GameLine, moves: Sequence[MoveReview], ranks: Ranks) -> tuple[np.ndarray, np.ndarray]:
    """float32[moves, A] twice: what the own rank plays, and what the stronger one does."""
    positions = [line.at(line.before[move.number - 1]) for move in moves]
    others = [ranks.own(3 - move.color) for move in moves]
    own = policy.probabilities(positions, [ranks.own(move.color) for move in moves], others)
    return own, policy.probabilities(positions, [ranks.stronger(move.color) for move in moves], others)


def _ranked(move: MoveReview, own: np.ndarray, above: np.ndarray, ranks: Ranks, size: int) -> RankedMove:
    rank = ranks.own(move.color)
    assert rank is not None
    index = coords.to_index(move.point, size)
    share = float(own[index])
    return RankedMove(
        rank=rank_name(rank),
        share=share,
        stronger=rank_name(ranks.stronger(move.color)),
        stronger_share=float(above[index]),
        favourite=coords.from_index(int(own.argmax()), size),
        typical=share >= TYPICAL or share >= own.max() / 2,
    )


def continuations(policy: RankedPolicy, positions: Sequence[Position], ranks: Sequence[float]) -> list[tuple[int, ...]]:
    """As `RankedNets.continuations`, by the policy."""
    boards = [position.copy() for position in positions]
    lines: list[list[int]] = [[] for _ in boards]
    for _ in range(SEEN):
        going = [i for i, board in enumerate(boards) if not board.is_over() and not (lines[i] and lines[i][-1] == PASS)]
        if not going:
            break
        shares = policy.probabilities([boards[i] for i in going], [ranks[i] for i in going], [ranks[i] for i in going])
        for i, row in zip(going, shares, strict=True):
            point = coords.from_index(int(row.argmax()), boards[i].size)
            boards[i].play(point, tolerant=True)
            lines[i].append(point)
    return [tuple(found) for found in lines]


def typical_and_slips(moves: Sequence[MoveReview]) -> tuple[int, int]:
    """(mistakes that are typical of the player's rank, slips) among these moves."""
    ranked = [move.ranked for move in moves if move.mistake and move.ranked is not None]
    typical = sum(found.typical for found in ranked)
    return typical, len(ranked) - typical
