"""Who owns which point (Tromp-Taylor, `area`), and which stones can never be captured (Benson, `benson`).

Knows a board as it stands. Does not know rules, moves or whose turn it is, and does not judge which stones are dead
(`goengine.board.counting` takes that as given).
"""

from typing import NamedTuple

import numpy as np

from goengine.board.bit_rows import OPEN, find_small_regions, new_bit_rows
from goengine.board.coords import padded
from goengine.board.state import BLACK, EDGE, EMPTY, SIZE, STRIDE, WHITE
from goengine.core.jit import kernel

_0, _1 = np.uint64(0), np.uint64(1)
_UNKNOWN = np.int8(2)

# Values that `benson` writes.
ALIVE_STONE, ALIVE_TERRITORY = 1, 2


@kernel
def area(board, owner, stack):
    """Tromp-Taylor area of the board as it stands. ``stack`` is scratch, uint16[P].

    Writes into ``owner`` (int8[P]) +1 for Black's stones and for empty regions that reach only Black, -1 for White's,
    else 0. Returns Black's points minus White's.
    """
    return area_of(board.color, board.info[SIZE], owner, stack)


@kernel
def area_of(color, size, owner, stack):
    """As `area`, for colours alone (uint8[P]) of a board of that size."""
    s = np.uint64(size + 1)
    score = 0
    for i in range(color.size):
        c = color[i]
        owner[i] = _UNKNOWN if c == EMPTY else np.int8(c == BLACK) - np.int8(c == WHITE)
    for i in range(size + 2, color.size - size - 1):
        if owner[i] != _UNKNOWN:
            score += owner[i]
            continue
        # `stack` grows and is never popped, so that it holds the region at the end.
        stack[0] = i
        owner[i] = 0
        done, count = np.uint64(0), np.uint64(1)
        borders = np.uint8(0)
        while done < count:
            p = np.uint64(stack[done])
            done += _1
            for n in (p - s, p - _1, p + _1, p + s):
                if owner[n] == _UNKNOWN:
                    owner[n] = 0
                    stack[count] = n
                    count += _1
                elif color[n] != EDGE:
                    borders |= color[n]
        if borders == BLACK or borders == WHITE:
            side = np.int8(1) if borders == BLACK else np.int8(-1)
            for k in range(count):
                owner[stack[k]] = side
            score += side  # the region's other points are met later and counted then
    return score


class BensonScratch(NamedTuple):
    """Working memory of `benson`, for boards of one size; its contents mean nothing between calls."""

    label: np.ndarray  # uint16[P]       region of a point, from 1
    queue: np.ndarray  # uint16[P]       points of the present region
    inner: np.ndarray  # uint16[P]       by region: its points that are not next to the colour
    broken: np.ndarray  # uint16[P]      by region: it borders a chain that may die
    seen: np.ndarray  # uint16[P]        by chain: the last region that met it
    place: np.ndarray  # uint16[P]       by chain: its pair in the present region
    eyes: np.ndarray  # uint16[P]        by chain: number of its vital regions
    pair_chain: np.ndarray  # uint16[2P]   the pairs (region, chain next to it), region by region; as regions and chains
    pair_region: np.ndarray  # uint16[2P]  form a planar graph of two kinds of nodes, there are less than 2P pairs
    pair_vital: np.ndarray  # uint16[2P]   points of the region next to the chain; later: vital or not
    rows: np.ndarray  # uint32[4, N + 2]   see `goengine.board.bit_rows`


def new_benson_scratch(size: int) -> BensonScratch:
    """Working memory for boards of that size."""
    p = padded(size)
    words, pairs = (np.zeros(p, np.uint16) for _ in range(7)), (np.zeros(2 * p, np.uint16) for _ in range(3))
    return BensonScratch(*words, *pairs, new_bit_rows(size))


