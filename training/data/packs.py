"""From game packs on disk to the arrays that the sampling kernels read, and from SGF collections to packs.

Knows the pack's fields, which games are fit for training, and the file beside a pack with the owners of final
positions. Does not know how games are sampled or nets trained.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from goengine.board import coords
from goengine.board.kernels import play
from goengine.board.rules import Rules, from_sgf_text
from goengine.board.state import EMPTY, PASS, new_board
from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.core.files import remove_parts, replacing
from goengine.core.jit import kernel
from goengine.core.machine import usable_cores
from goengine.dataio.records import GamePack
from training.data.ownership import estimate_owners
from training.data.reading import ReadGames, read_records
from training.data.sampling import Games, set_up

OWNERS_FORMAT, OWNERS_VERSION = "goengine owners", 1

Tell = Callable[[str], None]  # is told what had to be left out


@cache
def _points_of_sizes() -> np.ndarray:
    """uint16[MAX_SIZE + 1, MAX_SIZE**2 + 1]: by board size and policy index, the point on the padded board."""
    tables = np.zeros((coords.MAX_SIZE + 1, coords.MAX_SIZE**2 + 1), np.uint16)
    for size in range(coords.MIN_SIZE, coords.MAX_SIZE + 1):
        tables[size, : size * size + 1] = np.append(coords.points(size), coords.PASS)
    return tables


@kernel
def _expand(pack_moves, offsets, sizes, first, breaks, tables, moves, colors):
    """A pack's moves as points and with their colours: sides alternate, but for the places in `breaks`."""
    place = 0
    for g in range(sizes.size):
        color, size = np.int64(first[g]), np.int64(sizes[g])
        for i in range(offsets[g], offsets[g + 1]):
            while place < breaks.size and breaks[place] < i:
                place += 1
            if i > offsets[g] and not (place < breaks.size and breaks[place] == i):
                color = 3 - color
            moves[i] = tables[size, pack_moves[i]]
            colors[i] = color


def to_games(pack: GamePack, owner_row: np.ndarray | None = None, owners: np.ndarray | None = None) -> Games:
    """A pack's arrays in the kernels' form. `owner_row` and `owners` as in `Games`."""
    tables = _points_of_sizes()
    moves, colors = np.empty(len(pack.moves), np.uint16), np.empty(len(pack.moves), np.uint8)
    _expand(pack.moves, pack.offsets, pack.size, pack.first, pack.breaks, tables, moves, colors)
    named = [from_sgf_text(name) for name in pack.rule_names]
    codes = [rules.code() for rules in named]
    rules = np.array([(code.ko, code.scoring, code.tax, code.suicide, code.button) for code in codes], np.int8)
    return Games(
        start=pack.offsets,
        moves=moves,
        colors=colors,
        size=pack.size,
        rules=rules[pack.rules],
        komi=pack.komi + handicap_bonuses(pack, named),
        result=pack.outcome.astype(np.int8),
        margin=pack.margin,
        setup_start=pack.setup_offsets,
        setup_points=tables[np.repeat(pack.size, np.diff(pack.setup_offsets)), pack.setup],
        setup_colors=pack.setup_color,
        owner_row=np.full(len(pack), -1, np.int32) if owner_row is None else owner_row,
        owners=np.zeros((0, int(pack.size.max(initial=2)) ** 2), np.int8) if owners is None else owners,
        ranks=np.stack([pack.black_rank, pack.white_rank], axis=1),
        server=pack.server,
        bots=pack.bots,
    )


def handicap_bonuses(pack: GamePack, named: Sequence[Rules]) -> np.ndarray:
    """float32[G]: points that White gets in each game for Black's handicap, as in play; ``named`` are the rules of the pack's
    names.
    """
    bonuses = np.zeros(len(pack), np.float32)
    pays = np.array([rules.white_handicap_bonus != "0" for rules in named])
    for g in np.flatnonzero(pays[pack.rules] & (pack.handicap >= 2)):
        bonuses[g] = named[pack.rules[g]].handicap_bonus(pack.game(g).handicap_stones())
    return bonuses


