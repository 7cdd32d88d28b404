"""Self-play inside kernels: each game goes on until it has a leaf for the net, through as many visits, moves and ends as come.

Knows searches, moves, ends and what is recorded of them. Knows no net, no batch and no file; does not begin games by itself
(`selfplay.lockstep`).
"""

import math
from typing import NamedTuple

import numpy as np

from goengine.board.game_kernels import game_legal, game_play, position_key
from goengine.board.random import uniform
from goengine.board.rules import SCORING_AREA, TAX_NONE, RuleCode
from goengine.board.scoring import BensonScratch, benson
from goengine.board.stacked import game_at, policy_index
from goengine.board.state import BLACK, PASS, PASSES, TO_PLAY, WHITE, clear_board, start_game
from goengine.core.jit import kernel
from goengine.core.mix import mix
from goengine.evaluators.base import Evaluation
from goengine.features import agz17, lee, zero, zero_ranked
from goengine.search.backup import update_batch
from goengine.search.batched_roots import Noise, chosen, drawn_prior, keep_raw_prior, learn_target, mix_dirichlet, plan_gumbel
from goengine.search.constants import SearchConstants, SearchContext, SearchScratch
from goengine.search.select import EVALUATE, descend
from goengine.search.tree import COUNT, EXPANDED, FIRST, SCORE_SUM, VALUE_SUM, VALUES, VISITS, clear
from goengine.zero.shards import CHEAP, FULL, OPENING
from selfplay.table import (
    BROKEN_OFF,
    CONSIDERED,
    DECIDED,
    ENDING,
    ENTRIES,
    GAVE_UP,
    IS_FULL,
    LOST_FOR,
    PASSED,
    PLAYED_OUT,
    PLAYING,
    PLY,
    READY,
    RESIGNED,
    RULES,
    SIMULATIONS,
    TO_DRAW,
    plan_of,
    tree_of,
)

_LEAST_WEIGHT = 1e-4  # smaller shares of a policy are not recorded; the others are made to add up to 1


class PlayParams(NamedTuple):
    """The settings that the kernels need, as scalars."""

    full: SearchConstants
    cheap: SearchConstants
    noise: Noise
    full_share: float
    full_visits: int
    cheap_visits: int
    temperature: float
    hot_plies: int  # played at that temperature
    resign: float  # -2: nobody gives up
    resign_plies: int
    longest: int
    count_from: int  # ply from which it is asked whether everything is alive


class GameScratch(NamedTuple):
    """Working memory of one thread."""

    scratch: SearchScratch
    benson: BensonScratch
    alive: np.ndarray  # uint8[2, P]
    weights: np.ndarray  # float64[A]
    forbidden: np.ndarray  # int16[4, P], nothing
    legal: np.ndarray  # uint8[A]


@kernel
def rules_of(table, g):
    """The rules and komi of a game."""
    r = table.state[g, RULES]
    return RuleCode(table.rules[r, 0], SCORING_AREA, TAX_NONE, table.rules[r, 1], 0, table.komi[g])


@kernel
def begin_game(table, g, size, to_play, moves, seed_words, memory):
    """Begin game g on an empty board, with some moves (uint16[n] points) played already. Returns how many were possible.

    ``seed_words``: uint64[3], the game's chance. The caller sets komi, rules, temperature, TO_DRAW and PLAYED_OUT before.
    """
    state = table.state[g]
    for column in (PLY, READY, IS_FULL, SIMULATIONS, CONSIDERED, LOST_FOR, GAVE_UP, ENDING, ENTRIES):
        state[column] = 0
    table.generator[g, 0], table.generator[g, 1], table.salt[g] = seed_words[0], seed_words[1], seed_words[2]
    table.record.start[g, 0] = 0
    game = game_at(table.roots, g)
    clear_board(game.board, size)
    start_game(game, to_play)
    for i in range(moves.size):
        game_legal(game, rules_of(table, g), memory.legal)
        if moves[i] == PASS or not memory.legal[policy_index(np.int64(moves[i]), size, size)]:
            clear(tree_of(table, g), game.status[TO_PLAY])
            return i
        _note(table, g, np.int64(moves[i]), OPENING, np.nan, np.nan, 0)
        game_play(game, np.int64(moves[i]), game.status[TO_PLAY])
    clear(tree_of(table, g), game.status[TO_PLAY])
    return moves.size


@kernel
def _note(table, g, point, kind, value, score, visits):
    """Append a move to the record. Its policy entries, if any, have been written before."""
    record, ply = table.record, table.state[g, PLY]
    record.move[g, ply] = point
    record.color[g, ply] = game_at(table.roots, g).status[TO_PLAY]
    record.kind[g, ply] = kind
    record.value[g, ply] = value
    record.score[g, ply] = score
    record.visits[g, ply] = visits
    if kind != FULL:
        record.surprise[g, ply] = 0
    record.start[g, ply + 1] = table.state[g, ENTRIES]
    table.state[g, PLY] = ply + 1


