"""A finished game of self-play: what is handed out of the table's arrays.

Knows how a game is counted and what each field of a record means. Plays nothing.
"""

from dataclasses import dataclass

import numpy as np

from goengine.board import coords
from goengine.board.rules import Rules
from goengine.board.scoring import area
from goengine.board.stacked import game_at
from goengine.board.state import BLACK, WHITE
from goengine.dataio.records import BLACK_WINS, DRAW, NO_RESULT, RESIGNATION, SCORE, UNKNOWN, WHITE_WINS, GameRecord
from goengine.zero.selfplay_params import SelfPlayParams
from goengine.zero.shards import SearchedGame
from selfplay import kernels
from selfplay.table import DECIDED, ENDING, ENTRIES, GAVE_UP, PASSED, PLAYED_OUT, PLY, RESIGNED, RULES, GameTable


@dataclass(frozen=True)
class FinishedGame(SearchedGame):
    """A game with what every search said, who played it and whether somebody gave up."""

    net: str
    gave_up: int  # the colour that gave up, or would have where it had to play on; 0: none
    played_out: bool  # whether nobody was allowed to give up

    @property
    def falsely_given_up(self) -> bool:
        """Whether a side would have given up a game that it did not lose."""
        lost = {BLACK: WHITE_WINS, WHITE: BLACK_WINS}
        return self.played_out and self.gave_up != 0 and self.record.outcome not in (lost[self.gave_up], NO_RESULT)


def take_out(
    table: GameTable, g: int, settings: SelfPlayParams, memory: kernels.GameScratch, seed: int, net: str
) -> FinishedGame:
    """Game g, which is over, as a record of its own."""
    state, record, size = table.state[g], table.record, settings.size
    count, entries = int(state[PLY]), int(state[ENTRIES])
    owners = _owners(table, g, size, memory)
    margin = None if owners is None else float(owners.sum()) - float(table.komi[g])
    points = record.move[g, :count].astype(np.int64)
    index = coords.to_indices(points, size)
    game = GameRecord(
        size=size,
        moves=tuple(zip(record.color[g, :count].tolist(), index.tolist(), strict=True)),
        komi=float(table.komi[g]),
        rules=Rules.preset(settings.rules[state[RULES]]).to_sgf_text(),
        outcome=_outcome(margin, state),
        margin=margin,
        ending=SCORE if margin is not None else RESIGNATION if state[ENDING] == RESIGNED else UNKNOWN,
        black=net,
        white=net,
        source=f"{net}-{seed:016x}",
    )
    start = record.start[g, : count + 1].copy()
    return FinishedGame(
        record=game,
        kind=record.kind[g, :count].copy(),
        value=record.value[g, :count].copy(),
        score=record.score[g, :count].copy(),
        visits=record.visits[g, :count].copy(),
        surprise=record.surprise[g, :count].copy(),
        policies=(start, record.index[g, :entries].copy(), record.weight[g, :entries].copy()),
        owners=owners,
        seed=seed,
        net=net,
        gave_up=int(state[GAVE_UP]),
        played_out=bool(state[PLAYED_OUT]),
    )


def _outcome(margin: float | None, state: np.ndarray) -> int:
    if margin is not None:
        return BLACK_WINS if margin > 0 else WHITE_WINS if margin < 0 else DRAW
    if state[ENDING] == RESIGNED:
        return WHITE_WINS if state[GAVE_UP] == BLACK else BLACK_WINS
    return NO_RESULT


def _owners(table: GameTable, g: int, size: int, memory: kernels.GameScratch) -> np.ndarray | None:
    """Who owns each point at the end, in policy order: int8[N * N]; None if the game was not counted."""
    ending, board = table.state[g, ENDING], game_at.py_func(table.roots, g).board
    points = coords.points(size)
    if ending == PASSED:
        area(board, memory.scratch.owner, memory.scratch.stack)
        owner: np.ndarray = memory.scratch.owner[points].astype(np.int8)
        return owner
    if ending == DECIDED:
        kernels.all_alive(board, size, int(table.rules[table.state[g, RULES], 1]), memory)
        black, white = (memory.alive[color - 1][points] != 0 for color in (BLACK, WHITE))
        difference: np.ndarray = black.astype(np.int8) - white.astype(np.int8)
        return difference
    return None