def owners_path(path: Path) -> Path:
    """Where the owners of a pack's counted games lie."""
    return path.with_name(path.name.removesuffix(".npz") + ".owners.npz")


def load(paths: Sequence[Path], tell: Tell | None = None) -> Games:
    """All games of the packs, which must be of one board size; otherwise as `load_sizes`.

    Raises RecordError as `load_sizes` does, and if there are several board sizes.
    """
    parts = load_sizes(paths, tell)
    if len(parts) > 1:
        sizes = ", ".join(map(str, parts))
        raise RecordError(
            f"{_names(paths)}: games of several board sizes ({sizes}), where one size is needed; pack each by itself"
        )
    return next(iter(parts.values()))


def load_sizes(paths: Sequence[Path], tell: Tell | None = None) -> dict[int, Games]:
    """All games of the packs that have moves, by board size, with owners where a file beside the pack has them.

    Without `tell` a damaged pack or game raises RecordError, which names it. With it, what is damaged is left out,
    and `tell` hears one sentence for each. Raises RecordError also if a file does not exist or no game remains.
    Packs are read by several threads.
    """
    for path in paths:
        if not Path(path).exists():
            raise RecordError(f"{path}: No such file")
    with ThreadPoolExecutor(min(usable_cores(), 16), "packs") as pool:
        found = list(pool.map(lambda path: _load_one(Path(path), tell is not None), paths))
    for _, faults in found:
        for text in faults:
            tell(text)
    sizes = sorted({size for parts, _ in found for size in parts})
    if not sizes:
        raise RecordError(f"{_names(paths)}: no games{'; everything there is damaged' if any(f for _, f in found) else ''}")
    return {size: join([parts[size] for parts, _ in found if size in parts]) for size in sizes}


def _names(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))


def _load_one(path: Path, lenient: bool) -> tuple[dict[int, Games], list[str]]:
    """(games by size, what had to be left out) of one pack."""
    faults = []
    try:
        pack = GamePack.load(path)
    except RecordError as error:
        if not lenient:
            raise
        return {}, [f"{error}; the whole pack is left out"]
    row, table, fault = _load_owners(path, pack)
    if fault and not lenient and owners_path(path).exists():
        raise RecordError(fault)
    if fault and lenient:
        faults.append(f"{fault}; its games are used without owners")
    games = to_games(pack, row, table)
    possible = possible_moves(games)
    for g in np.flatnonzero(possible >= 0):
        fault = f"{path}: game {g} has an impossible move at number {possible[g] + 1}"
        if not lenient:
            raise RecordError(f"{fault}; pack it anew from its source")
        faults.append(f"{fault}; the game is left out")
    return by_size(games, (possible < 0) & (np.diff(games.start) > 0)), faults


def load_any(paths: Sequence[Path]) -> Games:
    """Games of packs (`.npz`) and of SGF files and collections, of any sizes, without owners.

    Raises RecordError as `load` does, or if an SGF file gives no game.
    """
    packed = [path for path in paths if path.suffix == ".npz"]
    records = [path for path in paths if path.suffix != ".npz"]
    made = []
    if packed:
        made.append(GamePack.concat([GamePack.load(path) for path in packed]))
    if records:
        found = read_records(records)
        if not len(found.builder):
            raise RecordError(f"no game could be used{': ' + found.left_out[0] if found.left_out else ''}")
        made.append(found.builder.pack())
    merged = GamePack.concat(made)
    merged = merged.select(np.flatnonzero(merged.lengths() > 0))
    games = to_games(merged)
    if fault := first_fault(games):
        raise RecordError(f"game {fault[0]} has an impossible move at number {fault[1] + 1}")
    return games


def by_size(games: Games, keep: np.ndarray | None = None) -> dict[int, Games]:
    """The games of each board size, of those that `keep` (bool[G]) marks, with their owners."""
    keep = np.ones(len(games.size), bool) if keep is None else keep
    sizes = np.unique(games.size[keep])
    if keep.all() and len(sizes) == 1:
        return {int(sizes[0]): games}
    return {int(size): select(games, keep & (games.size == size)) for size in sizes}