@kernel
def _note_policy(table, g, tree, size, weights):
    """Record the root's target policy. Returns whether there was room."""
    record, start = table.record, table.state[g, ENTRIES]
    first, count = tree.links[0, FIRST], tree.links[0, COUNT]
    if start + count > record.index.shape[1]:
        return False
    end, surprise, kept = start, 0.0, 0.0
    for i in range(count):
        if weights[i] >= _LEAST_WEIGHT:
            kept += weights[i]
    for i in range(count):
        if weights[i] < _LEAST_WEIGHT:
            continue
        index, share = policy_index(np.int64(tree.edge_move[first + i]), size, size), weights[i] / kept
        surprise += share * math.log(share / max(1e-30, np.float64(table.raw_prior[g, index])))
        record.index[g, end] = index
        record.weight[g, end] = share
        end += 1
    table.state[g, ENTRIES] = end
    record.surprise[g, table.state[g, PLY]] = max(0.0, surprise)
    return True


@kernel
def _prepare(table, g, tree, size, ways, memory):
    """The root is evaluated: decide how it is searched, and put noise into its priors."""
    state, generator = table.state[g], table.generator[g]
    full = ways.cheap_visits == 0 or uniform(generator) < ways.full_share
    visits = ways.full_visits if full else ways.cheap_visits
    state[READY], state[IS_FULL], state[SIMULATIONS] = 1, full, visits - 1  # the root's own visit is one of them
    keep_raw_prior(tree, size, table.raw_prior[g])
    if ways.noise.actions > 0:
        state[CONSIDERED] = min(ways.noise.actions, visits - 1, tree.links[0, COUNT], table.scores.shape[1])
        table.cursor[g, 0] = 0
        plan_gumbel(tree, generator, full, table.scores[g, : state[CONSIDERED]])
    elif full:
        state[CONSIDERED] = 0
        mix_dirichlet(tree, generator, ways.noise, memory.weights)


@kernel
def _finish_move(table, g, tree, size, ways, constants, memory):
    """The search is over: record what it found and play."""
    state, row = table.state[g], tree.stats[0]
    value, score = -row[VALUE_SUM] / row[VALUES], -row[SCORE_SUM] / row[VALUES]
    plan, kind = plan_of(table, g), CHEAP
    if state[IS_FULL]:
        learn_target(tree, constants, ways.noise.actions > 0, memory.weights)
        if _note_policy(table, g, tree, size, memory.weights):
            kind = FULL
    temperature = ways.temperature if state[PLY] < ways.hot_plies else 0.0
    edge = chosen(tree, plan, constants, table.generator[g], temperature, memory.weights)
    _judge_hope(table, g, value, ways)
    _play(table, g, tree, np.int64(tree.edge_move[edge]), kind, value, score, np.int64(row[VISITS]))


@kernel
def _play(table, g, tree, point, kind, value, score, visits):
    game = game_at(table.roots, g)
    _note(table, g, point, kind, value, score, visits)
    game_play(game, point, game.status[TO_PLAY])
    clear(tree, game.status[TO_PLAY])
    table.state[g, READY] = 0


@kernel
def _judge_hope(table, g, value, ways):
    """Count the plies at which both sides thought that the same side had lost, and note when that side would have resigned."""
    state = table.state[g]
    black = value if game_at(table.roots, g).status[TO_PLAY] == BLACK else -value
    side = BLACK if black < ways.resign else WHITE if black > -ways.resign else 0
    run = state[LOST_FOR]  # positive: plies at which Black was lost, negative: White
    if side == BLACK:
        state[LOST_FOR] = max(run, 0) + 1
    elif side == WHITE:
        state[LOST_FOR] = min(run, 0) - 1
    else:
        state[LOST_FOR] = 0
    if side and state[GAVE_UP] == 0 and abs(state[LOST_FOR]) >= ways.resign_plies:
        state[GAVE_UP] = side


@kernel
def all_alive(board, size, suicide, memory):
    """Whether every point is alive for certain (Benson) or territory of stones that are; fills `memory.alive`."""
    for color in (BLACK, WHITE):
        benson(board, color, memory.alive[color - 1], suicide, memory.benson)
    for row in range(size):
        for column in range(size):
            p = (row + 1) * (size + 1) + column + 1
            if not (memory.alive[0, p] or memory.alive[1, p]):
                return False
    return True


