"""From game packs on disk to the arrays that the sampling kernels read, and from SGF collections to packs.

Knows the pack's fields, which games are fit for training, and the file beside a pack with the owners of final
positions. Does not know how games are sampled or nets trained.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goengine import coords
from goengine.array_file import RecordError, read_arrays, write_arrays
from goengine.board.kernels import play
from goengine.board.state import EMPTY, PASS, new_board
from goengine.jit import kernel
from goengine.records import NO_RESULT as PACK_NO_RESULT
from goengine.records import GamePack, PackBuilder
from goengine.rules import from_sgf_text
from training.ownership import estimate_owners
from training.sampling import NO_RESULT, Games, set_up

OWNERS_FORMAT, OWNERS_VERSION = "goengine owners", 1


def to_games(pack: GamePack, owner_row: np.ndarray | None = None, owners: np.ndarray | None = None) -> Games:
    """A pack's arrays in the kernels' form. `owner_row` and `owners` as in `Games`."""
    lengths = pack.lengths()
    moves = np.empty(len(pack.moves), np.uint16)
    setup = np.empty(len(pack.setup), np.uint16)
    per_move, per_stone = np.repeat(pack.size, lengths), np.repeat(pack.size, np.diff(pack.setup_offsets))
    for size in np.unique(pack.size):
        table = np.append(coords.points(int(size)), coords.PASS).astype(np.uint16)
        moves[per_move == size] = table[pack.moves[per_move == size]]
        setup[per_stone == size] = table[pack.setup[per_stone == size]]
    codes = [from_sgf_text(name).code() for name in pack.rule_names]
    table = np.array([(code.ko, code.scoring, code.tax, code.suicide, code.button) for code in codes], np.int8)
    games = len(pack)
    return Games(
        start=pack.offsets,
        moves=moves,
        colors=pack.colors(),
        size=pack.size,
        rules=table[pack.rules],
        komi=pack.komi,
        result=np.where(pack.outcome == PACK_NO_RESULT, NO_RESULT, pack.outcome).astype(np.int8),
        margin=pack.margin,
        setup_start=pack.setup_offsets,
        setup_points=setup,
        setup_colors=pack.setup_color,
        owner_row=np.full(games, -1, np.int32) if owner_row is None else owner_row,
        owners=np.zeros((0, int(pack.size.max(initial=2)) ** 2), np.int8) if owners is None else owners,
    )


def owners_path(path: Path) -> Path:
    """Where the owners of a pack's counted games lie."""
    return path.with_name(path.name.removesuffix(".npz") + ".owners.npz")


def load(paths: Sequence[Path]) -> Games:
    """All games of the packs that have moves, with owners where a file beside the pack has them.

    Raises RecordError, naming the file, if one is damaged, empty, or holds a game that breaks the rules.
    """
    packs, rows, tables, known = [], [], [], 0
    for path in paths:
        pack = GamePack.load(path)
        row, table = _load_owners(Path(path), pack)
        keep = np.flatnonzero(pack.lengths() > 0)
        packs.append(pack if len(keep) == len(pack) else pack.select(keep))
        row = row[keep]
        rows.append(np.where(row >= 0, row + known, -1).astype(np.int32))
        tables.append(table)
        known += len(table)
        fault = first_fault(to_games(packs[-1]))
        if fault:
            raise RecordError(
                f"{path}: game {keep[fault[0]]} has an impossible move at number {fault[1] + 1}; pack it anew from its source"
            )
    merged = GamePack.concat(packs)
    if len(merged) == 0:
        raise RecordError(f"{', '.join(map(str, paths))}: no games")
    widest = max(table.shape[1] for table in tables)
    owners = [table for table in tables if len(table)]
    if any(table.shape[1] != widest for table in owners):
        raise RecordError(f"{', '.join(map(str, paths))}: owners of several board sizes")
    return to_games(merged, np.concatenate(rows), np.concatenate(owners) if owners else None)


def load_any(paths: Sequence[Path]) -> Games:
    """Games of packs (`.npz`) and of SGF files and collections.

    Raises RecordError as `load` does, or if an SGF file gives no game.
    """
    packed = [path for path in paths if path.suffix == ".npz"]
    records = [path for path in paths if path.suffix != ".npz"]
    made = []
    if packed:
        made.append(GamePack.concat([GamePack.load(path) for path in packed]))
    if records:
        builder, _, first_error = read_records(records)
        if not len(builder):
            raise RecordError(f"no game could be used{': ' + first_error if first_error else ''}")
        made.append(builder.pack())
    merged = GamePack.concat(made)
    merged = merged.select(np.flatnonzero(merged.lengths() > 0))
    games = to_games(merged)
    if fault := first_fault(games):
        raise RecordError(f"game {fault[0]} has an impossible move at number {fault[1] + 1}")
    return games


def by_size(games: Games) -> dict[int, Games]:
    """The games of each board size; without owners."""
    sizes = np.unique(games.size)
    if len(sizes) == 1:
        return {int(sizes[0]): games}
    return {int(size): _of_size(games, size) for size in sizes}