def select(games: Games, keep: np.ndarray) -> Games:
    """The games that `keep` (bool[G]) marks; all of one board size."""
    of_move, of_stone = np.repeat(keep, np.diff(games.start)), np.repeat(keep, np.diff(games.setup_start))
    points = int(games.size[keep].max(initial=2)) ** 2
    row = games.owner_row[keep]
    known = row[row >= 0]
    return Games(
        start=_offsets(np.diff(games.start)[keep]),
        moves=games.moves[of_move],
        colors=games.colors[of_move],
        size=games.size[keep],
        rules=games.rules[keep],
        komi=games.komi[keep],
        result=games.result[keep],
        margin=games.margin[keep],
        setup_start=_offsets(np.diff(games.setup_start)[keep]),
        setup_points=games.setup_points[of_stone],
        setup_colors=games.setup_colors[of_stone],
        owner_row=np.where(row >= 0, np.cumsum(row >= 0) - 1, -1).astype(np.int32),
        owners=np.ascontiguousarray(games.owners[known, :points]),
        ranks=games.ranks[keep],
        server=games.server[keep],
        bots=games.bots[keep],
    )


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def join(parts: Sequence[Games]) -> Games:
    """The games of all parts, in order; all of one board size."""
    if len(parts) == 1:
        return parts[0]
    known = np.cumsum([0] + [len(part.owners) for part in parts])
    rows = [np.where(p.owner_row >= 0, p.owner_row + k, -1) for p, k in zip(parts, known, strict=False)]
    ready = {
        "start": _offsets(np.concatenate([np.diff(part.start) for part in parts])),
        "setup_start": _offsets(np.concatenate([np.diff(part.setup_start) for part in parts])),
        "owner_row": np.concatenate(rows).astype(np.int32),
    }
    joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in Games._fields if name not in ready}
    return Games(**ready, **joined)


def _load_owners(path: Path, pack: GamePack) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    """(row of each game or -1, int8[K, M*M] for the largest board's M, what is wrong with the file)."""
    beside = owners_path(path)
    points = int(pack.size.max(initial=2)) ** 2
    if not beside.exists():
        counted = not np.isnan(pack.margin).all()
        return None, None, f"{beside}: there is no such file" if counted else ""
    try:
        arrays, _ = read_arrays(beside, OWNERS_FORMAT, OWNERS_VERSION)
    except RecordError as error:
        return None, None, str(error)
    games, owners = arrays.get("games"), arrays.get("owners")
    if (
        games is None
        or owners is None
        or games.dtype.kind != "i"
        or owners.dtype != np.int8
        or owners.shape != (len(games), points)
        or (len(games) and not (games.min() >= 0 and games.max() < len(pack)))
        or (owners.size and not (owners.min() >= -1 and owners.max() <= 1))
    ):
        return None, None, f"{beside}: does not belong to {path.name}; make it again with the command pack"
    row = np.full(len(pack), -1, np.int32)
    row[games] = np.arange(len(games))
    return row, owners, ""


@kernel
def _possible(games, g, board):
    """How many moves of game g are possible before one puts a stone on a stone; -1 if all are.

    0 too if a point is set up twice.
    """
    for i in range(games.setup_start[g], games.setup_start[g + 1]):
        for j in range(games.setup_start[g], i):
            if games.setup_points[i] == games.setup_points[j]:
                return 0
    set_up(games, g, board)
    first = games.start[g]
    for i in range(first, games.start[g + 1]):
        point = np.int64(games.moves[i])
        if point != PASS and board.color[point] != EMPTY:
            return i - first
        play(board, point, games.colors[i])
    return -1


@kernel
def _all_possible(games, size, board, out):
    for g in range(games.size.size):
        if games.size[g] == size:
            out[g] = _possible(games, g, board)


