"""Packs for training: from SGF to arrays, owners of final positions, and files that are refused."""

import lzma
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from goengine.board.rules import Rules, from_sgf_text
from goengine.board.state import BLACK
from goengine.core.array_file import RecordError
from goengine.dataio.game_files import position_from_sgf
from goengine.dataio.records import SCORE, GamePack, GameRecord
from goengine.dataio.sgf import write_game
from tests.training.conftest import random_record
from training import cli
from training.data import packs
from training.data.ownership import estimate_owners


@pytest.fixture
def stored(small_pack, tmp_path):
    path = tmp_path / "small.npz"
    small_pack.save(path)
    return path


def test_arrays_say_what_the_records_say(small_pack):
    games = packs.to_games(small_pack)
    for g in range(len(small_pack)):
        record = small_pack.game(g)
        part = slice(int(games.start[g]), int(games.start[g + 1]))
        assert games.colors[part].tolist() == [color for color, _ in record.moves]
        assert [(p // 8 - 1) * 7 + p % 8 - 1 if p else 49 for p in games.moves[part].tolist()] == [
            index for _, index in record.moves
        ]
        bonus = from_sgf_text(record.rules).handicap_bonus(record.handicap_stones())
        assert games.komi[g] == record.komi + bonus and (games.margin[g] == record.margin or record.margin is None)


def test_load_joins_packs(stored, small_pack, tmp_path):
    games = packs.load([stored, stored])
    assert games.size.size == 2 * len(small_pack) and games.moves.size == 2 * len(small_pack.moves)
    assert packs.first_fault(games) is None


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"PK" + data[2:][::-1]])
def test_damaged_files_are_named(stored, damage):
    stored.write_bytes(damage(stored.read_bytes()))
    with pytest.raises(RecordError, match=r"small\.npz"):
        packs.load([stored])


def test_missing_file_is_named(tmp_path):
    with pytest.raises(RecordError, match=r"none\.npz"):
        packs.load([tmp_path / "none.npz"])


def test_a_game_that_breaks_the_rules_is_named(small_pack, tmp_path):
    moves = small_pack.moves.copy()
    start = int(small_pack.offsets[4])
    moves[start + 3] = moves[start]
    broken = GamePack(**{**vars(small_pack), "moves": moves})
    broken.save(tmp_path / "broken.npz")
    with pytest.raises(RecordError, match=r"broken\.npz: game 4 .* number 4"):
        packs.load([tmp_path / "broken.npz"])


def test_no_games(tmp_path):
    GamePack.build([]).save(tmp_path / "empty.npz")
    with pytest.raises(RecordError, match="no games"):
        packs.load([tmp_path / "empty.npz"])


# A finished game: Black owns the left, White the right; White's stone at the upper left and Black's at the right are dead.
FINAL = """
. . X X O . .
. O . X O . .
X . X X O O .
. X . X O . .
. . X X O X .
. X . X O O .
. . X X O . .
"""


def final_record(margin):
    """Stones of FINAL as alternating moves, Black first, with passes where a side has no more."""
    cells = FINAL.split()
    black, white = ([i for i, cell in enumerate(cells) if cell == mark] for mark in "XO")
    moves = []
    for turn in range(max(len(black), len(white))):
        moves.append((1, black[turn] if turn < len(black) else 49))
        moves.append((2, white[turn] if turn < len(white) else 49))
    return GameRecord(size=7, moves=tuple(moves), komi=0.5, rules="Japanese", outcome=1, margin=margin, ending=SCORE)


def true_margin():
    """Black 4 columns = 28 points, White 21; territory and prisoners = area difference minus difference of stones played."""
    cells = FINAL.split()
    return 28 - 21 - (cells.count("X") - cells.count("O")) - 0.5


def test_owners_of_a_finished_game():
    games = packs.to_games(GamePack.build([final_record(true_margin())]))
    believed, owners = estimate_owners(games, np.array([0]))
    assert believed.tolist() == [0]
    assert owners.reshape(7, 7).tolist() == [[1] * 4 + [-1] * 3] * 7


def test_owners_that_contradict_the_record_are_not_believed():
    games = packs.to_games(GamePack.build([final_record(true_margin() + 9)]))
    believed, owners = estimate_owners(games, np.array([0]))
    assert len(believed) == 0 and owners.shape == (0, 49)


