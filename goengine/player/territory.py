"""Which stones are dead, and whether anything on the board is still open: the engine's one opinion about a position's end.

Who owns a point is told by the net where its ownership is proven, else by random playouts; Benson's algorithm overrules both
where it proves life or death. Knows the board, not the game: no clock, no search, no rules beyond suicide.
"""

from dataclasses import dataclass

import numpy as np

from goengine.board import coords
from goengine.board.playout import playouts
from goengine.board.scoring import ALIVE_STONE, ALIVE_TERRITORY, area_of, benson, new_benson_scratch
from goengine.board.state import BLACK, EMPTY, SIZE, WHITE, Board, new_board

# A chain is dead where the map of owners gives its points, on average, less than this to its own colour. In GNU Go's opinion of
# 95 of its own finished games, 300 playouts put 691 of 692 living groups above 0.06 and 118 of 122 dead ones below.
DEAD_BELOW = 0.06
DOUBT = 0.12  # a chain this near to the border may still live or die
FIRM = 0.25  # the mean of a territory whose owner is clear; in those finished games none was below 0.31, an open board has 0.1


@dataclass(frozen=True)
class Territory:
    """An opinion about every chain of a board."""

    owned: np.ndarray  # float32[N*N] in index order: 1 = Black's, -1 = White's
    alive: tuple[tuple[int, ...], ...]  # chains, each a tuple of its points
    dead: tuple[tuple[int, ...], ...]
    open: tuple[tuple[int, ...], ...]  # chains, of both lists above, that are not decided
    neutral: tuple[tuple[int, ...], ...]  # empty regions that belong to nobody once the dead stones are gone
    firm: bool  # whether the map of owners agrees with who surrounds what

    @property
    def seki(self) -> tuple[tuple[int, ...], ...]:
        """Chains in seki: none, as they are not told from the living; under area rules they count alike."""
        return ()

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
    """Alive and dead chains by a map of owners (float32[N*N], 1 = Black's), corrected by what Benson proves."""
    size = int(board.info[SIZE])
    proofs = {color: _benson(board, size, color, suicide) for color in (BLACK, WHITE)}
    alive, dead, undecided = [], [], []
    for group in _groups(board, size):
        color = int(board.color[group[0][0]])
        side = 1 if color == BLACK else -1
        indices = [coords.to_index(p, size) for chain in group for p in chain]
        mean = side * float(owned[indices].mean())
        for chain in group:
            if proofs[color][chain[0]] == ALIVE_STONE:
                alive.append(chain)
            elif proofs[3 - color][chain[0]] == ALIVE_TERRITORY:
                dead.append(chain)
            else:
                (dead if mean < DEAD_BELOW else alive).append(chain)
                if abs(mean - DEAD_BELOW) < DOUBT:
                    undecided.append(chain)
    neutral, firm = [], True
    for side, region in _regions(board, [p for chain in dead for p in chain]):
        if side == 0:
            neutral.append(region)
        else:
            firm = firm and side * float(owned[[coords.to_index(p, size) for p in region]].mean()) >= FIRM
    return Territory(owned, tuple(alive), tuple(dead), tuple(undecided), tuple(neutral), firm)


def _regions(board: Board, dead: list[int]) -> list[tuple[int, tuple[int, ...]]]:
    """Empty regions without the dead stones: (1 Black's, -1 White's, 0 nobody's; points)."""
    size = int(board.info[SIZE])
    stride, color = coords.stride(size), board.color.copy()
    color[dead] = EMPTY
    owner = np.zeros(color.size, np.int8)
    area_of(color, size, owner, np.empty(color.size, np.uint16))
    seen: set[int] = set()
    found = []
    for start in map(int, coords.points(size)):
        if color[start] != EMPTY or start in seen:
            continue
        seen.add(start)
        region = [start]
        for p in region:  # grows while it is walked
            for n in (p - stride, p - 1, p + 1, p + stride):
                if color[n] == EMPTY and n not in seen:
                    seen.add(n)
                    region.append(n)
        found.append((int(owner[start]), tuple(region)))
    return found


def _benson(board: Board, size: int, color: int, suicide: bool) -> np.ndarray:
    alive = np.zeros(board.color.size, np.uint8)
    benson(board, color, alive, suicide, new_benson_scratch(size))
    return alive


def chains(board: Board) -> list[tuple[int, ...]]:
    """All chains, each a sorted tuple of points, in the order of their first points."""
    members: dict[int, list[int]] = {}
    for p in coords.points(int(board.info[SIZE])):
        if board.color[p] != EMPTY:
            members.setdefault(int(board.chain[p]), []).append(int(p))
    return [tuple(points) for points in members.values()]


def _liberties(board: Board, chain: tuple[int, ...], stride: int) -> frozenset[int]:
    return frozenset(n for p in chain for n in (p - stride, p - 1, p + 1, p + stride) if board.color[n] == EMPTY)


def _groups(board: Board, size: int) -> list[list[tuple[int, ...]]]:
    """Chains of one colour that share two liberties cannot be cut apart, so they live or die together: lists of chains."""
    every = chains(board)
    stride = coords.stride(size)
    liberties = [_liberties(board, chain, stride) for chain in every]
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
    groups: dict[int, list[tuple[int, ...]]] = {}
    for i, chain in enumerate(every):
        groups.setdefault(find(i), []).append(chain)
    return list(groups.values())
