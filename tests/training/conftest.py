"""Small packs of random games for the training tests, and torch on one thread."""

import os
import signal
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from goengine.board import coords
from goengine.board.kernels import play
from goengine.board.playout import random_move
from goengine.board.random import new_generator
from goengine.board.state import BLACK, new_board
from goengine.dataio.records import BLACK_WINS, NO_RESULT, RESIGNATION, SCORE, UNKNOWN, WHITE_WINS, GamePack, GameRecord


def random_record(size: int, seed: int) -> GameRecord:
    """A random legal game.

    By seed it is counted, resigned or without result, and every fifth begins with two handicap stones.
    """
    rng = np.random.default_rng(seed)
    board, generator = new_board(size), new_generator(seed)
    setup = (
        (coords.to_index(coords.point(2, 2, size), size), coords.to_index(coords.point(size - 3, size - 3, size), size))
        if seed % 5 == 0
        else ()
    )
    for index in setup:
        play(board, coords.from_index(index, size), BLACK)
    color = 2 if setup else BLACK
    moves = []
    for _ in range(int(rng.integers(size, size * size))):
        point = int(random_move(board, color, generator))
        play(board, point, color)
        moves.append((color, coords.to_index(point, size)))
        color = 3 - color
    margin, outcome, ending = None, NO_RESULT, UNKNOWN
    if seed % 3 == 0:
        margin = float(rng.integers(-20, 20)) + 0.5
        outcome, ending = (BLACK_WINS if margin > 0 else WHITE_WINS), SCORE
    elif seed % 3 == 1:
        outcome, ending = (BLACK_WINS, WHITE_WINS)[seed % 2], RESIGNATION
    rules = ("Japanese", "Chinese")[seed % 2]
    return GameRecord(
        size=size,
        moves=tuple(moves),
        komi=6.5,
        rules=rules,
        black_setup=setup,
        to_play=moves[0][0],
        handicap=len(setup),
        outcome=outcome,
        margin=margin,
        ending=ending,
        source=f"random-{seed}",
    )


@pytest.fixture(scope="session")
def small_pack() -> GamePack:
    """Thirty games on 7x7."""
    return GamePack.build(random_record(7, seed) for seed in range(30))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch on one thread: sums in one order, and no thread waits for another that the machine has no core for."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def stop_after_a_quarter(monkeypatch):
    """A function that lets runs of a stage's class get SIGTERM in the step that begins when a quarter of them is done."""

    def stop(stage: type) -> None:
        loss = stage.loss

        def stopping(self, module, batch):
            if float(batch["progress"]) == 0.25:
                os.kill(os.getpid(), signal.SIGTERM)
            return loss(self, module, batch)

        monkeypatch.setattr(stage, "loss", stopping)

    return stop