def _of_size(games: Games, size: int) -> Games:
    chosen = np.flatnonzero(games.size == size)
    lengths, stones = np.diff(games.start), np.diff(games.setup_start)
    of_move, of_stone = np.repeat(games.size, lengths) == size, np.repeat(games.size, stones) == size
    start, setup_start = (np.concatenate([[0], np.cumsum(counts[chosen])]).astype(np.int64) for counts in (lengths, stones))
    return Games(
        start=start,
        moves=games.moves[of_move],
        colors=games.colors[of_move],
        size=games.size[chosen],
        rules=games.rules[chosen],
        komi=games.komi[chosen],
        result=games.result[chosen],
        margin=games.margin[chosen],
        setup_start=setup_start,
        setup_points=games.setup_points[of_stone],
        setup_colors=games.setup_colors[of_stone],
        owner_row=np.full(len(chosen), -1, np.int32),
        owners=np.zeros((0, size * size), np.int8),
    )


def _load_owners(path: Path, pack: GamePack) -> tuple[np.ndarray, np.ndarray]:
    """(row of each game or -1, int8[K, N*N])."""
    beside = owners_path(path)
    points = int(pack.size.max(initial=2)) ** 2
    if not beside.exists():
        return np.full(len(pack), -1, np.int32), np.zeros((0, points), np.int8)
    arrays, _ = read_arrays(beside, OWNERS_FORMAT, OWNERS_VERSION)
    games, owners = arrays.get("games"), arrays.get("owners")
    if games is None or owners is None or owners.shape != (len(games), points) or (len(games) and games.max() >= len(pack)):
        raise RecordError(f"{beside}: does not belong to {path.name}; make it again with the command pack")
    row = np.full(len(pack), -1, np.int32)
    row[games] = np.arange(len(games))
    return row, owners


@kernel
def _faulty(games, g, board, fault):
    """Whether game g puts a stone on a stone, or sets one up twice.

    The number of moves before that goes to fault[1].
    """
    for i in range(games.setup_start[g], games.setup_start[g + 1]):
        for j in range(games.setup_start[g], i):
            if games.setup_points[i] == games.setup_points[j]:
                return True
    set_up(games, g, board)
    first = games.start[g]
    for i in range(first, games.start[g + 1]):
        point = np.int64(games.moves[i])
        if point != PASS and board.color[point] != EMPTY:
            fault[1] = i - first
            return True
        play(board, point, games.colors[i])
    return False


@kernel
def _first_faulty(games, size, board, fault):
    for g in range(games.size.size):
        if games.size[g] == size and _faulty(games, g, board, fault):
            fault[0] = g
            return


def first_fault(games: Games) -> tuple[int, int] | None:
    """(game, moves before it) of the first impossible move, or None.

    About 80 ns a move; kernels trust the games afterwards.
    """
    for size in np.unique(games.size):
        fault = np.array([-1, 0], np.int64)
        _first_faulty(games, size, new_board(int(size)), fault)
        if fault[0] >= 0:
            return int(fault[0]), int(fault[1])
    return None


@dataclass(frozen=True)
class PackReport:
    """What became of the sources' games."""

    games: int
    positions: int
    left_out: int
    counted: int  # games with a score
    owned: int  # of these, games whose final owners are believed
    first_error: str = ""


def read_records(sources: Sequence[Path], say: Callable[[str], None] | None = None) -> tuple[PackBuilder, int, str]:
    """(games of SGF files and collections, how many were left out, why the first of these was)."""
    from goengine.sgf import iterate_games  # needs sgfmill, which training itself does not

    builder, left_out, first_error = PackBuilder(), 0, ""
    for number, game in enumerate(iterate_games(sources), 1):
        if isinstance(game, Exception) or not game.moves:
            left_out += 1
            first_error = first_error or (str(game) if isinstance(game, Exception) else f"game '{game.source}': no moves")
        else:
            builder.add(game)
        if say and number % 1000 == 0:
            say(f"{number} games read")
    return builder, left_out, first_error


def pack(sources: Sequence[Path], out: Path, *, owners: bool = True, say: Callable[[str], None] | None = None) -> PackReport:
    """Read SGF files and collections, check every move, and write a pack and its owners.

    Games that cannot be read, are illegal or have no moves are left out and counted. Raises RecordError if nothing
    remains.
    """
    builder, left_out, first_error = read_records(sources, say)
    if not len(builder):
        raise RecordError(f"{', '.join(map(str, sources))}: no game could be used{': ' + first_error if first_error else ''}")
    made = builder.pack(note=", ".join(Path(source).name for source in sources))
    games = to_games(made)
    counted = np.flatnonzero(~np.isnan(games.margin))
    believed, table = np.zeros(0, np.int32), np.zeros((0, 0), np.int8)
    if owners and len(np.unique(made.size)) == 1:
        believed, table = estimate_owners(
            games, counted, tick=say and (lambda n: say(f"{n} of {len(counted)} final positions judged"))
        )
    out.parent.mkdir(parents=True, exist_ok=True)
    owners_path(out).unlink(missing_ok=True)  # an old one must not meet the new pack
    made.save(out)
    if len(believed):
        write_arrays(
            owners_path(out), {"games": believed, "owners": table}, {"format": OWNERS_FORMAT, "version": OWNERS_VERSION}
        )
    return PackReport(len(made), len(made.moves), left_out, len(counted), len(believed), first_error)
