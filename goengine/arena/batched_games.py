"""Many games in one process, in lock step: in each round the leaves of all games go to their nets in shared batches.

The games stand in groups. While the batches of one group are with the nets, the trees of the next are worked on. An answer
depends on the position and its game only, not on what else is in the batch: views of the net are drawn from the leaf's key, and
OpenVINO on a CPU was measured to give the same bits for a row in batches of 1 to 256 rows in f32, bf16 and int8 (torch and GPUs
may not). So a game is the same in whatever order and company it is played. Knows no processes and no files.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from goengine import features
from goengine.arena.fixtures import Fixture, GameOutcome, GameSetup, Side
from goengine.arena.live_game import LiveGame, new_seat
from goengine.arena.players import NetPlayer
from goengine.arena.ranked_turns import RankedTurns
from goengine.evaluators.base import Evaluator, Pending
from goengine.evaluators.metered import Counting
from goengine.evaluators.symmetric import SymmetricByKey
from goengine.search.leaves import Leaves, new_leaves


@dataclass
class NetStats:
    """What a match took. Seconds of several processes are added up."""

    seconds: float = 0.0  # of playing, from the first move to the last
    net_seconds: float = 0.0  # waiting for nets
    games: int = 0
    plies: int = 0  # without openings
    visits: int = 0
    evaluations: int = 0  # rows that nets computed
    batches: int = 0
    processes: int = 0

    def add(self, more: "NetStats") -> None:
        """Count another's numbers in."""
        for name, value in vars(more).items():
            setattr(self, name, getattr(self, name) + value)

    def summary(self) -> str:
        """The numbers in a line, for people."""
        wall = max(1e-9, self.seconds / max(1, self.processes))
        return (
            f"{self.games} games in {wall:.1f} s, {60 * self.games / wall:.1f} games/min, "
            f"{self.plies / max(1, self.games):.0f} plies a game, {self.visits / wall:.0f} visits/s; "
            f"{self.processes} processes, nets busy {100 * self.net_seconds / max(1e-9, self.seconds):.0f} %, "
            f"{self.evaluations / max(1, self.batches):.0f} positions a batch"
        )


class NetQueue:
    """A net as batched games ask it: counted, and seen in views drawn by key.

    Nothing is remembered: a leaf's key names its game's last moves too, and in matches no key was met twice.
    """

    def __init__(self, evaluator: Evaluator, symmetries: int = 1):
        self.traits = evaluator.traits
        self.counter = Counting(evaluator)
        self.asked: Evaluator = self.counter if evaluator.name == "uniform" else SymmetricByKey(self.counter, symmetries)

    def close(self) -> None:
        """Give back what the net holds."""
        self.asked.close()


@dataclass
class _LeafGroup:
    """The batch of one group for one net: which rows belong to which game."""

    net: NetQueue
    leaves: Leaves
    parts: list[tuple[LiveGame, Leaves]] = field(default_factory=list)
    pending: Pending | None = None
    failure: str = ""

    def room(self, count: int) -> Leaves | None:
        """Views of the next free rows, or None if there are not that many."""
        return self.leaves.room(count)

    def take(self, game: LiveGame, part: Leaves) -> None:
        """These rows are used; their keys become the game's own."""
        part.keys[: part.count] ^= game.seat.salt
        self.parts.append((game, part))
        self.leaves.count += part.count

    def submit(self) -> None:
        """Give the batch to the net."""
        if not self.parts:
            return
        try:
            self.pending = self.net.asked.submit(self.leaves.batch)
        except Exception as error:  # noqa: BLE001  whatever a backend raises: the match goes on
            self.failure = _reason(error)

    def collect(self) -> None:
        """Wait for the answers and give them to the games."""
        answer, before = None, self.net.counter.seconds
        if self.pending is not None:
            try:
                answer = self.pending.result()
            except Exception as error:  # noqa: BLE001  as above
                self.failure = _reason(error)
        seconds = (self.net.counter.seconds - before) / max(1, self.leaves.count)
        start = 0
        for game, part in self.parts:
            if answer is None:
                game.fail(part, self.failure)
            else:
                game.update(part, answer.take(slice(start, start + part.count)), seconds * part.count)
            start += part.count
        self.parts, self.pending, self.failure = [], None, ""
        self.leaves.count = 0


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip()


