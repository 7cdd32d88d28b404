"""A sequence model at play, on OpenVINO: the next move, a continuation, and where on the board it looks.

`Decoder("ranked-decoder")` loads NAME.xml and NAME.bin of a model's folder (or a path to the .xml):

- `logits(positions, black, white)` -> float32[N, 362], `probabilities` the same over legal moves;
- `continuation(position, black, white, moves)`: what players of these ranks go on to play, the likeliest move each time;
- `attention(position, black, white)` -> float32[19, 19]: how much the next move looks at each point.

Ranks are numbers on the scale of `goengine.ranks.scale`, None where nothing is known. 19x19 alone.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from goengine import features
from goengine.board import coords
from goengine.board.position import Position
from goengine.board.state import PASS
from goengine.core.openvino_import import ov
from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.graph import Graph, read_model
from goengine.evaluators.load import graph_of
from goengine.evaluators.openvino import core, read_pair
from goengine.evaluators.ranked import legal_softmax
from goengine.evaluators.trunk_heads import TRUNK, trunk_alone
from goengine.nets.sequence.sequence_spec import BOARD, SequenceSpec, SequenceSpecError
from goengine.sequence.lines import HEADS, Lines, Sentence, as_lines, sentence_of

FOLDER: Final = Path(__file__).resolve().parent.parent / "weights" / "sequence"
BEFORE: Final = 8  # moves before the position that a decoder with a memory reads, as in its training


class Step(NamedTuple):
    """A move of a continuation."""

    color: int
    point: int
    probability: float  # that such a player makes this move, by the decoder


class Decoder:
    """A decoder with a memory, or a board-free model, exported by `training sequence-export`."""

    def __init__(self, name: str | Path = "ranked-decoder", threads: int = 1):
        """Raises EvaluatorError if there is no such model or its files are damaged."""
        path = Path(name) if Path(name).suffix == ".xml" else FOLDER / f"{name}.xml"
        graph, weights = read_pair(path)
        self.spec = _spec(graph, path)
        self._model = _compiled(read_model(graph, weights), threads)
        self._trunk: Graph | None = None
        if self.spec.trunk:
            card, trunk, trunk_weights = graph_of(self.spec.trunk)
            self._features = features.get(card.spec.features)
            self._trunk = Graph(trunk_alone(read_model(trunk, trunk_weights)), threads)

    def logits(self, positions: Sequence[Position], black: float | None, white: float | None) -> np.ndarray:
        """float32[N, 362]: of the next move, legal or not. Raises ValueError if a board is not 19x19."""
        sentences = [self._begun(sentence_of(position, black, white)) for position in positions]
        lines = as_lines(sentences, self.spec.longest)
        found = self._answers(lines, self._seen(positions))["logits"]
        logits: np.ndarray = found[np.arange(len(positions)), lines.lengths - 1]
        return logits

    def probabilities(self, positions: Sequence[Position], black: float | None, white: float | None) -> np.ndarray:
        """float32[N, 362]: how likely each legal move is; rows add up to 1."""
        return legal_softmax(self.logits(positions, black, white), np.stack([p.legal_mask() for p in positions]))

    def continuation(self, position: Position, black: float | None, white: float | None, moves: int = 8) -> list[Step]:
        """The likeliest move, the likeliest reply, and so on: at most so many, fewer where the line is full or both pass.

        The position is seen once; the decoder follows its own moves, whose legality is checked on a copy of the board.
        """
        seen, sentence, board = self._seen([position]), self._begun(sentence_of(position, black, white)), position.copy()
        found: list[Step] = []
        while len(found) < moves and HEADS + len(sentence.moves) <= self.spec.longest and not board.is_over():
            lines = as_lines([sentence], self.spec.longest)
            logits = self._answers(lines, seen)["logits"][:, lines.lengths[0] - 1]
            likely = legal_softmax(logits, board.legal_mask()[None])[0]
            index, color = int(likely.argmax()), board.to_play
            point = coords.from_index(index, BOARD)
            board.play(point)
            found.append(Step(color, point, float(likely[index])))
            played = np.append(sentence.moves, index), np.append(sentence.colors, color)
            sentence = Sentence(*played, sentence.ranks, board.to_play)
            if self.spec.memory and HEADS + len(sentence.moves) > self.spec.longest:
                break  # the position that it remembers would lie before its line
        while found and found[-1].point == PASS and len(found) > 1 and found[-2].point == PASS:
            found.pop()
        return found

    def attention(self, position: Position, black: float | None, white: float | None) -> np.ndarray:
        """float32[19, 19]: shares of attention on the points for the next move, which add up to 1.

        Raises EvaluatorError if the model sees no board.
        """
        if not self.spec.memory:
            raise EvaluatorError("a board-free model looks at no points; name a decoder that was trained with --trunk")
        lines = as_lines([self._begun(sentence_of(position, black, white))], self.spec.longest)
        shares: np.ndarray = self._answers(lines, self._seen([position]))["points"][0, lines.lengths[0] - 1]
        return shares.reshape(BOARD, BOARD)

    def _begun(self, sentence: Sentence) -> Sentence:
        """With a memory the last moves alone, as in training."""
        if not self.spec.memory:
            return sentence
        return sentence._replace(moves=sentence.moves[-BEFORE:], colors=sentence.colors[-BEFORE:])

    def _seen(self, positions: Sequence[Position]) -> np.ndarray | None:
        """float32[N, C, 19, 19]: the trunk's features of the positions."""
        if self._trunk is None:
            return None
        scratch = self._features.new_scratch(BOARD)
        planes = np.zeros((len(positions), self._features.planes, BOARD, BOARD), np.float32)
        values = np.zeros((len(positions), self._features.globals), np.float32)
        for row, position in enumerate(positions):
            self._features.encode(position.game, position.code, scratch, planes[row], values[row])
        return self._trunk(planes, values)[TRUNK]

    def _answers(self, lines: Lines, seen: np.ndarray | None) -> dict[str, np.ndarray]:
        inputs = {"tokens": lines.tokens, "colors": lines.colors, "turn": lines.turn, "ranks": lines.ranks}
        found = self._model.infer(inputs if seen is None else {**inputs, "features": seen})
        return {name: np.array(value, np.float32) for port, value in found.items() for name in port.get_names()}


def _spec(graph: bytes, path: Path) -> SequenceSpec:
    told = ElementTree.fromstring(graph).find("rt_info/goengine/spec")
    try:
        return SequenceSpec.from_json("" if told is None else told.get("value", ""))
    except SequenceSpecError as error:
        raise EvaluatorError(f"{path}: not a sequence model of this project: {error}") from error


def _compiled(model: ov.Model, threads: int) -> ov.InferRequest:
    """In float32: the model is small, and lines are short."""
    properties = {"INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False, "INFERENCE_NUM_THREADS": threads}
    return core().compile_model(model, "CPU", properties).create_infer_request()
