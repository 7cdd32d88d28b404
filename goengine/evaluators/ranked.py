"""Ranked nets: what a player of a given rank plays, and how likely each of his moves is.

A ranked net is a net of the feature set `zero_ranked`; `goengine.evaluators.load.load` loads it as every other net, and without
ranks it answers for players of whom nothing is known. This module tells it ranks:

- `RankedPolicy("b8c96-ranked")` asks for positions:
  `probabilities(positions, to_move, other)` -> float32[N, points + 1] over the legal moves, the pass last;
  `evaluate(...)` -> the whole `Evaluation` (value and score as people of that rank achieve them);
  `over_ranks(positions, ranks)` -> float32[N, R, points + 1], each position under each of R ranks, encoded once.
- `Ranked(evaluator, to_move, other)` is an evaluator for a search, which tells the same ranks with every row.

Ranks are numbers on the scale of `goengine.ranks.scale` (5k = -4.0, 3d = 3.0; `rank_value("5k")`), one for all positions or one
for each; None or NaN for nobody known. `to_move` is the side whose turn it is, `other` its opponent. The server says on whose
scale the ranks are; KGS is what people mean who name none.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from goengine.board.position import Position
from goengine.evaluators.base import NOT_CACHED, Batch, Evaluation, Evaluator, EvaluatorBase, EvaluatorError, Pending
from goengine.evaluators.load import load
from goengine.features import get, zero_ranked
from goengine.ranks.scale import Server

Ranks = float | None | Sequence[float | None] | np.ndarray
ROWS = 64  # of a batch: more are no faster on a CPU


def is_ranked(evaluator: Evaluator) -> bool:
    """Whether a net listens to ranks."""
    return evaluator.features == zero_ranked.NAME


def as_ranks(ranks: Ranks, rows: int) -> np.ndarray:
    """Ranks as float32[rows], NaN where nothing is known. Raises ValueError if there are neither one nor `rows` of them."""
    one = ranks is None or isinstance(ranks, (int, float))
    values = np.array([ranks] if one else list(ranks), np.float32)  # type: ignore[arg-type]  # which is no number here
    if len(values) not in (1, rows):
        raise ValueError(f"{len(values)} ranks for {rows} positions; one for all or one for each is expected")
    return np.broadcast_to(values, (rows,))


def check_ranked(evaluator: Evaluator) -> None:
    """Raises EvaluatorError if the net knows nothing of ranks."""
    if not is_ranked(evaluator):
        raise EvaluatorError(
            f"{evaluator.name}: sees the features {evaluator.features}, which say nothing of ranks; "
            f"a net of {zero_ranked.NAME} is needed, such as b8c96-ranked"
        )


class Ranked(EvaluatorBase):
    """`inner`, a ranked net, that is told the same ranks with every row: for a search in which both sides are alike."""

    def __init__(self, inner: Evaluator, to_move: float | None, other: float | None, server: Server = Server.KGS):
        """Raises EvaluatorError if the net knows nothing of ranks."""
        check_ranked(inner)
        self.inner, self.traits = inner, inner.traits
        self._ranks = as_ranks(to_move, 1), as_ranks(other, 1)
        self._server = np.array([server])
        told = np.concatenate([*self._ranks, self._server.astype(np.float32)]).tobytes()
        self._tag = np.uint64(int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big"))

    def submit(self, batch: Batch) -> Pending:
        """Keys change with the ranks: a cache below must not take the answer for one rank for that of another."""
        values, rows = batch.globals.copy(), batch.rows
        to_move, other, server = (np.repeat(part, rows) for part in (*self._ranks, self._server))
        zero_ranked.write_ranks(values, to_move, other, server)
        keys = np.where(batch.keys == NOT_CACHED, batch.keys, batch.keys ^ self._tag)
        return self.inner.submit(Batch(batch.planes, values, keys))

    def close(self) -> None:
        self.inner.close()


class RankedPolicy:
    """Asks a ranked net about positions of one board size; see the module's first paragraph."""

    def __init__(self, net: str | Path | Evaluator, **backend: Any):
        """net: a name, a path or an evaluator; backend: settings of `goengine.evaluators.load.load`.

        Raises EvaluatorError if the net cannot be loaded or knows nothing of ranks.
        """
        self.evaluator = load(net, **backend) if isinstance(net, (str, Path)) else net
        check_ranked(self.evaluator)
        self._features = get(zero_ranked.NAME)

    def probabilities(
        self, positions: Position | Sequence[Position], to_move: Ranks, other: Ranks = None, server: Server = Server.KGS
    ) -> np.ndarray:
        """float32[N, points + 1]: how likely a player of that rank makes each legal move, the pass last; rows add up to 1.

        Raises ValueError if the positions are of several board sizes or there are not as many ranks.
        """
        positions = _listed(positions)
        return legal_softmax(self.evaluate(positions, to_move, other, server).policy, _legal(positions))

    def evaluate(
        self, positions: Position | Sequence[Position], to_move: Ranks, other: Ranks = None, server: Server = Server.KGS
    ) -> Evaluation:
        """Everything that the net says, row by row, for the side to move. Raises ValueError as `probabilities`."""
        positions = _listed(positions)
        rows = len(positions)
        return self._answers(*self._encoded(positions), as_ranks(to_move, rows), as_ranks(other, rows), server)

    def over_ranks(
        self, positions: Position | Sequence[Position], ranks: Sequence[float], other: Ranks = None, server: Server = Server.KGS
    ) -> np.ndarray:
        """float32[N, R, points + 1]: as `probabilities`, each position for each of R ranks of the side to move."""
        positions, count = _listed(positions), len(ranks)
        planes, values = (np.repeat(part, count, axis=0) for part in self._encoded(positions))
        others = np.repeat(as_ranks(other, len(positions)), count)
        answers = self._answers(planes, values, np.tile(np.asarray(ranks, np.float32), len(positions)), others, server)
        likely = legal_softmax(answers.policy, np.repeat(_legal(positions), count, axis=0))
        return likely.reshape(len(positions), count, -1)

    def close(self) -> None:
        """Give the net back."""
        self.evaluator.close()

    def _encoded(self, positions: Sequence[Position]) -> tuple[np.ndarray, np.ndarray]:
        """Planes [N, C, M, M] and globals [N, G] without ranks."""
        size = positions[0].size
        scratch = self._features.new_scratch(size)
        planes = np.zeros((len(positions), self._features.planes, size, size), np.float32)
        values = np.zeros((len(positions), self._features.globals), np.float32)
        for row, position in enumerate(positions):
            self._features.encode(position.game, position.code, scratch, planes[row], values[row])
        return planes, values

    def _answers(
        self, planes: np.ndarray, values: np.ndarray, to_move: np.ndarray, other: np.ndarray, server: Server
    ) -> Evaluation:
        zero_ranked.write_ranks(values, to_move, other, np.full(len(values), int(server)))
        keys = np.full(len(values), NOT_CACHED)
        parts = [
            self.evaluator.evaluate(Batch(planes[i : i + ROWS], values[i : i + ROWS], keys[i : i + ROWS]))
            for i in range(0, len(values), ROWS)
        ]
        return Evaluation(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def legal_softmax(logits: np.ndarray, legal: np.ndarray) -> np.ndarray:
    """Probabilities float32[B, A] over the legal moves (non-zero in `legal`), 0 elsewhere."""
    masked = np.where(legal != 0, logits.astype(np.float64), -np.inf)
    shares = np.exp(masked - masked.max(axis=1, keepdims=True))
    likely: np.ndarray = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return likely


def _listed(positions: Position | Sequence[Position]) -> list[Position]:
    listed = [positions] if isinstance(positions, Position) else list(positions)
    if not listed or len({position.size for position in listed}) > 1:
        raise ValueError(f"{len(listed)} positions; at least one is expected, and all of one board size")
    return listed


def _legal(positions: Sequence[Position]) -> np.ndarray:
    return np.stack([position.legal_mask() for position in positions])
