"""Who owns what at the end of games, and which groups live in seki: what a net that divides the board learns from.

Records of servers end with dead stones on the board, so an `Opinion` judges the last position, and is believed only where its
count is exactly the result that the players agreed on. Games of self-play bring their owners along. Knows games and judgements;
no nets of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import numpy as np

from goengine.board import coords
from goengine.board.counting import count
from goengine.board.life import parts, rest_of
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import SIZE, Board
from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.dataio.game_files import replay
from goengine.dataio.records import SCORE, GamePack, GameRecord
from goengine.player.opinion import Opinion
from goengine.zero.shards import Shard
from training.data import packs
from training.data.sampling import Games

FORMAT, VERSION = "goengine final owners", 1
SEKI = 2  # a label is 1 for Black's, -1 for White's, 0 for neither, and twice that where the owner's group lives in seki
PASSES = 3  # are put behind each game, so that its last position is seen after none, one and two passes
DRAWN = 12  # so often a game's last position is in the list of those that are drawn, and as many earlier ones
SEKI_TIMES = 3

T = TypeVar("T")


@dataclass(frozen=True)
class FinalOwners:
    """G games of one board size N, each with PASSES passes behind its last move, and who owns what in the end."""

    games: GamePack
    owners: np.ndarray  # int8[G, N*N]: -2 .. 2, see SEKI

    def __len__(self) -> int:
        return len(self.games)

    def save(self, path: Path) -> None:
        """Write the games beside ``path`` and rename them into place."""
        arrays = {f"games/{name}": array for name, array in self.games.arrays().items()}
        meta = {"format": FORMAT, "version": VERSION, "rules": list(self.games.rule_names)}
        write_arrays(path, arrays | {"owners": self.owners}, meta)

    @staticmethod
    def load(path: Path) -> FinalOwners:
        """Read and check the file. Raises RecordError, naming it and what is wrong with it."""
        arrays, meta = read_arrays(path, FORMAT, VERSION)
        owners = arrays.pop("owners", None)
        try:
            games = GamePack.from_arrays({name.removeprefix("games/"): a for name, a in arrays.items()}, meta.get("rules"))
        except RecordError as error:
            raise RecordError(f"{path}: {error}") from None
        points = int(games.size.max(initial=0)) ** 2
        if (
            owners is None
            or owners.dtype != np.int8
            or owners.shape != (len(games), points)
            or (games.size.astype(np.int64) ** 2 != points).any()
        ):
            raise RecordError(f"{path}: the owners are not those of its games; make it again")
        if owners.size and np.abs(owners).max() > SEKI:
            raise RecordError(f"{path}: an owner is outside -{SEKI} .. {SEKI}; make it again")
        return FinalOwners(games, owners)

    @staticmethod
    def join(parts: Sequence[FinalOwners]) -> FinalOwners:
        """All games of one board size, in order."""
        return FinalOwners(GamePack.concat([part.games for part in parts]), np.concatenate([part.owners for part in parts]))

    def divided(self, share: float) -> tuple[FinalOwners, FinalOwners]:
        """(games to learn from, games to measure on): the latter are about this share, evenly drawn."""
        numbers = np.arange(len(self))
        held = np.floor((numbers + 1) * share) > np.floor(numbers * share)
        return self._take(numbers[~held]), self._take(numbers[held])

    def _take(self, chosen: np.ndarray) -> FinalOwners:
        return FinalOwners(self.games.select(chosen), self.owners[chosen])

    def to_games(self) -> Games:
        """The games in the form that is sampled from."""
        return packs.to_games(self.games, np.arange(len(self), dtype=np.int32), self.owners)

    def positions(self) -> np.ndarray:
        """int64[K]: positions, numbered through all games, to draw from: half of them the last ones of games, and the others
        the denser the later. A game with a seki comes SEKI_TIMES as often."""
        found = []
        back = np.linspace(0, 1, DRAWN, endpoint=False) ** 2
        for start, end, owners in zip(self.games.offsets, self.games.offsets[1:], self.owners, strict=False):
            last = end - PASSES
            ends = last + np.arange(DRAWN) % PASSES
            places = np.concatenate((ends, (last - back * (last - start)).astype(np.int64)))
            found += [places] * (SEKI_TIMES if (np.abs(owners) == SEKI).any() else 1)
        return np.concatenate(found) if found else np.zeros(0, np.int64)


def mark_seki(board: Board, owner: np.ndarray, seki: Iterable[int]) -> np.ndarray:
    """int8[N*N] in index order: the owners (int8[P], 1 Black's, -1 White's), doubled where a group has stones in `seki`."""
    size, inside = int(board.info[SIZE]), frozenset(seki)
    marked = owner.astype(np.int8)
    for sign in (1, -1):
        for group in parts((int(p) for p in np.flatnonzero(owner == sign)), size):
            if not inside.isdisjoint(group):
                marked[group] = SEKI * sign
    return marked[coords.points(size)]


def judged(record: GameRecord, opinions: Sequence[Opinion]) -> np.ndarray | None:
    """The owners at the end of a counted game: by the first opinion whose count is the recorded result; None if none is."""
    position = final_position(record)
    for opinion in opinions:
        if opinion.score(position) == record.margin:
            territory = opinion.territory(position)
            counted = count(position.game.board, position.code, territory.dead_points)
            return mark_seki(position.game.board, counted.owner, (p for chain in territory.seki for p in chain))
    return None


def final_position(record: GameRecord) -> Position:
    """The last position of a record under its own rules, or Japanese rules where it names none. Raises ValueError if broken."""
    rules = (Rules.parse(record.rules) if record.rules else Rules.preset("japanese")).with_komi(record.komi)
    *_, (position, _) = replay(record, Position(record.size, rules))
    return position


def by_turns(sources: Iterable[Iterable[T]]) -> Iterator[T]:
    """The first of each source, the second of each, and so on until all are at their end."""
    left = [iter(source) for source in sources]
    end = object()
    while left:
        found = [(source, next(source, end)) for source in left]
        left = [source for source, item in found if item is not end]
        yield from (cast(T, item) for _, item in found if item is not end)


def of_records(
    records: Iterable[GameRecord | Exception], opinions: Sequence[Opinion], limit: int, say: Callable[[int, str], None]
) -> tuple[dict[int, FinalOwners], int]:
    """(games by board size, how many were asked about) of the first `limit` counted games whose owners are believed."""
    found: dict[int, list[tuple[GameRecord, np.ndarray]]] = {}
    asked = taken = 0
    for record in records:
        if isinstance(record, Exception) or record.ending != SCORE or record.margin is None or taken >= limit:
            continue
        try:
            owners = judged(record, opinions)
        except ValueError:  # a broken record, or rules that nobody knows
            continue
        asked += 1
        if owners is not None:
            found.setdefault(record.size, []).append((record, owners))
            taken += 1
        say(taken, f"{asked} counted games judged")
    return {size: _joined(games) for size, games in found.items()}, asked


def of_shards(shards: Iterable[Path], say: Callable[[int, str], None]) -> dict[int, FinalOwners]:
    """The counted games of self-play by board size. Raises RecordError if a shard cannot be read."""
    found: dict[int, list[tuple[GameRecord, np.ndarray]]] = {}
    taken = 0
    for path in shards:
        shard = Shard.load(path)
        for g in np.flatnonzero(shard.owned):
            record = shard.games.game(int(g))
            found.setdefault(shard.size, []).append((record, _owners_of_selfplay(record, shard.owners[g])))
            taken += 1
        say(taken, path.name)
    return {size: _joined(games) for size, games in found.items()}


def _owners_of_selfplay(record: GameRecord, known: np.ndarray) -> np.ndarray:
    """The known owners, with seki marked. Only a board with points that are nobody's can hold one."""
    if known.all():
        return known
    board = final_position(record).game.board
    owner = np.zeros(board.color.size, np.int8)
    owner[coords.points(record.size)] = known
    return mark_seki(board, owner, rest_of(board).seki)


def _joined(games: Sequence[tuple[GameRecord, np.ndarray]]) -> FinalOwners:
    pack = GamePack.build(_with_passes(record) for record, _ in games)
    return FinalOwners(pack, np.stack([owners for _, owners in games]))


def _with_passes(record: GameRecord) -> GameRecord:
    """The game with exactly PASSES passes at its end."""
    moves, end = list(record.moves), record.size**2
    while moves and moves[-1][1] == end:
        moves.pop()
    color = 3 - moves[-1][0] if moves else record.to_play
    moves += [(color if turn % 2 == 0 else 3 - color, end) for turn in range(PASSES)]
    return dataclasses.replace(record, moves=tuple(moves))