@kernel
def benson(board, color, alive, suicide, scratch):
    """The stones of ``color`` that cannot be captured even if it always passes, and the territory that they enclose.

    Writes into ``alive`` (uint8[P]): ALIVE_STONE on such stones; ALIVE_TERRITORY on the points (empty or the
    opponent's stones) of regions that border such stones only and where the opponent cannot live, as at most one
    point is not next to ``color``; 0 elsewhere. Returns the number of such stones. ``scratch`` is a BensonScratch for
    this size.

    D. B. Benson, "Life in the Game of Go", 1976: a region is vital to a chain if all its empty points are liberties
    of the chain; alive is the largest set of chains each with two vital regions that border chains of the set only.
    Where ``suicide`` is legal all points of the region must border the chain, as the opponent could empty the region
    by suicide and live in it.
    """
    alive[:] = 0
    if not find_small_regions(board, color, suicide, scratch.rows):
        return 0
    scratch.label[:] = 0
    scratch.seen[:] = 0
    scratch.eyes[:] = 0
    # Only small regions can be vital. Most positions end here or after the next loop: no chain has two of them.
    size = board.info[SIZE]
    regions, pairs = 0, 0
    two_eyes = False
    for row in range(1, size + 1):
        bits = scratch.rows[OPEN, row]
        p = row * (size + 1) + 1
        while bits != 0:
            if bits & np.uint32(1) and scratch.label[p] == 0:
                regions += 1
                first = pairs
                needed, pairs = _fill_region(board, color, p, regions, pairs, scratch, suicide)
                two_eyes = _find_vital(first, pairs, needed, scratch) or two_eyes
            bits >>= np.uint32(1)
            p += 1
    if not two_eyes:
        return 0
    _drop_chains(regions, pairs, scratch)
    if not _any_alive(pairs, scratch):
        return 0
    _add_large_regions(board, color, regions, pairs, scratch, suicide)
    return _mark_alive(board, color, alive, scratch)


@kernel
def plain_benson(board, color, alive, suicide, scratch):
    """As `benson`, looking at all regions alike: for comparison; slower by far on most positions."""
    alive[:] = 0
    scratch.label[:] = 0
    scratch.seen[:] = 0
    scratch.eyes[:] = 0
    colors, size = board.color, board.info[SIZE]
    regions, pairs = 0, 0
    two_eyes = False
    for p in range(size + 2, colors.size - size - 1):
        if scratch.label[p] != 0 or colors[p] == color or colors[p] == EDGE:
            continue
        regions += 1
        first = pairs
        needed, pairs = _fill_region(board, color, p, regions, pairs, scratch, suicide)
        two_eyes = _find_vital(first, pairs, needed, scratch) or two_eyes
    if not two_eyes:
        return 0
    _drop_chains(regions, pairs, scratch)
    return _mark_alive(board, color, alive, scratch)


@kernel
def _find_vital(first, end, needed, scratch):
    """See which of a region's pairs are vital: the chain touches all ``needed`` points. Returns whether one has two such."""
    two_eyes = False
    for k in range(first, end):
        vital = scratch.pair_vital[k] == needed
        scratch.pair_vital[k] = vital
        if vital:
            chain = np.uint64(scratch.pair_chain[k])
            scratch.eyes[chain] += _1
            two_eyes = two_eyes or scratch.eyes[chain] >= 2
    return two_eyes


@kernel
def _any_alive(pairs, scratch):
    """Whether a chain has kept two vital regions."""
    alive = False
    for k in range(pairs):
        alive = alive or scratch.eyes[scratch.pair_chain[k]] >= 2
    return alive


@kernel
def _add_large_regions(board, color, regions, pairs, scratch, suicide):
    """Label the regions that are vital to no chain, once it is known which chains are alive: they may be territory."""
    size = board.info[SIZE]
    for p in range(size + 2, board.color.size - size - 1):
        if scratch.label[p] != 0 or board.color[p] == color or board.color[p] == EDGE:
            continue
        regions += 1
        first = pairs
        _, pairs = _fill_region(board, color, p, regions, pairs, scratch, suicide)
        scratch.broken[regions] = 0
        for k in range(first, pairs):
            if scratch.eyes[scratch.pair_chain[k]] < 2:
                scratch.broken[regions] = 1


