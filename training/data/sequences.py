"""Games of packs as lines of tokens with what is to be said at each token.

Sample number k of a run is a pure function of (seed, k), as in `training.data.sampling`: which position, which symmetry. A line
without a memory is the whole game that the position lies in, up to a length; one with a memory holds a few moves before the
position and those behind it, which alone are learned. Programs' moves are read and not learned.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from goengine.board import symmetry
from goengine.nets.sequence.sequence_spec import BOARD, SequenceSpec
from goengine.sequence.lines import HEADS, MOVES, PAD, Lines, Sentence, as_lines
from training.data.sampling import Draw, Games, place_of, symmetry_of

BEFORE = 8  # moves before a position that its line begins with, where there is a memory
NOTHING = -1  # a target that is not learned


@dataclass(frozen=True)
class TokenGames:
    """The moves of packed games as policy indices, with set-up stones in front; all of 19x19."""

    games: Games
    indices: np.ndarray  # int64[positions]
    stones: np.ndarray  # int64[set-up stones]

    @staticmethod
    def of(games: Games) -> "TokenGames":
        """Raises ValueError if a game is not of 19x19."""
        if (games.size != BOARD).any():
            raise ValueError(f"sequence models know {BOARD}x{BOARD} alone")
        return TokenGames(games, _indices(games.moves), _indices(games.setup_points))

    def sentence(self, g: int, first: int, end: int, s: int) -> Sentence:
        """Moves first .. end - 1 of game g (from 0), through a symmetry; with set-up stones if first is 0."""
        games, start = self.games, int(self.games.start[g])
        moves = self.indices[start + first : start + end]
        colors = games.colors[start + first : start + end].astype(np.int64)
        if first == 0:
            own = slice(games.setup_start[g], games.setup_start[g + 1])
            moves = np.concatenate([self.stones[own], moves])
            colors = np.concatenate([games.setup_colors[own].astype(np.int64), colors])
        last = start + end
        turn = int(games.colors[last]) if last < games.start[g + 1] else 3 - int(games.colors[last - 1])
        black, white = games.ranks[g].tolist()
        return Sentence(symmetry.scatter(BOARD)[s][moves].astype(np.int64), colors, (black, white), turn)

    def game_of(self, position: int) -> int:
        """The game that owns a position."""
        return int(np.searchsorted(self.games.start, position, "right")) - 1


def _indices(points: np.ndarray) -> np.ndarray:
    points = points.astype(np.int64)
    return np.where(points == 0, BOARD * BOARD, (points // (BOARD + 1) - 1) * BOARD + points % (BOARD + 1) - 1)


class LineSampler:
    """Lines around drawn positions."""

    def __init__(self, games: TokenGames, spec: SequenceSpec, draw: Draw, chosen: np.ndarray):
        self.games, self.spec, self.draw, self.chosen = games, spec, draw, chosen

    def batch(self, first: int, count: int) -> Mapping[str, np.ndarray]:
        """Samples first .. first + count - 1: the arrays of `Lines`, and `targets` int64[B, T], NOTHING for none."""
        sentences, learned = [], []
        for number in range(first, first + count):
            position = int(self.chosen[place_of(self.chosen.size, self.draw, number)])
            sentence, mask = self._line(position, int(symmetry_of(self.draw, number)))
            sentences.append(sentence)
            learned.append(mask)
        lines = as_lines(sentences, self.spec.longest)
        return {**lines._asdict(), "targets": targets_of(lines, learned)}

    def _line(self, position: int, s: int) -> tuple[Sentence, np.ndarray]:
        """(sentence, bool[n]: whether each of its moves is learned)."""
        games, g = self.games.games, self.games.game_of(position)
        ply, length = position - int(games.start[g]), int(games.start[g + 1] - games.start[g])
        room = self.spec.longest - HEADS
        if self.spec.memory:
            first, end = max(0, ply - BEFORE), min(length, max(0, ply - BEFORE) + room)
            skipped = ply - first
        else:
            first, end, skipped = 0, min(length, room - int(games.setup_start[g + 1] - games.setup_start[g])), 0
        sentence = self.games.sentence(g, first, end, s)
        start = len(sentence.moves) - (end - first)
        people = (games.bots[g] & sentence.colors) == 0
        people[: start + skipped] = False
        if len(people) > room:
            people = people[-room:]
        return sentence, people


def targets_of(lines: Lines, learned: list[np.ndarray]) -> np.ndarray:
    """int64[B, T]: at each token the move behind it, if that is learned (bool[n] for the n moves of each line)."""
    found = np.full(lines.tokens.shape, NOTHING, np.int64)
    found[:, :-1] = np.where((lines.tokens[:, 1:] < MOVES) & (lines.tokens[:, 1:] != PAD), lines.tokens[:, 1:], NOTHING)
    for row, mask in enumerate(learned):
        places = HEADS - 1 + np.flatnonzero(~mask)
        found[row, places] = NOTHING
    return found
