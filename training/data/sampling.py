"""Kernels from packed games to training samples.

Sample number k of a run is a pure function of (seed, k): which position, which symmetry, which variation of the
rules. So batches may be made by any number of threads in any order, and a resumed run draws what it would have
drawn. Knows games as flat arrays and the board's kernels; the feature set's encoder is handed in. Knows no files
and no nets.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from goengine.board.game_kernels import game_play
from goengine.board.kernels import play
from goengine.board.rules import KO_SITUATIONAL, SCORING_AREA, SCORING_TERRITORY, TAX_NONE, TAX_SEKI, RuleCode
from goengine.board.stacked import policy_index
from goengine.board.state import BLACK, TO_PLAY, Game, clear_board, start_game
from goengine.core.jit import kernel
from goengine.core.mix import mix
from goengine.dataio.records import NO_RESULT

_ROUNDS = 4
_ONE = np.uint64(1)
_TO_UNIT = 1.0 / 9007199254740992.0


class Games(NamedTuple):
    """G games as flat arrays.

    Positions are numbered through: game g owns start[g] .. start[g + 1] - 1, one before each move.
    """

    start: np.ndarray  # int64[G + 1]
    moves: np.ndarray  # uint16[positions]   points on the padded board of the game's size, PASS 0
    colors: np.ndarray  # uint8[positions]   who made the move
    size: np.ndarray  # uint8[G]
    rules: np.ndarray  # int8[G, 5]          ko, scoring, tax, suicide, button as in RuleCode
    komi: np.ndarray  # float32[G]
    result: np.ndarray  # int8[G]            1 Black won, -1 White won, 0 drawn, NO_RESULT
    margin: np.ndarray  # float32[G]         Black's points minus White's with komi, NaN if not counted
    setup_start: np.ndarray  # int64[G + 1]
    setup_points: np.ndarray  # uint16[stones]
    setup_colors: np.ndarray  # uint8[stones]
    owner_row: np.ndarray  # int32[G]        row in owners, -1 if unknown
    owners: np.ndarray  # int8[K, M * M]     1 Black, -1 White, 0 neither, row * M + column
    ranks: np.ndarray  # float32[G, 2]       of Black and White on the scale of goengine.ranks.scale, nan if unknown
    server: np.ndarray  # uint8[G]           whose ranks they are, a goengine.ranks.scale.Server
    bots: np.ndarray  # uint8[G]             1: Black is a program, 2: White is; their moves are not learned


class Targets(NamedTuple):
    """What a batch of B samples on M x M planes holds.

    All for the player to move, 0 weight where a target does not exist.
    """

    planes: np.ndarray  # [B, C, M, M]
    globals: np.ndarray  # float32[B, G]
    policy: np.ndarray  # int64[B]    index on M x M planes, M * M for a pass, -1 for none; or shares float32[B, M * M + 1]
    opponent: np.ndarray  # int64[B]  the reply, or -1
    value: np.ndarray  # float32[B]   result in [-1, 1]
    value_weight: np.ndarray  # float32[B]
    score: np.ndarray  # float32[B]   points
    score_weight: np.ndarray  # float32[B]
    owner: np.ndarray  # int8[B, M, M]
    owner_weight: np.ndarray  # float32[B]


class Draw(NamedTuple):
    """How samples are drawn."""

    seed: int
    symmetries: int  # 1: a random one of the eight; 0: none
    shuffle: int  # 1: a new permutation of all positions in every pass; 0: in order
    vary: float  # share of samples shown under other rules and komi, with the result that they give
    results: float = 0.0  # positions of a game that teach its result in a pass, on average; 0: all
    hidden: float = 0.0  # share of samples that hide the rank of the side to move, of the other, and the server, each by itself


@kernel
def word(seed, number, stream):
    """64 random bits for item `number` of a stream."""
    return mix(mix(mix(np.uint64(0x5851F42D4C957F2D), np.uint64(seed)), np.uint64(number)), np.uint64(stream))


@kernel
def unit(seed, number, stream):
    """A uniform float64 in [0, 1)."""
    return np.float64(word(seed, number, stream) >> np.uint64(11)) * _TO_UNIT


@kernel
def permuted(seed, index, count):
    """Place of `index` in a pseudo-random permutation of range(count): a Feistel network, walked until it lands inside.

    Black and Rogaway, Ciphers with arbitrary finite domains, 2002.
    """
    half = np.uint64(1)
    while (_ONE << (half + half)) < np.uint64(count):
        half += _ONE
    mask = (_ONE << half) - _ONE
    place = np.uint64(index)
    while True:
        left, right = place >> half, place & mask
        for turn in range(_ROUNDS):
            left, right = right, left ^ (word(seed, right, turn) & mask)
        place = (left << half) | right
        if place < np.uint64(count):
            return np.int64(place)


@kernel
def place_of(count, draw, number):
    """Which of `count` positions sample `number` shows."""
    if draw.shuffle == 0:
        return number % count
    passes = number // count
    return permuted(mix(np.uint64(draw.seed), np.uint64(passes)), number % count, count)


@kernel
def position_of(games, draw, number):
    """The position (numbered through all games) that sample `number` shows."""
    return place_of(games.moves.size, draw, number)


@kernel
def symmetry_of(draw, number):
    """The symmetry through which sample `number` is shown."""
    return np.int64(word(draw.seed, number, 20) & np.uint64(7)) if draw.symmetries else np.int64(0)


@kernel
def game_of(start, position):
    """The game that owns a position."""
    low, high = 0, start.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if start[middle] <= position:
            low = middle
        else:
            high = middle
    return low


@kernel
def set_up(games, g, board):
    """The board before the first move of game g."""
    clear_board(board, games.size[g])
    for i in range(games.setup_start[g], games.setup_start[g + 1]):
        play(board, np.int64(games.setup_points[i]), games.setup_colors[i])


@kernel
def replay(games, g, ply, game):
    """Set `game` (arrays for the game's size) to the position after `ply` moves of game g."""
    set_up(games, g, game.board)
    first = games.start[g]
    start_game(game, games.colors[first])
    for i in range(first, first + ply):
        game_play(game, np.int64(games.moves[i]), games.colors[i])
    game.status[TO_PLAY] = games.colors[first + ply]


@kernel
def moved(index, s, size, planes):
    """Where symmetry s (see goengine.board.symmetry) takes an index on planes of `planes`, for a board of `size` in their
    corner.
    """
    if index < 0 or index == planes * planes:
        return index
    row, column = index // planes, index % planes
    if s & 4:
        row, column = column, row
    if s & 2:
        column = size - 1 - column
    if s & 1:
        row = size - 1 - row
    return row * planes + column


@kernel
def rules_of(games, g, shift):
    """The RuleCode of game g, with `shift` more points of komi."""
    code = games.rules[g]
    komi = np.float64(games.komi[g]) + shift
    return RuleCode(np.int64(code[0]), np.int64(code[1]), np.int64(code[2]), np.int64(code[3]), np.int64(code[4]), komi)


@kernel
def varied_rules(games, g, draw, number):
    """(RuleCode, Black's change of points) for a sample: the game's own rules, or others as often as `draw.vary` says.

    A counted game is a fair example under any komi near its own, with the result that it then has; a resigned one
    within a point. Without this a net trained on one server's games would never have seen another komi or rule set.
    """
    code = games.rules[g]
    ko, scoring, tax, suicide = np.int64(code[0]), np.int64(code[1]), np.int64(code[2]), np.int64(code[3])
    komi, change = np.float64(games.komi[g]), 0.0
    if draw.vary > 0 and unit(draw.seed, number, 10) < draw.vary:
        bits = word(draw.seed, number, 11)
        ko = np.int64((bits & np.uint64(0xFFFF)) % np.uint64(KO_SITUATIONAL + 1))
        scoring = SCORING_TERRITORY if bits & np.uint64(1 << 20) else SCORING_AREA
        tax = TAX_SEKI if scoring == SCORING_TERRITORY else TAX_NONE
        suicide = np.int64(scoring == SCORING_AREA and bits & np.uint64(1 << 21) != np.uint64(0))
        if np.isnan(games.margin[g]):
            shift = np.round(4 * unit(draw.seed, number, 12) - 2) / 2  # half points, up to one
        else:
            spread = unit(draw.seed, number, 12) + unit(draw.seed, number, 13) + unit(draw.seed, number, 14) - 1.5
            shift = np.round(2 * 6 * spread) / 2  # half points, deviation 3
        komi += shift
        change = -shift
    return RuleCode(ko, scoring, tax, suicide, np.int64(code[4]), komi), change


@kernel
def teaches_result(games, g, draw, number):
    """Whether a sample teaches how its game ended, in value and score.

    A game has one result but hundreds of positions, and a net that sees the result with each of them learns the games
    by heart: 0.19 against 0.37 in AlphaGo's training and test error (Silver et al. 2016, section 'Reinforcement learning
    of value networks'). Moves and owners differ from position to position and point to point; they are always taught.
    """
    return draw.results <= 0 or unit(draw.seed, number, 21) * (games.start[g + 1] - games.start[g]) < draw.results


@kernel
def of_program(games, g, color):
    """Whether a program plays that colour in game g."""
    return games.bots[g] & np.uint8(color) != 0


@kernel
def write_targets(games, g, position, change, taught, s, out, b):
    """Fill row b of every target but planes and globals; `taught` says whether value and score count."""
    size, side, color = np.int64(games.size[g]), out.owner.shape[1], games.colors[position]
    out.policy[b] = -1
    if not of_program(games, g, color):
        out.policy[b] = moved(policy_index(np.int64(games.moves[position]), size, side), s, size, side)
    write_reply(games, g, position, color, s, out, b, side)
    write_result(games, g, color, change, taught, out, b)
    write_owners(games, g, color, s, out, b, side)


@kernel
def write_reply(games, g, position, color, s, out, b, side):
    """The reply to the move at `position`, if it is the other side's."""
    size = np.int64(games.size[g])
    out.opponent[b] = -1
    if position + 1 < games.start[g + 1] and games.colors[position + 1] != color and not of_program(games, g, 3 - color):
        out.opponent[b] = moved(policy_index(np.int64(games.moves[position + 1]), size, side), s, size, side)


@kernel
def write_result(games, g, color, change, taught, out, b):
    """How game g ended, in value and score."""
    sign = 1.0 if color == BLACK else -1.0
    counted = not np.isnan(games.margin[g])
    margin = games.margin[g] + change if counted else 0.0
    out.score[b] = sign * margin
    out.score_weight[b] = 1.0 if counted and taught else 0.0
    has_result = games.result[g] != NO_RESULT
    out.value[b] = sign * (np.sign(margin) if counted else np.float64(games.result[g])) if has_result else 0.0
    out.value_weight[b] = 1.0 if has_result and taught else 0.0


@kernel
def write_owners(games, g, color, s, out, b, side):
    """Who owns each point at the end of game g, where that is known."""
    size, sign = np.int64(games.size[g]), 1 if color == BLACK else -1
    row = games.owner_row[g]
    out.owner_weight[b] = 1.0 if row >= 0 else 0.0
    out.owner[b, :, :] = 0
    if row >= 0:
        for r in range(size):
            for c in range(size):
                target = moved(r * side + c, s, size, side)
                out.owner[b, target // side, target % side] = np.int8(sign) * games.owners[row, r * side + c]


@kernel
def write_planes(source, s, size, out):
    """Copy planes [C, M, M] through symmetry s into `out`."""
    side = source.shape[1]
    if size < side:
        out[:] = 0
    for r in range(size):
        for c in range(size):
            target = moved(r * side + c, s, size, side)
            row, column = target // side, target % side
            for channel in range(source.shape[0]):
                out[channel, row, column] = source[channel, r, c]


class SamplingScratch(NamedTuple):
    """What one call of a `filler`'s kernel works with."""

    game: Game  # of the size of all games
    scratch: Any  # the feature set's working memory
    planes: np.ndarray  # uint8[C, M, M]


@cache
def filler(encode):
    """Kernel fill(chosen, games, draw, first, out, memory): samples first, first + 1, ... into the rows of `out`.

    `chosen` is int64[K], the positions that may be drawn; without elements all of them may. `encode` is a feature set's
    kernel, `memory` a `SamplingScratch` for it. The kernel is compiled at each start (a second or two): numba cannot cache a
    kernel made around another.
    """

    @njit(nogil=True, error_model="numpy", _nrt=False)
    def fill(chosen, games, draw, first, out, memory):
        game, planes = memory.game, memory.planes
        for b in range(out.policy.size):
            number = first + b
            if chosen.size:
                position = chosen[place_of(chosen.size, draw, number)]
            else:
                position = position_of(games, draw, number)
            g = game_of(games.start, position)
            replay(games, g, position - games.start[g], game)
            rules, change = varied_rules(games, g, draw, number)
            s = symmetry_of(draw, number)
            encode(game, rules, memory.scratch, planes, out.globals[b])
            write_planes(planes, s, np.int64(games.size[g]), out.planes[b])
            taught = teaches_result(games, g, draw, number)
            write_targets(games, g, position, change, taught, s, out, b)

    return fill
