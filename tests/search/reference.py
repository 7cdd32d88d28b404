"""A second, slow search in plain Python, written from the formulas: one leaf at a time, objects for nodes."""

import math
from dataclasses import dataclass, field

import numpy as np

from goengine import features
from goengine.board import coords
from goengine.board.position import Position
from goengine.evaluators.base import Batch
from goengine.search.params import SearchParams


@dataclass(eq=False)
class Node:
    """Sums are for the player to move at the node itself."""

    prior: float = 1.0
    visits: int = 0
    total: float = 0.0
    squares: float = 0.0
    net: float = 0.0
    terminal: bool = False
    children: dict[int, "Node"] = field(default_factory=dict)

    @property
    def mean(self) -> float:
        return self.total / self.visits if self.visits else 0.0


class Reference:
    """PUCT with KataGo's refinements on a copy of the position for every descent."""

    def __init__(self, position: Position, evaluator, params: SearchParams):
        self.position, self.evaluator, self.params = position, evaluator, params
        self.features = features.get(evaluator.features)
        self.root = Node()

    def run(self, visits: int) -> Node:
        """The root after that many visits."""
        while self.root.visits < visits:
            self._visit(self.root, self.position.copy())
        return self.root

    def _visit(self, node: Node, game: Position) -> tuple[float, float]:
        """One visit of a node: how much its total and its squares grow, for the player to move there."""
        if node.terminal:
            value, square = node.net, node.net**2
        elif not node.visits:
            value = self._expand(node, game)
            square = value**2
        else:
            move = self._choose(node)
            child = node.children[move]
            game.play(move)
            if not child.visits and game.is_over():
                child.terminal = True
                child.net = math.copysign(1.0, game.score()) * (1 if game.to_play == 2 else -1)
            value, square = self._visit(child, game)
            value = -value
        node.visits += 1
        node.total += value
        node.squares += square
        return value, square

    def _expand(self, node: Node, game: Position) -> float:
        planes, values = self.features.encode_one(game.game, game.code, game.size)
        answer = self.evaluator.evaluate(Batch(planes[None], values[None], np.zeros(1, np.uint64)))
        legal = game.legal_moves()
        logits = np.array([answer.policy[0, coords.to_index(move, game.size)] for move in legal], np.float64)
        priors = np.exp((logits - logits.max()) / self.params.policy_temperature)
        priors = (priors / priors.sum()).astype(np.float32)
        for move, prior in zip(legal, priors, strict=True):
            node.children[move] = Node(prior=float(prior))
        node.net = float(answer.value[0])
        return node.net

    def _choose(self, node: Node) -> int:
        p = self.params
        visited = {move: child for move, child in node.children.items() if child.visits}
        total = sum(child.visits for child in visited.values())
        c = p.cpuct + p.cpuct_log * math.log((total + p.cpuct_base) / p.cpuct_base)
        if p.cpuct_stdev_scale:
            sigma, weight = p.cpuct_stdev_prior, p.cpuct_stdev_weight
            mean = node.mean
            square = ((mean**2 + sigma**2) * weight + node.squares) / (weight + node.visits - 1)
            c *= 1 + p.cpuct_stdev_scale * (math.sqrt(max(0, square - mean**2)) / sigma - 1)
        urgency = p.fpu_value
        if p.fpu_relative:
            mass = sum(child.prior for child in visited.values())
            reduction = p.root_fpu_reduction if node is self.root else p.fpu_reduction
            urgency = mass**2 * node.mean + (1 - mass**2) * node.net - reduction * math.sqrt(mass)

        def worth(move: int) -> float:
            child = node.children[move]
            if child.visits and node is self.root and child.visits**2 < p.forced_playouts * child.prior * total:
                return 1e9
            q = -child.mean if child.visits else urgency
            return q + c * child.prior * math.sqrt(total) / (1 + child.visits)

        best = max(visited, key=worth, default=None)
        rest = [move for move in node.children if move not in visited]
        if rest:
            fresh = max(rest, key=lambda move: (node.children[move].prior, -move))
            if best is None or worth(fresh) > worth(best):
                return fresh
        return best