def test_pack_from_sgf(tmp_path):
    records = [final_record(true_margin()), *(random_record(7, seed) for seed in (1, 2, 4, 5, 7))]
    texts = [write_game(record) for record in records]
    with lzma.open(tmp_path / "games.sgfs.xz", "wb") as file:
        file.write(b"\n".join(texts) + b"\n(;GM[1]SZ[7];B[aa];W[aa])\n(;GM[1]SZ[7])\n")
    report = packs.pack([tmp_path / "games.sgfs.xz"], tmp_path / "games.npz")
    assert (report.games, report.left_out, report.counted, report.owned) == (6, 2, 1, 1)
    assert "illegal" in report.first_error
    games = packs.load([tmp_path / "games.npz"])
    assert games.size.size == 6 and games.owner_row.tolist() == [0, -1, -1, -1, -1, -1]
    assert games.owners.reshape(7, 7).tolist() == [[1] * 4 + [-1] * 3] * 7
    joined = packs.load([tmp_path / "games.npz", tmp_path / "games.npz"])
    assert joined.owner_row[[0, 6]].tolist() == [0, 1] and len(joined.owners) == 2


def test_pack_of_nothing_usable(tmp_path):
    (tmp_path / "bad.sgf").write_text("this is no game")
    with pytest.raises(RecordError, match="no game could be used"):
        packs.pack([tmp_path / "bad.sgf"], tmp_path / "out.npz")
    assert not (tmp_path / "out.npz").exists()


def test_a_pack_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "game.sgf").write_bytes(write_game(final_record(true_margin())))
    (tmp_path / "file").write_text("")
    for out, status, said in (("file/out.npz", 1, "Not a directory|File exists"), ("out", 2, "NAME.npz")):
        command = ["pack", "--sources", str(tmp_path / "game.sgf"), "--out", str(tmp_path / out), "--no-owners"]
        try:
            assert cli.main(command) == status
        except SystemExit as stop:
            assert stop.code == status
        assert re.search(said, capsys.readouterr().err)


def test_owners_of_another_pack_are_refused(stored, tmp_path):
    packs.write_arrays(
        packs.owners_path(stored),
        {"games": np.array([99], np.int32), "owners": np.zeros((1, 49), np.int8)},
        {"format": packs.OWNERS_FORMAT, "version": packs.OWNERS_VERSION},
    )
    with pytest.raises(RecordError, match=r"small\.owners\.npz"):
        packs.load([stored])


def test_several_sizes(tmp_path):
    made = GamePack.build([random_record(7, 1), random_record(5, 2), random_record(7, 3)])
    made.save(tmp_path / "mixed.npz")
    parts = packs.by_size(packs.load_any([tmp_path / "mixed.npz"]))
    assert {size: part.size.size for size, part in parts.items()} == {5: 1, 7: 2}
    assert parts[7].moves.size + parts[5].moves.size == len(made.moves)
    assert parts[5].colors[0] == BLACK and packs.first_fault(parts[5]) is None and packs.first_fault(parts[7]) is None


def test_a_damaged_pack_is_named_and_left_out(stored, small_pack, tmp_path):
    other = tmp_path / "other.npz"
    other.write_bytes(stored.read_bytes()[:-40])
    told = []
    games = packs.load([other, stored], told.append)
    assert games.size.size == len(small_pack)
    assert len(told) == 2 and "other.npz: File is not a zip file; the whole pack is left out" in told[0]
    assert "small.owners.npz: there is no such file; its games are used without owners" in told[1]
    with pytest.raises(RecordError, match="everything there is damaged"):
        packs.load([other], told.append)
    with pytest.raises(RecordError, match=r"none\.npz: No such file"):  # a name that was mistyped is not damage
        packs.load([stored, tmp_path / "none.npz"], told.append)


def test_one_wrong_byte_leaves_out_the_pack(stored, small_pack):
    data = bytearray(stored.read_bytes())
    data[data.index(b"moves.npy") + 200] ^= 0x40  # among its moves
    good = stored.with_name("good.npz")
    small_pack.save(good)
    stored.write_bytes(data)
    told = []
    assert packs.load([stored, good], told.append).size.size == len(small_pack)
    assert sum("small.npz" in text and "left out" in text for text in told) == 1


def test_a_damaged_game_is_named_and_left_out(small_pack, tmp_path):
    moves = small_pack.moves.copy()
    for g in (4, 7):
        start = int(small_pack.offsets[g])
        moves[start + 3] = moves[start]
    GamePack(**{**vars(small_pack), "moves": moves}).save(tmp_path / "broken.npz")
    told = []
    games = packs.load([tmp_path / "broken.npz"], told.append)
    whole = packs.to_games(small_pack)
    kept = np.delete(np.arange(len(small_pack)), [4, 7])
    assert np.array_equal(games.komi, whole.komi[kept]) and packs.first_fault(games) is None
    assert games.moves.size == np.diff(whole.start)[kept].sum() == games.start[-1]
    assert [text.split("game ")[1].split(" ")[0] for text in told if "impossible" in text] == ["4", "7"]


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"games": np.array([99], np.int32), "owners": np.zeros((1, 49), np.int8)},
        {"games": np.array([-1], np.int32), "owners": np.zeros((1, 49), np.int8)},
        {"games": np.array([1], np.int32), "owners": np.zeros((1, 81), np.int8)},
        {"games": np.array([1], np.int32), "owners": np.full((1, 49), 2, np.int8)},
        {"games": np.array([1.0]), "owners": np.zeros((1, 49), np.int8)},
        None,
    ],
)
def test_packs_with_wrong_owners_are_used_without(stored, small_pack, arrays):
    beside = packs.owners_path(stored)
    if arrays is None:
        beside.write_bytes(b"PK")
    else:
        packs.write_arrays(beside, arrays, {"format": packs.OWNERS_FORMAT, "version": packs.OWNERS_VERSION})
    told = []
    games = packs.load([stored], told.append)
    assert games.size.size == len(small_pack) and (games.owner_row == -1).all()
    assert len(told) == 1 and "small.owners.npz" in told[0] and "without owners" in told[0]
    with pytest.raises(RecordError, match=r"small\.owners\.npz"):
        packs.load([stored])