def possible_moves(games: Games) -> np.ndarray:
    """int64[G]: how many moves of each game are possible before the first impossible one; -1 where all are.

    About 30 ns a move; kernels trust the games afterwards.
    """
    found = np.full(len(games.size), -1, np.int64)
    for size in np.unique(games.size):
        _all_possible(games, size, new_board(int(size)), found)
    return found


def first_fault(games: Games) -> tuple[int, int] | None:
    """(game, moves before it) of the first impossible move, or None."""
    possible = possible_moves(games)
    bad = np.flatnonzero(possible >= 0)
    return (int(bad[0]), int(possible[bad[0]])) if len(bad) else None


@dataclass(frozen=True)
class PackReport:
    """What became of the sources' games."""

    games: int
    positions: int
    left_out: int
    counted: int  # games with a score
    owned: int  # of these, games whose final owners are believed
    first_error: str = ""
    unknown_rules: int = 0  # games packed as if they named no rules, because nobody knows those that they name
    reasons: Path | None = None  # the file that says of each of these games what is wrong with it


def reasons_path(path: Path) -> Path:
    """Where the games lie that a pack leaves out, with the reason of each."""
    return path.with_name(path.name.removesuffix(".npz") + ".left-out.txt")


def pack(sources: Sequence[Path], out: Path, *, owners: bool = True, say: Callable[[str], None] | None = None) -> PackReport:
    """Read SGF files and collections, check every move, and write a pack and its owners.

    Games that cannot be read, are illegal, have no moves or a komi beyond reason are left out and counted; a file beside the
    pack has one line for each of them. Raises RecordError if nothing remains.
    """
    found = read_records(sources, say)
    out.parent.mkdir(parents=True, exist_ok=True)
    for path in (out, owners_path(out), reasons_path(out)):
        remove_parts(path.parent, path.name)
    reasons = _write_reasons(reasons_path(out), found)
    first = found.left_out[0] if found.left_out else ""
    if not len(found.builder):
        raise RecordError(f"{', '.join(map(str, sources))}: no game could be used{': ' + first if first else ''}")
    made = found.builder.pack(note=", ".join(Path(source).name for source in sources))
    games = to_games(made)
    counted = np.flatnonzero(~np.isnan(games.margin))
    believed, table = _judge(games, counted, say) if owners else (np.zeros(0, np.int32), np.zeros((0, 0), np.int8))
    owners_path(out).unlink(missing_ok=True)  # an old one must not meet the new pack
    made.save(out)
    if len(believed):
        write_arrays(
            owners_path(out), {"games": believed, "owners": table}, {"format": OWNERS_FORMAT, "version": OWNERS_VERSION}
        )
    totals = (len(made), len(made.moves), len(found.left_out), len(counted), len(believed))
    return PackReport(*totals, first, len(found.unknown_rules), reasons)


def _write_reasons(path: Path, found: ReadGames) -> Path | None:
    """Write what was left out; no file where nothing was, so that none of another pack stays."""
    lines = found.left_out + found.unknown_rules
    if not lines:
        path.unlink(missing_ok=True)
        return None
    with replacing(path) as beside:
        beside.write_text("".join(" ".join(line.split()) + "\n" for line in lines), encoding="utf-8")
    return path


def _judge(games: Games, counted: np.ndarray, say: Callable[[str], None] | None) -> tuple[np.ndarray, np.ndarray]:
    """(games whose owners are believed, int8[K, M*M]) of the counted games; a smaller board begins its row."""
    believed, tables, done = [np.zeros(0, np.int32)], [], 0
    points = int(games.size.max(initial=2)) ** 2
    for size in np.unique(games.size[counted]):
        chosen = counted[games.size[counted] == size]
        tick = say and (lambda n, done=done: say(f"{done + n} of {len(counted)} final positions judged"))
        found, table = estimate_owners(games, chosen, tick=tick)
        believed.append(found)
        tables.append(np.pad(table, ((0, 0), (0, points - table.shape[1]))))
        done += len(chosen)
    return np.concatenate(believed), np.concatenate(tables) if tables else np.zeros((0, points), np.int8)