@kernel
def _fill_region(board, color, start, region, pairs, scratch, suicide):
    """Label the region around ``start`` and append its pairs. Returns the points a chain must touch, and the pairs."""
    colors, chains = board.color, board.chain
    label, queue, seen, place = scratch.label, scratch.queue, scratch.seen, scratch.place
    s = np.uint64(board.info[STRIDE])
    queue[0] = start
    label[start] = region
    done, count = np.uint64(0), np.uint64(1)
    needed, inner = 0, 0
    while done < count:
        p = np.uint64(queue[done])
        done += _1
        must_touch = suicide or colors[p] == EMPTY
        needed += must_touch
        touches = False
        for n in (p - s, p - _1, p + _1, p + s):
            k = colors[n]
            if k == color:
                touches = True
                chain = np.uint64(chains[n])
                if seen[chain] != region:
                    seen[chain] = region
                    place[chain] = pairs
                    scratch.pair_chain[pairs] = chain
                    scratch.pair_region[pairs] = region
                    scratch.pair_vital[pairs] = 0
                    pairs += 1
            elif k != EDGE and label[n] == 0:
                label[n] = region
                queue[count] = n
                count += _1
        if not touches:
            inner += 1
        elif must_touch:
            _count_neighbours(colors, chains, p, s, color, place, scratch.pair_vital)
    scratch.inner[region] = inner
    return needed, pairs


@kernel
def _count_neighbours(colors, chains, p, s, color, place, pair_vital):
    """Count point ``p`` once for every chain of ``color`` next to it."""
    n0, n1, n2, n3 = p - s, p - _1, p + _1, p + s
    c0 = np.uint64(chains[n0]) if colors[n0] == color else _0
    c1 = np.uint64(chains[n1]) if colors[n1] == color else _0
    c2 = np.uint64(chains[n2]) if colors[n2] == color else _0
    c3 = np.uint64(chains[n3]) if colors[n3] == color else _0
    if c0 != _0:
        pair_vital[place[c0]] += _1
    if c1 != _0 and c1 != c0:
        pair_vital[place[c1]] += _1
    if c2 != _0 and c2 != c0 and c2 != c1:
        pair_vital[place[c2]] += _1
    if c3 != _0 and c3 != c0 and c3 != c1 and c3 != c2:
        pair_vital[place[c3]] += _1


@kernel
def _drop_chains(regions, pairs, scratch):
    """Drop chains with less than two vital regions, and regions that border a dropped chain, until nothing changes."""
    broken, eyes, region_of = scratch.broken, scratch.eyes, scratch.pair_region
    broken[: regions + 1] = 0
    changed = True
    while changed:
        changed = False
        for k in range(pairs):
            region = region_of[k]
            if eyes[scratch.pair_chain[k]] >= 2 or broken[region]:
                continue
            broken[region] = 1
            changed = True
            j = k
            while j > 0 and region_of[j - 1] == region:
                j -= 1
            while j < pairs and region_of[j] == region:
                if scratch.pair_vital[j]:
                    eyes[scratch.pair_chain[j]] -= _1
                j += 1


@kernel
def _mark_alive(board, color, alive, scratch):
    """Write the result of `benson`; returns the number of stones."""
    size = board.info[SIZE]
    stones = 0
    for p in range(size + 2, board.color.size - size - 1):
        k = board.color[p]
        if k == color:
            if scratch.eyes[board.chain[p]] >= 2:
                alive[p] = ALIVE_STONE
                stones += 1
        elif k != EDGE:
            region = scratch.label[p]
            if not scratch.broken[region] and scratch.inner[region] <= 1:
                alive[p] = ALIVE_TERRITORY
    return stones
