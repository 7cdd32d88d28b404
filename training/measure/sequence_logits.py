"""What a sequence model says of positions of packed games, for measuring; and the features of positions that it may see."""

import numpy as np
import torch
from torch import nn

from goengine import features
from goengine.evaluators.graph import Graph, read_model
from goengine.evaluators.load import graph_of
from goengine.evaluators.trunk_heads import TRUNK, trunk_alone
from goengine.nets.sequence.sequence_spec import SequenceSpec
from goengine.sequence.lines import as_lines
from training.data.sampling import Draw, Games
from training.data.sequences import BEFORE, TokenGames
from training.data.stream import Sampler
from training.measure import by_rank


class TrunkMemory:
    """The trunk of a shipped net: features of packed positions."""

    def __init__(self, net: str, threads: int = 1):
        card, graph, weights = graph_of(net)
        self.features = features.get(card.spec.features)
        self._graph = Graph(trunk_alone(read_model(graph, weights)), threads)

    def of_sampler(self, sampler: Sampler, first: int, count: int) -> np.ndarray:
        """float32[count, C, 19, 19] of the samples first, first + 1, ..."""
        targets = sampler.batch(first, count)
        return self._graph(targets.planes, targets.globals)[TRUNK]


def of_sequence(module: nn.Module, spec: SequenceSpec, memory: TrunkMemory | None, batch: int = 64) -> by_rank.Logits:
    """A sequence model's logits of positions: the whole game up to each, or the position as memory and the moves before it."""

    def logits(games: Games, positions: np.ndarray) -> np.ndarray:
        tokens = TokenGames.of(games)
        sampler = None if memory is None else Sampler(games, memory.features, Draw(0, 0, 0, 0.0), chosen=positions)
        found = []
        for first in range(0, len(positions), batch):
            part = positions[first : first + batch]
            seen = None if memory is None or sampler is None else memory.of_sampler(sampler, first, len(part))
            found.append(_last_logits(module, spec, tokens, part, seen))
        return np.concatenate(found)

    return logits


def _last_logits(
    module: nn.Module, spec: SequenceSpec, tokens: TokenGames, positions: np.ndarray, seen: np.ndarray | None
) -> np.ndarray:
    """float32[B, MOVES] of what is played at these positions."""
    sentences = []
    for position in positions.tolist():
        g = tokens.game_of(position)
        ply = position - int(tokens.games.start[g])
        sentences.append(tokens.sentence(g, max(0, ply - BEFORE) if spec.memory else 0, ply, 0))
    lines = as_lines(sentences, spec.longest)
    inputs = [torch.from_numpy(array) for array in lines] + ([] if seen is None else [torch.from_numpy(seen)])
    with torch.inference_mode():
        out = module(*inputs).float().numpy()
    return out[np.arange(len(positions)), lines.lengths - 1]