def test_packs_of_several_sizes_with_owners(tmp_path):
    records = [random_record(5, 2), final_record(true_margin()), random_record(5, 3), random_record(7, 4)]
    made = GamePack.build(records)
    made.save(tmp_path / "mixed.npz")
    owners = np.zeros((2, 49), np.int8)
    owners[0, :25], owners[1] = 1, -1
    arrays = {"games": np.array([2, 1], np.int32), "owners": owners}
    meta = {"format": packs.OWNERS_FORMAT, "version": packs.OWNERS_VERSION}
    packs.write_arrays(packs.owners_path(tmp_path / "mixed.npz"), arrays, meta)
    parts = packs.load_sizes([tmp_path / "mixed.npz", tmp_path / "mixed.npz"])
    assert list(parts) == [5, 7]
    assert parts[5].owner_row.tolist() == [-1, 0, -1, 1] and parts[5].owners.tolist() == [[1] * 25] * 2
    assert parts[7].owner_row.tolist() == [0, -1, 1, -1] and parts[7].owners.tolist() == [[-1] * 49] * 2
    with pytest.raises(RecordError, match=r"mixed\.npz: games of several board sizes \(5, 7\)"):
        packs.load([tmp_path / "mixed.npz"])


def test_owners_are_judged_by_size(tmp_path):
    """A finished game on 7x7 beside a counted one on 9x9."""
    texts = [write_game(record) for record in (random_record(9, 3), final_record(true_margin()))]
    (tmp_path / "games.sgfs").write_bytes(b"\n".join(texts))
    packs.pack([tmp_path / "games.sgfs"], tmp_path / "games.npz")
    parts = packs.load_sizes([tmp_path / "games.npz"])
    assert parts[7].owners.reshape(7, 7).tolist() == [[1] * 4 + [-1] * 3] * 7 and parts[7].owner_row.tolist() == [0]
    assert parts[9].owners.shape[1] == 81


@pytest.mark.skipif("GOENGINE_DATA" not in os.environ, reason="GOENGINE_DATA names no folder of game collections")
def test_real_games_are_mostly_owned(tmp_path):
    path = tmp_path / "part.sgfs"
    with lzma.open(Path(os.environ["GOENGINE_DATA"]) / "tygem" / "validation.sgfs.xz", "rt") as file:
        path.write_text("".join(next(file) for _ in range(400)))
    report = packs.pack([path], tmp_path / "part.npz")
    assert report.games == 200 and report.left_out == 0 and report.owned > 0.6 * report.counted > 0


def test_pack_command(tmp_path, capsys):
    (tmp_path / "game.sgf").write_bytes(write_game(final_record(true_margin())))
    assert cli.main(["pack", "--sources", str(tmp_path / "game.sgf"), "--out", str(tmp_path / "new" / "out.npz")]) == 0
    printed = capsys.readouterr()
    assert "1 games" in printed.err and "1 with owners" in printed.err and printed.out == ""
    assert cli.main(["pack", "--sources", str(tmp_path / "none.sgf"), "--out", str(tmp_path / "out.npz")]) == 1
    assert "none.sgf" in capsys.readouterr().err


def test_hundreds_of_rule_texts_are_packed(tmp_path):
    """Unknown texts are counted and named; known ones become the names of their rules."""
    known = ["Chinese", "chinese rules", "Territory scoring", "AGA", "NZ", ""]
    texts = known + [f"house rules {number}" for number in range(394)]
    games = [f"(;GM[1]SZ[7]RU[{text}]KM[6.5];B[aa];W[bb])\n" for text in texts]
    (tmp_path / "games.sgfs").write_text("".join(games))
    report = packs.pack([tmp_path / "games.sgfs"], tmp_path / "games.npz")
    assert (report.games, report.left_out, report.unknown_rules) == (400, 0, 394)
    made = GamePack.load(tmp_path / "games.npz")
    assert [made.game(g).rules for g in range(7)] == ["Chinese", "Chinese", "Japanese", "AGA", "NZ", "", ""]
    lines = report.reasons.read_text().splitlines()
    assert len(lines) == 394 and "game 7: the rules 'house rules 0' are unknown" in lines[0]


