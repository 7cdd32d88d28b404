"""Boards for pattern tests: random games step by step, diagrams, and both through symmetries."""

import numpy as np

from goengine.board import coords
from goengine.board.kernels import play
from goengine.board.playout import random_move
from goengine.board.random import new_generator
from goengine.board.state import BLACK, EMPTY, PASS, WHITE, new_board
from goengine.patterns.surroundings import new_surroundings, play_around, survey


def surveyed(board):
    """What is around all points of a board, looked at afresh."""
    around = new_surroundings(int(board.info[0]))
    survey(board, around)
    return around


def random_game(size, seed, plies):
    """Yield (board, around, last move, color to play) along a random game; `around` is kept up, not looked at afresh."""
    board, generator = new_board(size), new_generator(seed)
    around, color = surveyed(board), BLACK
    for _ in range(plies):
        move = int(random_move(board, color, generator))
        if move == PASS:
            return
        play_around(board, around, move, color)
        color = 3 - color
        yield board, around, move, color


def board_of(diagram, symmetry=0, swap=False):
    """A board from rows of . X O with blanks between; through a symmetry (bits: rows, columns, transposed), colours swapped."""
    rows = [line.split() for line in diagram.strip().splitlines()]
    size = len(rows)
    board = new_board(size)
    for row in range(size):
        for column in range(size):
            color = {".": EMPTY, "X": BLACK, "O": WHITE}[rows[row][column]]
            if color != EMPTY:
                play(board, moved_point(row, column, size, symmetry), 3 - color if swap else color)
    return board


def moved_point(row, column, size, symmetry):
    """Where a place of the board comes to lie, as a point."""
    row, column = (column, row) if symmetry & 4 else (row, column)
    row, column = (size - 1 - row if symmetry & 1 else row), (size - 1 - column if symmetry & 2 else column)
    return int(coords.point(row, column, size))


def moved_board(board, symmetry, swap=False):
    """The same stones through a symmetry, with the colours exchanged if asked for."""
    size = int(board.info[0])
    made = new_board(size)
    for row in range(size):
        for column in range(size):
            color = int(board.color[coords.point(row, column, size)])
            if color != EMPTY:
                play(made, moved_point(row, column, size, symmetry), 3 - color if swap else color)
    return made


def empties(board):
    """The empty points as (row, column)."""
    size = int(board.info[0])
    points = [(row, column) for row in range(size) for column in range(size)]
    return [(row, column) for row, column in points if board.color[coords.point(row, column, size)] == EMPTY]


def all_points(size):
    return np.array(coords.points(size))
