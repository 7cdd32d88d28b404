"""Life, seki and connections on a finished board, by eyes and by reading: what a count must know beyond who owns which point.

A chain *lives by its own eyes* if it keeps two of them whatever happens around it: Benson's argument, where a large empty eye
space stands for two eyes. What is left over is read (`goengine.board.capture_search`) in the small region around it:
its liberties, and those of its neighbours that have no two eyes either.

A *dame* is a neutral point that one side can fill without losing the stone. When all of these are filled, a chain without two
eyes that still has a neutral liberty is in *seki*.

Knows a board as it stands; no rules, no turn, and no opinion about who owns a point.
"""

from collections.abc import Collection, Iterable, Sequence, Set
from typing import NamedTuple

import numpy as np

from goengine.board import coords
from goengine.board.capture_search import CAPTURED, SURVIVES, UNKNOWN, new_capture_scratch, search_capture
from goengine.board.kernels import is_legal, play
from goengine.board.ladders import BUDGET as LADDER_BUDGET
from goengine.board.ladders import begin_reading, ladder_capture, new_ladder_scratch
from goengine.board.replay import put_stones
from goengine.board.state import BLACK, EDGE, EMPTY, SIZE, WHITE, Board, copy_board, new_board

Chain = tuple[int, ...]  # its points, sorted

TWO_EYES = 7  # an empty eye space of this size makes two eyes
JOINS = 3  # an empty eye space of this size connects all chains around it, and is one eye at least
MOST_EMPTY = 12  # empty points of a region that is read
BUDGET = 20_000  # positions of one reading


def without(board: Board, points: Collection[int]) -> Board:
    """A board with the stones of this one, but for those on `points`."""
    rest = new_board(int(board.info[SIZE]))
    stones = [p for p in np.flatnonzero((board.color == BLACK) | (board.color == WHITE)) if int(p) not in points]
    kept = np.array(stones, np.int32)
    put_stones(rest, kept, board.color[kept])
    return rest


def neighbours(point: int, size: int) -> tuple[int, int, int, int]:
    """The four points around, edge points among them."""
    return point - size - 1, point - 1, point + 1, point + size + 1


def parts(points: Iterable[int], size: int) -> list[list[int]]:
    """The connected parts of a set of points."""
    left, found = set(points), []
    while left:
        part = [left.pop()]
        for p in part:  # grows while it is walked
            joined = [n for n in neighbours(p, size) if n in left]
            left.difference_update(joined)
            part += joined
        found.append(sorted(part))
    return found


def liberties(board: Board, chain: Iterable[int]) -> set[int]:
    """The empty points next to a chain."""
    size = int(board.info[SIZE])
    return {n for p in chain for n in neighbours(p, size) if board.color[n] == EMPTY}


def chains(board: Board) -> list[Chain]:
    """All chains, in the order of their first points."""
    members: dict[int, list[int]] = {}
    for p in coords.points(int(board.info[SIZE])):
        if board.color[p] != EMPTY:
            members.setdefault(int(board.chain[p]), []).append(int(p))
    return [tuple(points) for points in members.values()]


def chain_of(board: Board, point: int) -> Chain:
    """All stones of the chain on a point, sorted."""
    found, p = [point], int(board.next[point])
    while p != point:
        found.append(p)
        p = int(board.next[p])
    return tuple(sorted(found))


class _Region(NamedTuple):
    """A connected set of points without stones of one colour."""

    points: list[int]
    empty: set[int]
    chains: set[int]  # names of that colour's chains around it


def _regions(board: Board, color: int) -> list[_Region]:
    size = int(board.info[SIZE])
    found = []
    for part in parts((int(p) for p in coords.points(size) if board.color[p] != color), size):
        around = {int(board.chain[n]) for p in part for n in neighbours(p, size) if board.color[n] == color}
        found.append(_Region(part, {p for p in part if board.color[p] == EMPTY}, around))
    return found


def lasting_eyes(board: Board) -> list[list[int]]:
    """Empty regions too small for another group, all around whom live by their own eyes: nobody can take these points away."""
    living, size = living_by_eyes(board), int(board.info[SIZE])
    found = []
    for region, owner in empty_regions(board):
        around = {int(board.chain[n]) for p in region for n in neighbours(p, size)} - {0}
        if owner != EMPTY and len(region) < TWO_EYES and around <= living:
            found.append(region)
    return found