@pytest.mark.parametrize(
    ("text", "komi"),
    [
        ("RU[Chinese]HA[4]KM[0.5]AB[bb][bf][fb][ff];W[dd];B[cc]", 4.5),
        ("RU[AGA]HA[4]KM[0.5]AB[bb][bf][fb][ff];W[dd];B[cc]", 3.5),
        ("RU[Japanese]HA[4]KM[0.5]AB[bb][bf][fb][ff];W[dd];B[cc]", 0.5),
        ("RU[Chinese]KM[0.5]AB[bb][bf];W[dd];B[cc]", 2.5),
        ("RU[Chinese]HA[2]KM[0.5];B[bb];B[bf];W[dd]", 2.5),
        ("RU[Chinese]KM[0.5];B[bb];B[bf];W[dd]", 0.5),
        ("RU[Chinese]HA[2]KM[0.5];B[bb];W[dd]", 0.5),
        ("RU[Chinese]HA[2]KM[0.5]AB[bb][bf]AW[dd];B[cc]", 0.5),
    ],
)
def test_komi_of_training_is_that_of_play(text, komi, tmp_path):
    data = f"(;GM[1]SZ[7]{text})".encode()
    (tmp_path / "game.sgf").write_bytes(data)
    packs.pack([tmp_path / "game.sgf"], tmp_path / "game.npz")
    games = packs.load([tmp_path / "game.npz"])
    assert games.komi.tolist() == [komi] == [position_from_sgf(data, Rules()).white_bonus()]


def test_every_game_left_out_is_named_with_its_reason(tmp_path, capsys):
    good = "(;GM[1]SZ[7]KM[6.5];B[aa];W[bb])\n"
    bad = {
        "(;GM[1]SZ[7]GN[x];B[aa];W[aa])\n": r"game 2 \(x\): move 2, W A7, is illegal",
        "(;GM[1]SZ[7])\n": "game 3: no moves",
        "(;GM[1]SZ[7]KM[375];B[aa])\n": "game 4: komi 375 is more than half of the board",
        "(;GM[1]SZ[7:9];B[aa])\n": "game 5: .*not square",
        "(;GM[1]SZ[7];B[aa];AB[bb];W[cc])\n": "game 6: stones are set up after move 1",
    }
    path = tmp_path / "games.sgfs"
    path.write_text(good + "".join(bad) + good)
    assert cli.main(["pack", "--sources", str(path), "--out", str(tmp_path / "games.npz")]) == 0
    said = capsys.readouterr().err
    assert "2 games" in said and "5 left out" in said and "games.left-out.txt" in said
    lines = (tmp_path / "games.left-out.txt").read_text().splitlines()
    assert len(lines) == 5
    for line, reason in zip(lines, bad.values(), strict=True):
        assert re.search(rf"games\.sgfs: {reason}", line)
    path.write_text(good)
    assert cli.main(["pack", "--sources", str(path), "--out", str(tmp_path / "games.npz")]) == 0
    assert not (tmp_path / "games.left-out.txt").exists()


def test_a_pack_of_nothing_names_all_reasons(tmp_path):
    (tmp_path / "bad.sgf").write_text("(;GM[1]SZ[7])\n(;GM[1]SZ[77];B[aa])")
    with pytest.raises(RecordError, match="no game could be used"):
        packs.pack([tmp_path / "bad.sgf"], tmp_path / "out.npz")
    assert len((tmp_path / "out.left-out.txt").read_text().splitlines()) == 2


def test_packs_read_what_loadsgf_reads(tmp_path):
    text = "(;GM[1]SZ[7]KM[5.5]PB[棋];B[aa];W[bb])"
    for encoding in ("utf-16", "utf-16-le", "gb18030", "shift_jis"):
        (tmp_path / f"{encoding}.sgf").write_bytes(text.encode(encoding))
    report = packs.pack(sorted(tmp_path.glob("*.sgf")), tmp_path / "games.npz")
    assert (report.games, report.left_out) == (4, 0)
    assert packs.load([tmp_path / "games.npz"]).komi.tolist() == [5.5] * 4


def test_what_a_killed_pack_left_is_removed(tmp_path):
    (tmp_path / "game.sgf").write_bytes(write_game(final_record(true_margin())))
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    left = [tmp_path / f".{name}.{ended.stdout.strip()}.part" for name in ("out.npz", "out.owners.npz", "other.npz")]
    for path in left:
        path.write_bytes(b"half")
    packs.pack([tmp_path / "game.sgf"], tmp_path / "out.npz", owners=False)
    assert [path.exists() for path in left] == [False, False, True]