@kernel
def _ending(table, g, size, ways, memory):
    """Whether and how game g ends as it stands."""
    state, game = table.state[g], game_at(table.roots, g)
    if game.status[PASSES] >= 2:
        return PASSED
    if state[GAVE_UP] and not state[PLAYED_OUT]:
        return RESIGNED
    if state[PLY] >= ways.count_from and all_alive(game.board, size, rules_of(table, g).suicide, memory):
        return DECIDED
    return BROKEN_OFF if state[PLY] >= ways.longest else PLAYING


@kernel
def _advance(table, g, size, ways, memory):
    """Go on with game g. Returns whether one of its leaves now waits for the net; if not, the game is over."""
    state, tree, game = table.state[g], tree_of(table, g), game_at(table.roots, g)
    leaf = game_at(table.leaves, g)
    while True:
        if state[PLY] > 0 and tree.stats[0, VISITS] == 0:
            state[ENDING] = _ending(table, g, size, ways, memory)
            if state[ENDING] != PLAYING:
                return False
        if tree.state[0] == EXPANDED:
            if state[TO_DRAW] > 0:
                state[TO_DRAW] -= 1
                edge = drawn_prior(tree, table.generator[g], table.temperature[g])
                _play(table, g, tree, np.int64(tree.edge_move[edge]), OPENING, np.nan, np.nan, 1)
                continue
            if state[READY] == 0:
                _prepare(table, g, tree, size, ways, memory)
            constants = ways.full if state[IS_FULL] else ways.cheap
            if tree.stats[0, VISITS] - 1 >= state[SIMULATIONS]:
                _finish_move(table, g, tree, size, ways, constants, memory)
                continue
        constants, plan = ways.full if state[IS_FULL] else ways.cheap, plan_of(table, g)
        context = SearchContext(tree, constants, rules_of(table, g), memory.forbidden, plan, memory.scratch)
        node, ended = descend(context, game, leaf)
        if plan.cursor[0] < plan.visits.size:
            plan.cursor[0] += 1
        if ended == EVALUATE:
            table.node[g, 0] = node
            return True


@kernel
def advance(table, games, size, ways, memory, waiting, keys):
    """Go on with the games of these numbers (int64[n]). Returns how many wait for the net.

    ``waiting`` (int64[n]) gets their numbers and ``keys`` (uint64[n]) the names of their leaves; the other games are over.
    """
    count = 0
    for i in range(games.size):
        g = games[i]
        if _advance(table, g, size, ways, memory):
            waiting[count] = g
            keys[count] = mix(position_key(game_at(table.leaves, g)), table.salt[g])
            count += 1
    return count


@kernel
def update(table, waiting, size, ways, answer):
    """Enter the answers to the leaves of these games, row by row. Returns the number of rows that were numbers.

    ``answer``: a `goengine.evaluators.base.Evaluation`.
    """
    for i in range(waiting.size):
        g = waiting[i]
        constants = ways.full if table.state[g, IS_FULL] else ways.cheap
        row = slice(i, i + 1)
        one = Evaluation(
            answer.policy[row], answer.value[row], answer.score[row], answer.score_stdev[row], answer.ownership[row]
        )
        if not update_batch(tree_of(table, g), size + 1, constants, table.node[g], 1, 1.0, one):
            return i
    return waiting.size


@kernel
def encode_zero(table, waiting, scratch, planes, values):
    """Encode the leaves of these games into rows, by the feature set 'zero'."""
    for i in range(waiting.size):
        zero.encode(game_at(table.leaves, waiting[i]), rules_of(table, waiting[i]), scratch, planes[i], values[i])


@kernel
def encode_zero_ranked(table, waiting, scratch, planes, values):
    """The same by 'zero_ranked', of players whose ranks are unknown."""
    for i in range(waiting.size):
        zero_ranked.encode(game_at(table.leaves, waiting[i]), rules_of(table, waiting[i]), scratch, planes[i], values[i])


@kernel
def encode_agz17(table, waiting, scratch, planes, values):
    """The same by 'agz17'."""
    for i in range(waiting.size):
        agz17.encode(game_at(table.leaves, waiting[i]), rules_of(table, waiting[i]), scratch, planes[i], values[i])


@kernel
def encode_lee48(table, waiting, scratch, planes, values):
    """The same by 'lee48'."""
    for i in range(waiting.size):
        lee.encode(game_at(table.leaves, waiting[i]), rules_of(table, waiting[i]), scratch, planes[i], values[i])


@kernel
def encode_lee49(table, waiting, scratch, planes, values):
    """The same by 'lee49'."""
    for i in range(waiting.size):
        lee.encode_with_color(game_at(table.leaves, waiting[i]), rules_of(table, waiting[i]), scratch, planes[i], values[i])


ENCODERS = {
    "zero": encode_zero,
    zero_ranked.NAME: encode_zero_ranked,
    "agz17": encode_agz17,
    "lee48": encode_lee48,
    "lee49": encode_lee49,
}