def _eyes(region: _Region, own: set[int], size: int) -> int:
    """How many eyes a region is for a group around it whose liberties are `own`."""
    pure = len(region.empty) == len(region.points)
    if pure and _divides(region.empty, size):
        return 2
    return int(region.empty <= own or (pure and len(region.points) >= JOINS))


def _divides(space: set[int], size: int) -> bool:
    """Whether an empty eye space makes two eyes even if the opponent plays in it first: no shape that one stone kills.

    The shapes of 4 to 6 points that die are the square, the pyramid, the cross, the bulky five and the rabbity six; in the
    corner of the board the bent four and the rectangular six, too, unless liberties outside help.
    """
    degrees = {p: sum(n in space for n in neighbours(p, size)) for p in space}
    most, lines = max(degrees.values(), default=0), sum(degrees.values()) // 2
    bent_in_corner = any(degrees.get(p) == 2 for p in _corners(size))
    if len(space) == 4:
        return most == 2 and lines == 3 and not bent_in_corner
    if len(space) == 5:
        return most < 4 and lines == 4
    if len(space) == 6:
        return lines == 5 or (most < 4 and not (lines == 7 and bent_in_corner))
    return len(space) >= TWO_EYES


def _corners(size: int) -> list[int]:
    """The corner points of the board."""
    return [coords.point(row, column, size) for row in (0, size - 1) for column in (0, size - 1)]


def living_by_eyes(board: Board) -> frozenset[int]:
    """Names of all chains that live by their own eyes."""
    alive: set[int] = set()
    for color in (BLACK, WHITE):
        alive |= _lasting(board, color)
    return frozenset(alive)


def _lasting(board: Board, color: int) -> set[int]:
    """The chains of a colour left over when those without two eyes are dropped, and eyes beside dropped chains with them."""
    regions = _regions(board, color)
    group = _joined(board, color, regions)
    own: dict[int, set[int]] = {}
    for name, leader in group.items():
        own.setdefault(leader, set()).update(liberties(board, chain_of(board, name)))
    around = [{group[name] for name in region.chains} for region in regions]
    size = int(board.info[SIZE])
    worth = [{g: _eyes(region, own[g], size) for g in groups} for region, groups in zip(regions, around, strict=True)]
    left = set(own)
    while True:
        healthy = [eyes for eyes in worth if eyes.keys() <= left]
        lasting = {g for g in left if sum(eyes.get(g, 0) for eyes in healthy) >= 2}
        if lasting == left:
            return {name for name, g in group.items() if g in left}
        left = lasting


def _joined(board: Board, color: int, regions: Sequence[_Region]) -> dict[int, int]:
    """For each chain of a colour the name of its group: chains around an empty eye space of some size are connected by it."""
    leader = {int(name): int(name) for name in np.unique(board.chain[board.color == color])}

    def find(name: int) -> int:
        while leader[name] != name:
            name = leader[name]
        return name

    for region in regions:
        if len(region.points) == len(region.empty) >= JOINS:
            first, *others = region.chains or (0,)
            for name in others:
                leader[find(name)] = find(first)
    return {name: find(name) for name in leader}


class Reader:
    """Reads the small fights of one board. Its board may change between questions; its size may not."""

    def __init__(self, size: int):
        self._scratch = new_capture_scratch(size)
        self.ladders = new_ladder_scratch(size)
        self._mask = np.zeros(coords.padded(size), np.uint8)

    def captured(self, board: Board, target: int, first: int, fight: Set[int] | None) -> int:
        """As `search_capture` says, in the region `fight`; UNKNOWN where there is none."""
        if fight is None:
            return UNKNOWN
        self._mask[:] = 0
        self._mask[list(fight)] = 1
        return int(search_capture(board, target, first, self._mask, BUDGET, self._scratch))


def fight_around(board: Board, points: Iterable[int], living: Collection[int]) -> set[int] | None:
    """The region in which the fate of the chains on `points` is decided; None if it is too large to read.

    It holds these chains, their liberties with the empty points that are connected to these, and so on for all chains next to
    them that do not live by their own eyes.
    """
    size = int(board.info[SIZE])
    region, todo, empty = set(), list(points), 0
    while todo:
        p = todo.pop()
        if p in region:
            continue
        region.add(p)
        if board.color[p] == EMPTY:
            empty += 1
            if empty > MOST_EMPTY:
                return None
        for n in neighbours(p, size):
            if board.color[n] == EDGE or n in region:
                continue
            if board.color[n] == EMPTY or int(board.chain[n]) not in living:
                todo.append(n)
    return region