@dataclass
class _Group:
    games: list[LiveGame]
    lines: dict[Side, _LeafGroup]  # by player; one and the same for both where they share a net


class BatchedGames:
    """Games of two players that advance together.

    nets: by player; the same object for both where they share one. seats: games at once. groups: 2 lets trees and nets work at
    the same time, as they can where the net has a processor of its own; what that saves has not been measured.
    """

    def __init__(
        self, players: Mapping[Side, NetPlayer], nets: Mapping[Side, NetQueue], terms: GameSetup, seats: int, groups: int = 1
    ):
        self.players, self.nets, self.terms, self.seats = players, nets, terms, seats
        self.stats = NetStats(processes=1)
        per_group = -(-seats // groups)
        self._groups = [self._new_group(per_group) for _ in range(groups)]
        self._turn = 0
        self._ranked: RankedTurns | None = None  # made when it is needed

    def _new_group(self, games: int) -> _Group:
        rows = games * max(player.params.leaves for player in self.players.values())
        by_net: dict[int, _LeafGroup] = {}
        for net in self.nets.values():
            if id(net) not in by_net:
                leaves = new_leaves(self.terms.size, features.get(net.traits.features), rows)
                by_net[id(net)] = _LeafGroup(net, leaves)
        return _Group([], {side: by_net[id(net)] for side, net in self.nets.items()})

    @property
    def playing(self) -> int:
        """Games under way."""
        return sum(len(group.games) for group in self._groups)

    @property
    def visits(self) -> int:
        """All visits so far, those of games under way among them."""
        return self.stats.visits + sum(seat.visits for g in self._groups for game in g.games for seat in game.seats.values())

    def seat(self, fixture: Fixture) -> None:
        """Begin a game. Raises ValueError if its opening or handicap cannot be played."""
        sides: tuple[Side, Side] = ("a", "b")
        seats = {side: new_seat(self.players[side], self.nets[side].traits, fixture, side) for side in sides}
        min(self._groups, key=lambda group: len(group.games)).games.append(LiveGame(fixture, self.terms, seats))

    def step(self) -> list[GameOutcome]:
        """A round of the next group: its answers, its moves, its next batches. Returns the games that have ended."""
        start = time.perf_counter()
        group = self._groups[self._turn]
        self._turn = (self._turn + 1) % len(self._groups)
        lines = {id(line): line for line in group.lines.values()}.values()
        for line in lines:
            line.collect()
        self._ranked_turns(group.games)
        for game in group.games:
            _advance(game, group.lines)
        for line in lines:
            line.submit()
            if len(self._groups) == 1:  # nothing to do meanwhile, and two nets at once would each be told the time of both
                line.collect()
        ended = [game.played for game in group.games if game.played is not None]
        group.games = [game for game in group.games if game.played is None]
        self._count(ended)
        self.stats.seconds += time.perf_counter() - start
        return ended

    def _ranked_turns(self, games: list[LiveGame]) -> None:
        """A move in each game in which a player with a rank is to move, all chosen together."""
        ready = [game for game in games if game.played is None and game.seat.player.rank]
        if ready:
            self._ranked = self._ranked or RankedTurns(self.players, {side: net.asked for side, net in self.nets.items()})
            self._ranked.play(ready)

    def _count(self, ended: list[GameOutcome]) -> None:
        stats = self.stats
        for played in ended:
            stats.games += 1
            stats.plies += len(played.moves) - len(played.fixture.opening)
            stats.visits += sum(played.visits.values())
        nets = {id(net): net for net in self.nets.values()}.values()
        stats.evaluations = sum(net.counter.rows for net in nets)
        stats.batches = sum(net.counter.batches for net in nets)
        stats.net_seconds = sum(net.counter.seconds for net in nets)


def _advance(game: LiveGame, lines: Mapping[Side, _LeafGroup]) -> None:
    """Go on until the game has leaves in a batch, or is over, or there is no room left in this round."""
    while game.played is None and not game.seat.player.rank:
        line = lines[game.to_move]
        part = line.room(game.seat.player.params.leaves)
        if part is None:
            return
        if game.select(part):
            line.take(game, part)
            return
        game.finish_turn()
