"""Which stones are dead, and whether anything on the board is still open: the engine's one opinion about a position's end.

Who owns a point is told by random playouts, and by the net where its ownership is proven: then each has half a say. Benson's
algorithm overrules them where it proves life or death, and so does reading in small fights (`goengine.board.life`).

Knows the board, not the game: no clock, no search, no rules beyond suicide.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from goengine.board import coords, life
from goengine.board.playout import playouts
from goengine.board.scoring import ALIVE_STONE, ALIVE_TERRITORY, benson, new_benson_scratch
from goengine.board.state import BLACK, EMPTY, SIZE, WHITE, Board, new_board

# A chain is dead where the map of owners gives its points, on average, less than this to its colour. `training count` measures
# it: on 300 counted games the maps of b8c96 and of playouts name 3 wrong winners with -0.08, with 0 and with 0.06.
DEAD_BELOW = 0.0
DOUBT = 0.16  # a chain this near to the border may still live or die, unless reading tells
FIRM = 0.25  # the mean of a territory whose owner is clear; in those finished games none was below 0.31, an open board has 0.1


@dataclass(frozen=True)
class Territory:
    """An opinion about every chain of a board."""

    owned: np.ndarray  # float32[N*N] in index order: 1 = Black's, -1 = White's
    alive: tuple[life.Chain, ...]  # but for those in seki: every chain is alive, in seki or dead
    dead: tuple[life.Chain, ...]
    open: tuple[life.Chain, ...]  # chains, of both lists above, that are not decided
    neutral: tuple[tuple[int, ...], ...]  # empty regions that belong to nobody once the dead stones are gone
    firm: bool  # whether the map of owners agrees with who surrounds what
    seki: tuple[life.Chain, ...]
    dame: frozenset[int]  # neutral points that somebody can fill

    @property
    def dead_points(self) -> frozenset[int]:
        """All dead stones."""
        return frozenset(p for chain in self.dead for p in chain)


def owned_by_playouts(board: Board, to_play: int, generator: np.ndarray, count: int) -> np.ndarray:
    """Mean ownership over `count` random playouts, half of them with each colour first: float32[N*N], 1 = Black's."""
    size = int(board.info[SIZE])
    total, scratch = np.zeros(size * size, np.int64), new_board(size)
    half = max(1, count // 2)
    for color in (to_play, 3 - to_play):
        playouts(board, scratch, color, generator, half, total)
    return (total / (2 * half)).astype(np.float32)


def judge(board: Board, owned: np.ndarray, suicide: bool) -> Territory:
    """Alive and dead chains by a map of owners (float32[N*N], 1 = Black's), corrected by proofs and by reading."""
    said = _by_ownership(board, owned, suicide)
    doubtful = [chain for chain, lives, sure in said if lives and not sure]
    reading = life.read(board, [chain for chain, lives, _ in said if not lives], doubtful)
    rest = life.without(board, frozenset(p for chain in reading.dead for p in chain))
    in_seki, dame = life.rest_of(rest)
    living = [chain for chain, _, _ in said if chain not in reading.dead]
    seki = [chain for chain in living if chain[0] in in_seki]
    alive = [chain for chain in living if chain[0] not in in_seki]
    unsure = [
        chain
        for chain, lives, sure in said
        if chain[0] in reading.unsettled or not (sure or chain[0] in reading.settled or chain[0] in in_seki)
    ]
    neutral = tuple(tuple(region) for region, color in life.empty_regions(rest) if color == EMPTY)
    firm = _firm(rest, owned, in_seki | reading.settled)
    return Territory(owned, tuple(alive), tuple(reading.dead), tuple(unsure), neutral, firm, tuple(seki), dame)


def _firm(board: Board, owned: np.ndarray, read: Set[int]) -> bool:
    """Whether the map of owners agrees with who surrounds what, on a board without dead stones.

    The map is not asked about eyes that nobody can take away, nor where reading has told more: on points of `read`, which may
    hold dead stones, and beside them.
    """
    size = int(board.info[SIZE])
    eyes = life.lasting_eyes(board)
    doubtful = [
        (region, color)
        for region, color in life.empty_regions(board)
        if color != EMPTY and region not in eyes and read.isdisjoint(region) and not _beside(region, read, size)
    ]
    return all(_mean(owned, region, color, size) >= FIRM for region, color in doubtful)


def _by_ownership(board: Board, owned: np.ndarray, suicide: bool) -> list[tuple[life.Chain, bool, bool]]:
    """(chain, whether it lives, whether that is sure) of all chains: by the map of owners, or as Benson proves."""
    size = int(board.info[SIZE])
    proofs = {color: _benson(board, size, color, suicide) for color in (BLACK, WHITE)}
    found = []
    for group in _groups(board, size):
        color = int(board.color[group[0][0]])
        mean = _mean(owned, [p for chain in group for p in chain], color, size)
        for chain in group:
            if proofs[color][chain[0]] == ALIVE_STONE or proofs[3 - color][chain[0]] == ALIVE_TERRITORY:
                found.append((chain, proofs[color][chain[0]] == ALIVE_STONE, True))
            else:
                found.append((chain, mean >= DEAD_BELOW, abs(mean - DEAD_BELOW) >= DOUBT))
    return found


def _mean(owned: np.ndarray, points: Sequence[int], color: int, size: int) -> float:
    """How much of these points belongs to a colour, by the map of owners: -1 to 1."""
    mean = float(owned[[coords.to_index(p, size) for p in points]].mean())
    return mean if color == BLACK else -mean


def _beside(region: Sequence[int], stones: Set[int], size: int) -> bool:
    """Whether a region touches one of these stones."""
    return any(n in stones for p in region for n in life.neighbours(p, size))


def _benson(board: Board, size: int, color: int, suicide: bool) -> np.ndarray:
    alive = np.zeros(board.color.size, np.uint8)
    benson(board, color, alive, suicide, new_benson_scratch(size))
    return alive


def _groups(board: Board, size: int) -> list[list[life.Chain]]:
    """Chains of one colour that share two liberties cannot be cut apart, so they live or die together: lists of chains."""
    every = life.chains(board)
    liberties = [life.liberties(board, chain) for chain in every]
    leader = list(range(len(every)))

    def find(i: int) -> int:
        while leader[i] != i:
            i = leader[i]
        return i

    around: dict[int, list[int]] = {}
    for i, points in enumerate(liberties):
        for p in points:
            around.setdefault(p, []).append(i)
    for i, points in enumerate(liberties):
        shared: dict[int, int] = {}
        for j in (j for p in points for j in around[p] if j > i and board.color[every[j][0]] == board.color[every[i][0]]):
            shared[j] = shared.get(j, 0) + 1
        for j, count in shared.items():
            if count >= 2:
                leader[find(j)] = find(i)
    groups: dict[int, list[life.Chain]] = {}
    for i, chain in enumerate(every):
        groups.setdefault(find(i), []).append(chain)
    return list(groups.values())