class Rest(NamedTuple):
    """What is left to say of a board without dead stones."""

    seki: frozenset[int]  # the stones that live in seki
    dame: frozenset[int]  # the neutral points that somebody can fill


def rest_of(board: Board) -> Rest:
    """What lives in seki, and which points are dame, on a board without dead stones: whichever colour fills the dame."""
    living = living_by_eyes(board)
    alive = frozenset(p for p in _stones(board) if int(board.chain[p]) in living)
    reader = Reader(int(board.info[SIZE]))
    neutral = {p for region, owner in empty_regions(board) for p in region if owner == EMPTY}
    seki, closed = _stones(board), _small(board)
    for first in (BLACK, WHITE):
        filled, left = _filled(board, first, alive, reader)
        seki &= _seki_around(filled, left, alive, reader)
        closed &= left
    return Rest(seki, frozenset(neutral - closed))


def _filled(board: Board, first: int, alive: Set[int], reader: Reader) -> tuple[Board, set[int]]:
    """The board when every dame is filled, by colour `first` where both could, and the neutral points that are left."""
    filled = new_board(int(board.info[SIZE]))
    copy_board(filled, board)
    left = _small(filled)
    changed = True
    while changed:
        changed = False
        for p in sorted(left):
            color = next((c for c in (first, 3 - first) if _fills_safely(filled, p, c, alive, reader)), EMPTY)
            if color != EMPTY:
                play(filled, p, color)
                left.discard(p)
                changed = True
    return filled, left


def _stones(board: Board) -> frozenset[int]:
    return frozenset(int(p) for p in np.flatnonzero((board.color == BLACK) | (board.color == WHITE)))


def _small(board: Board) -> set[int]:
    """The points of neutral regions that are small enough to be what is left of a game."""
    return {p for region, owner in empty_regions(board) for p in region if owner == EMPTY and len(region) <= MOST_EMPTY}


def empty_regions(board: Board) -> list[tuple[list[int], int]]:
    """(points, the colour of all stones around or EMPTY) of all empty regions."""
    size = int(board.info[SIZE])
    found = []
    for part in parts((int(p) for p in coords.points(size) if board.color[p] == EMPTY), size):
        around = {int(board.color[n]) for p in part for n in neighbours(p, size)} - {EMPTY, EDGE}
        found.append((part, around.pop() if len(around) == 1 else EMPTY))
    return found


def _fills_safely(board: Board, point: int, color: int, alive: Set[int], reader: Reader) -> bool:
    """Whether a colour can fill a neutral point and keep the stone and all that it touches."""
    size = int(board.info[SIZE])
    if not is_legal(board, point, color, False):
        return False
    after = new_board(size)
    copy_board(after, board)
    play(after, point, color)
    chain = chain_of(after, point)
    free = liberties(after, chain)
    if len(free) < 2:
        return False
    if not alive.isdisjoint(chain):
        return True
    living = {int(after.chain[p]) for p in alive}
    return reader.captured(after, point, 3 - color, fight_around(after, [point], living)) != CAPTURED


def _seki_around(board: Board, open_points: Set[int], alive: Set[int], reader: Reader) -> frozenset[int]:
    """All stones of groups that touch neutral points nobody can fill, and would die if the opponent filled them."""
    size = int(board.info[SIZE])
    owner = {p: color for part, color in empty_regions(board) for p in part if p not in open_points}
    owner |= {p: int(board.color[p]) for p in _stones(board)}
    seki: set[int] = set()
    for color in (BLACK, WHITE):
        for group in parts((p for p, c in owner.items() if c == color), size):
            around = {n for p in group for n in neighbours(p, size)} & open_points
            if around and alive.isdisjoint(group) and _needs(board, group, around, alive, reader):
                seki.update(group)
    return frozenset(seki)


