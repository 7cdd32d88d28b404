"""How well models predict people's moves, by band of ranks and by phase of the game.

Knows figures and the moves that they are measured on: held-out games, about as many moves of each band, of people alone. A
model is anything that gives logits for positions of packed games; only legal moves count, whatever it says of others.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from goengine import features
from goengine.board.game_kernels import game_legal
from goengine.board.state import new_game
from goengine.evaluators.ranked import legal_softmax
from goengine.features import zero_ranked
from goengine.ranks.scale import BANDS
from training.data import ranked
from training.data.sampling import Draw, Games, replay, rules_of
from training.data.stream import Sampler
from training.measure.evaluate import Predict

PHASES = ("1-50", "51-150", "151-")  # numbers of moves
_BOUNDS = (50, 150)
GAMES_A_BAND = 80  # at most: models that read whole games read each of them once
Logits = Callable[[Games, np.ndarray], np.ndarray]  # positions int64[K] -> float32[K, points + 1]


@dataclass(frozen=True)
class MeasuredMoves:
    """K moves; arrays with an entry for each."""

    positions: np.ndarray  # int64, ascending, numbered through all games
    band: np.ndarray  # int8  places in BANDS
    ply: np.ndarray  # int64  moves before it
    played: np.ndarray  # int64  policy indices
    legal: np.ndarray  # uint8[K, points + 1]


@dataclass(frozen=True)
class RankFigures:
    """Means over some moves."""

    moves: int
    bits: float  # cross-entropy of the move played, over the legal moves
    top1: float  # share of moves that were the likeliest
    top5: float


def measured_moves(games: Games, count: int, seed: int = 0) -> MeasuredMoves:
    """About so many moves of held-out games, of all bands alike as far as there are as many."""
    generator, places = np.random.default_rng(seed), ranked.bands(games)
    game = np.repeat(np.arange(len(games.size)), np.diff(games.start))
    chosen = []
    for place in range(len(BANDS)):
        own = np.flatnonzero(places == place)
        read = generator.permutation(np.unique(game[own]))[:GAMES_A_BAND]
        own = own[np.isin(game[own], read)]
        chosen.append(generator.permutation(own)[: max(1, count // len(BANDS))])
    positions = np.sort(np.concatenate(chosen))
    return MeasuredMoves(
        positions=positions,
        band=places[positions],
        ply=positions - games.start[game[positions]],
        played=played_moves(games, positions),
        legal=legal_moves(games, positions),
    )


def played_moves(games: Games, positions: np.ndarray) -> np.ndarray:
    """int64[K]: policy indices of the moves played there; all games of one board size."""
    size, points = int(games.size[0]), games.moves[positions].astype(np.int64)
    return np.where(points == 0, size * size, (points // (size + 1) - 1) * size + points % (size + 1) - 1)


def legal_moves(games: Games, positions: np.ndarray) -> np.ndarray:
    """uint8[K, points + 1]: legal moves of the side to move, and the move played whatever the rules say of it."""
    size = int(games.size[0])
    game, legal = new_game(size), np.zeros((len(positions), size * size + 1), np.uint8)
    for row, position in enumerate(positions):
        g = int(np.searchsorted(games.start, position, "right")) - 1
        replay(games, g, position - games.start[g], game)
        game_legal(game, rules_of(games, g, 0.0), legal[row])
    legal[np.arange(len(positions)), played_moves(games, positions)] = 1
    return legal


def of_net(predict: Predict, feature_name: str, batch: int = 64) -> Logits:
    """A net's logits; with the players' ranks if it hears them."""

    def logits(games: Games, positions: np.ndarray) -> np.ndarray:
        chosen, draw = features.get(feature_name), Draw(0, symmetries=0, shuffle=0, vary=0.0)
        sampler = Sampler(games, chosen, draw, chosen=positions)
        found = []
        for first in range(0, len(positions), batch):
            targets = sampler.batch(first, min(batch, len(positions) - first))
            found.append(predict(targets.planes, targets.globals).policy)
        return np.concatenate(found)

    return logits


def figures(logits: np.ndarray, moves: MeasuredMoves, rows: np.ndarray | None = None) -> RankFigures:
    """Figures over these rows (bool[K]), all if None."""
    rows = np.ones(len(moves.played), bool) if rows is None else rows
    likely, played = legal_softmax(logits[rows], moves.legal[rows]), moves.played[rows]
    own = likely[np.arange(len(played)), played]
    rank = (likely > own[:, None]).sum(1) + ((likely == own[:, None]) & (np.arange(likely.shape[1]) < played[:, None])).sum(1)
    bits = -np.log2(np.maximum(own, 1e-12))
    return RankFigures(len(played), float(bits.mean()), float((rank < 1).mean()), float((rank < 5).mean()))


def by_band(logits: np.ndarray, moves: MeasuredMoves) -> dict[str, RankFigures]:
    """Figures by band, of bands that have moves."""
    groups = {name: moves.band == place for place, name in enumerate(BANDS)}
    return {name: figures(logits, moves, rows) for name, rows in groups.items() if rows.any()}


def by_phase(logits: np.ndarray, moves: MeasuredMoves) -> dict[str, RankFigures]:
    """Figures by number of the move, of phases that have moves."""
    phase = np.digitize(moves.ply, _BOUNDS)
    return {name: figures(logits, moves, phase == i) for i, name in enumerate(PHASES) if (phase == i).any()}


def even(parts: Mapping[str, RankFigures]) -> RankFigures:
    """The mean over bands, each of which counts alike."""
    found: Sequence[RankFigures] = list(parts.values())
    bits, top1, top5 = (float(np.mean([getattr(part, name) for part in found])) for name in ("bits", "top1", "top5"))
    return RankFigures(sum(part.moves for part in found), bits, top1, top5)


def told(parts: Mapping[str, RankFigures]) -> dict[str, float]:
    """Bits, top-1 and top-5 of all bands alike, and bits of each band, as a log shows them."""
    mean = even(parts)
    one = {f"bits_{name}": part.bits for name, part in parts.items()}
    return {"bits": mean.bits, "top1": mean.top1, "top5": mean.top5, **one}


class Measured:
    """Held-out moves that a ranked net is measured on while it learns."""

    def __init__(self, games: Games, moves: MeasuredMoves):
        self._games, self._moves = games, moves

    def figures(self, predict: Predict, outputs: Set[str], positions: int, batch: int) -> dict[str, float]:
        """Bits and top-1 of all bands alike, and bits of each band."""
        found = by_band(of_net(predict, zero_ranked.NAME, batch)(self._games, self._moves.positions), self._moves)
        return told(found)
