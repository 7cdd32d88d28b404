"""Who owns each point, as several witnesses tell it: random playouts, a net's ownership, and a head that divides the board.

Knows how each is asked about a position, and `Opinion`s that believe a mixture of them. Not whether they are right.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from goengine import features
from goengine.board import symmetry
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.board.state import BLACK
from goengine.evaluators.graph import Graph, read_model
from goengine.evaluators.load import graph_of
from goengine.evaluators.trunk_heads import with_head
from goengine.nets import export, weights_file
from goengine.player import territory
from goengine.player.net_source import NetSource
from goengine.player.opinion import Opinion
from training.core.checkpoint import RunError

PLAYOUTS, NET, HEAD = "playouts", "net", "head"
MIXTURES: Final[Mapping[str, tuple[str, ...]]] = {
    "playouts": (PLAYOUTS,),
    "net": (NET,),
    "head": (HEAD,),
    "playouts and net": (PLAYOUTS, NET),
    "playouts and head": (PLAYOUTS, HEAD),
    "net and head": (NET, HEAD),
    "playouts twice and net": (PLAYOUTS, PLAYOUTS, NET),
    "playouts twice and head": (PLAYOUTS, PLAYOUTS, HEAD),
}


class Told(NamedTuple):
    """Means over all symmetric views of a position, float32."""

    ownership: np.ndarray  # [N*N]: 1 = Black's, -1 = White's
    points: np.ndarray | None = None  # [3,N*N]: shares of Black, White and neutral
    stones: np.ndarray | None = None  # [3,N*N]: shares of alive, dead and seki


class NetWitness:
    """A net as OpenVINO computes it, and a trained head on it: with a head, the ownership is the head's."""

    def __init__(self, net: str, threads: int = 0, head: Path | None = None):
        """net: a shipped net's name or folder. Raises RunError if the head was trained on another net."""
        card, graph, weights = graph_of(net)
        model, self.features = read_model(graph, weights), features.get(card.spec.features)
        if head is not None:
            found = weights_file.load(head, weights_file.OWNERS_FORMAT)
            if found.meta.data.get("net_sha256") != card.files["net.safetensors"]:
                raise RunError(f"--head {head}: was trained on the net {found.meta.data.get('net')}, not on {card.name}")
            model = with_head(model, export.openvino_head(found.head()))
        self.graph = Graph(model, threads)

    def ask(self, position: Position) -> Told:
        """What it says."""
        code = position.code._replace(komi=float(position.white_bonus()))
        planes, values = self.features.encode_one(position.game, code, position.size)
        views = range(symmetry.COUNT)
        told = self.graph(np.stack([symmetry.planes(planes, view) for view in views]), np.stack([values] * len(views)))
        black = position.to_play == BLACK
        ownership = _turned_back(told["ownership"][:, None])[0] * (1 if black else -1)
        if "points" not in told:
            return Told(ownership)
        points = _turned_back(told["points"])
        return Told(ownership, points if black else points[[1, 0, 2]], _turned_back(told["stones"]))


def _turned_back(rows: np.ndarray) -> np.ndarray:
    """The mean of answers [8,C,N,N] about all views: [C,N*N]."""
    back = [symmetry.planes(row, int(symmetry.INVERSE[view])) for view, row in enumerate(rows)]
    return np.mean(back, axis=0).reshape(rows.shape[1], -1)


class Witnesses:
    """Asks all three about positions, each once. playouts: how many."""

    def __init__(self, net: NetWitness, head: NetWitness | None, playouts: int):
        self.net, self.head, self._playouts = net, head, playouts

    def ask(self, position: Position) -> dict[str, Told]:
        """What they say, by the witness's name."""
        board = position.game.board
        generator = new_generator(int(board.hash[0]))
        played = territory.owned_by_playouts(board, position.to_play, generator, self._playouts)
        told = {PLAYOUTS: Told(played), NET: self.net.ask(position)}
        return told if self.head is None else told | {HEAD: self.head.ask(position)}


class Believing(Opinion):
    """An opinion about positions that is told who owns what."""

    def __init__(self, nets: NetSource) -> None:
        super().__init__(nets, 2)
        self.told: np.ndarray | None = None  # of the next position that is asked about

    def believe(self, told: np.ndarray) -> "Believing":
        """From now on this is the map of owners; what was said before is forgotten."""
        self._territories.clear()
        self._leads.clear()
        self.told = told
        return self

    def _owned(self, position: Position) -> np.ndarray:
        assert self.told is not None
        return self.told


def mixtures(told: Mapping[str, Told]) -> dict[str, np.ndarray]:
    """The maps of all MIXTURES whose witnesses were asked: means."""
    return {
        name: np.mean([told[part].ownership for part in parts], axis=0, dtype=np.float32)
        for name, parts in MIXTURES.items()
        if all(part in told for part in parts)
    }