def _needs(board: Board, group: Sequence[int], around: Set[int], alive: Set[int], reader: Reader) -> bool:
    """Whether the main chain of a group dies once the opponent has filled the neutral points around for nothing."""
    main = max((p for p in group if board.color[p] != EMPTY), key=lambda p: int(board.stones[board.chain[p]]))
    attacker = 3 - int(board.color[main])
    filled = new_board(int(board.info[SIZE]))
    copy_board(filled, board)
    for p in sorted(around):
        if liberties(filled, chain_of(filled, main)) != {p} and is_legal(filled, p, attacker, False):
            play(filled, p, attacker)
    living = {int(filled.chain[p]) for p in alive}
    return reader.captured(filled, main, attacker, fight_around(filled, [main], living)) == CAPTURED


class Reading(NamedTuple):
    """What reading says about chains that someone takes for dead."""

    dead: list[Chain]
    settled: frozenset[int]  # stones whose fate is the same whoever moves first
    unsettled: frozenset[int]  # stones of both colours that die if the opponent moves first and live if their own side does


def read(board: Board, dead: Sequence[Chain], doubtful: Sequence[Chain] = ()) -> Reading:
    """The fate of chains that someone takes for dead, or is in doubt about: some live in seki, or by eyes that were not seen.

    Chains of one colour in one enclosure live or die together. They are read as they stand, and all others are taken off. What
    cannot be read is what it was taken for: dead, or alive if it was doubtful.
    """
    reader = Reader(int(board.info[SIZE]))
    asked = [*dead, *doubtful]
    every = frozenset(p for chain in dead for p in chain)
    found: list[Chain] = []
    settled: set[int] = set()
    unsettled: set[int] = set()
    for group in _together(board, asked):
        points = [p for chain in group for p in chain]
        rest = without(board, every.difference(points))
        color = int(board.color[points[0]])
        attacked = _outcome(rest, points, 3 - color, reader)
        defended = _outcome(rest, points, color, reader) if attacked == CAPTURED else attacked
        if attacked != SURVIVES:
            lost = attacked == CAPTURED and defended != SURVIVES
            found += [chain for chain in group if lost or chain not in doubtful]
        if defended == attacked != UNKNOWN:
            settled.update(points)
        elif defended == SURVIVES:
            unsettled.update(points)
    unsettled.update(p for chain in _capturable(board, found, reader) for p in chain)
    return Reading(found, frozenset(settled - unsettled), frozenset(unsettled))


def _capturable(board: Board, dead: Sequence[Chain], reader: Reader) -> list[Chain]:
    """The chains that live only if their side answers, or moves first."""
    rest = without(board, frozenset(p for chain in dead for p in chain))
    living = living_by_eyes(rest)
    weak = [chain for chain in chains(rest) if _falls(rest, chain, living, reader)]
    return weak + [chain for chain in chains(board) if chain not in dead and _in_atari(board, chain)]


def _in_atari(board: Board, chain: Chain) -> bool:
    """Whether the opponent can take a chain at once, be it with stones that are dead otherwise."""
    last = liberties(board, chain)
    return len(last) == 1 and is_legal(board, last.pop(), 3 - int(board.color[chain[0]]), False)


def _falls(board: Board, chain: Chain, living: Collection[int], reader: Reader) -> bool:
    """Whether a chain is captured if the opponent moves first: by ladders, or by reading if it has no two eyes."""
    name, attacker = int(board.chain[chain[0]]), 3 - int(board.color[chain[0]])
    if len(liberties(board, chain)) <= 2:
        begin_reading(board, reader.ladders)
        if ladder_capture(name, reader.ladders, LADDER_BUDGET)[0]:
            return True
    return name not in living and reader.captured(board, name, attacker, fight_around(board, chain, living)) == CAPTURED


def _together(board: Board, chains: Sequence[Chain]) -> list[list[Chain]]:
    """Chains of one colour that are connected by empty points and by each other."""
    size = int(board.info[SIZE])
    groups = []
    for color in (BLACK, WHITE):
        mine = [chain for chain in chains if board.color[chain[0]] == color]
        inside = {p for chain in mine for p in chain} | {int(p) for p in coords.points(size) if board.color[p] == EMPTY}
        for part in map(frozenset, parts(inside, size)):
            group = [chain for chain in mine if chain[0] in part]
            if group:
                groups.append(group)
    return groups


def _outcome(board: Board, points: Sequence[int], first: int, reader: Reader) -> int:
    """Whether stones that are taken for dead survive if colour `first` begins: what becomes of their largest chain."""
    main = max(points, key=lambda p: int(board.stones[board.chain[p]]))
    return reader.captured(board, main, first, fight_around(board, points, living_by_eyes(board)))
