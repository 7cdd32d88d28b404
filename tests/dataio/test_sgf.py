"""SGF: reading what servers really write, refusing the rest with a reason, collections, writing."""

import dataclasses
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.position import Position
from goengine.core.array_file import RecordError
from goengine.dataio.records import (
    BLACK_WINS,
    DRAW,
    FORFEIT,
    NO_RESULT,
    RESIGNATION,
    SCORE,
    TIME,
    UNKNOWN,
    WHITE_WINS,
    Edit,
    GamePack,
    GameRecord,
)
from goengine.dataio.sgf import SgfError, check_moves, iterate_games, read_file, read_game, write_game
from goengine.dataio.sgf_values import parse_komi, parse_result

DATA = os.environ.get("GOENGINE_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="GOENGINE_DATA names no folder of game records")


def read(text: str | bytes) -> GameRecord:
    return read_game(text.encode() if isinstance(text, str) else text, "case.sgf")


def test_a_whole_game():
    record = read(
        "(;GM[1]FF[4]CA[UTF-8]SZ[9]KM[6.5]RU[Chinese]PB[Kurō]PW[Shiro]BR[9d]WR[1k]DT[2020-02-03]GN[g1]RE[W+3.5]"
        ";B[aa];W[ba]\n;B[];W[tt])"
    )
    assert record == GameRecord(
        size=9, moves=((1, 0), (2, 1), (1, 81), (2, 81)), komi=6.5, rules="Chinese", outcome=WHITE_WINS, margin=-3.5,
        ending=SCORE, black="Kurō", white="Shiro", black_rank="9d", white_rank="1k", date="2020-02-03", source="g1",
    )  # fmt: skip
    assert record.year() == 2020
    assert check_moves(record) == ""


def test_the_least_game():
    assert read("(;)") == GameRecord(size=19, moves=())
    assert read("junk before (;B[pd]) and after").moves == ((1, 3 * 19 + 15),)


def test_main_line_only():
    assert read("(;SZ[9];B[aa](;W[bb];B[cc])(;W[dd]))").moves == ((1, 0), (2, 10), (1, 20))


def test_handicap_and_setup():
    record = read("(;SZ[19]HA[2]AB[dp][pd]KM[0.5];W[pq])")
    assert (record.handicap, record.black_setup, record.to_play) == (2, (72, 288), 2)
    assert read("(;SZ[9]AB[aa:bb]AW[ee]AE[bb])").black_setup == (0, 1, 9)
    assert read("(;SZ[9]AB[aa][bb])").handicap == 2  # HA is often left out
    assert read("(;SZ[9]AB[aa][bb])").to_play == 2
    assert read("(;SZ[9]AB[aa]AW[bb]PL[W])").to_play == 2
    assert read("(;SZ[9];AB[aa];W[bb])").black_setup == (0,)  # not in the root, but before the first move


@pytest.mark.parametrize(
    ("text", "fault", "moves"),
    [
        ("(;SZ[9];B[aa];W[zz];B[cc])", "move 2: .*'zz'", 1),
        ("(;SZ[9];B[a])", "move 1: 'a'", 0),
    ],
)
def test_games_that_end_early(text, fault, moves):
    record = read(text)
    assert len(record.moves) == moves
    with pytest.raises(AssertionError, match=fault):
        assert not record.fault, record.fault
    assert check_moves(record) == record.fault


def test_setup_between_moves_is_kept():
    record = read("(;SZ[9];B[aa];AB[bb][cc]AW[dd];AE[bb]PL[B];W[ee];PL[W])")
    assert record.moves == ((1, 0), (2, 40)) and not record.fault
    assert record.edits == (Edit(1, (20,), (30,), (10,), 1), Edit(2, to_play=2))
    assert read(write_game(record)) == record
    assert check_moves(record) == "stones are set up after move 1"  # no game for training
    with pytest.raises(RecordError, match="set up between moves"):
        GamePack.build([record])
    assert check_moves(read("(;SZ[9];B[aa];PL[W];W[bb])")) == ""


def test_what_is_said_of_the_game_may_stand_behind_the_root():
    record = read("(;GM[1]SZ[9];KM[5.5]RU[AGA]RE[B+1.5];B[aa](;W[bb]KM[3])(;PB[x]))")
    assert (record.komi, record.rules, record.margin, record.black) == (5.5, "AGA", 1.5, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no SGF data"),
        ("hello", "no SGF data"),
        ("(;SZ[9];B[aa]", "end of SGF"),
        ("(;SZ[9];B[aa", "end of SGF"),
        ("(;SZ[9]B)", "no values"),
        ("(;SZ[1])", "board size 1"),
        ("(;SZ[26])", "board size 26"),
        ("(;SZ[-10])", "board size -10"),
        ("(;SZ[19:13])", "not square"),
        ("(;SZ[big])", "not a number"),
        ("(;GM[2])", "not Go"),
        ("(;SZ[9]AB[zz])", "AB"),
        ("(;SZ[9]" + ";B[]" * 10_001 + ")", "more than"),
        ("x" * 16_000_001, "longer"),
    ],
)
def test_refusals_name_file_and_reason(text, reason):
    with pytest.raises(SgfError, match=f"case.sgf: .*{reason}"):
        read(text)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.sgf", tmp_path):
        with pytest.raises(SgfError, match=path.name):
            read_file(path)


def test_square_size_in_two_numbers():
    assert read("(;SZ[13:13])").size == 13


@pytest.mark.parametrize(
    ("text", "komi"),
    [
        ("6.5", 6.5), ("7.25", 7.25), ("3.75", 3.75), ("100", 100), ("375", 375), ("0", 0), ("", None), ("7,5", 7.5),
        (" 5.5 ", 5.5),
        ("5 1/2", 5.5), ("5½", 5.5), ("-5 1/2", -5.5), (".5", 0.5), ("-.5", -0.5), ("-59.5", -59.5), ("24", 24), ("abc", None),
        ("+0.5", 0.5), ("6.5 points", 6.5), ("nan", None), ("inf", None), ("-0", 0), ("9" * 400, None), ("1e400", None),
        ("12345678", 12345678.0), ("no 12345678 no", None),
    ],
)  # fmt: skip
def test_komi(text, komi):
    assert parse_komi(text) == komi
    record = read(f"(;KM[{text}])")
    assert (record.komi, record.names_komi) == (komi or 0, komi is not None)


FOX = ("AP[foxwq]", "AP[GNU Go:3.8]RE[W+R]AP[foxwq]", "AP[YuanYu]", "AP[YuanYu][foxwq]", "TM[60]TC[5]TT[60]RL[0]")


@pytest.mark.parametrize("evidence", FOX)
@pytest.mark.parametrize(
    ("text", "komi"),
    [
        ("375", 7.5), ("750", 7.5), ("650", 6.5), ("325", 6.5), ("550", 5.5), ("275", 5.5), ("350", 7), ("50", 0.5), ("0", 6.5),
        ("6.5", 6.5), ("7.50", 7.5), ("", 0),
    ],
)  # fmt: skip
def test_komi_as_fox_writes_it(text, komi, evidence):
    assert read(f"(;GM[1]SZ[19]KM[{text}]{evidence})").komi == komi


def test_komi_0_on_fox_is_the_usual_one_in_even_games():
    cases = (("HA[0]RU[Japanese]", 6.5), ("HA[0]RU[Chinese]", 7.5), ("HA[2]RU[Chinese]", 0), ("HA[1]RU[Japanese]", 0))
    for rest, komi in cases:
        assert read(f"(;GM[1]SZ[19]KM[0]{rest}AP[foxwq])").komi == komi
        assert read(f"(;GM[1]SZ[19]KM[0]{rest}AP[goengine:1])").komi == 0


@pytest.mark.parametrize("other", ["", "AP[GNU Go:3.8]", "AP[goengine:0.1]TM[60]", "TC[5]", "PB[foxwq]", "C[AP[foxwq\\]]"])
def test_komi_of_others_is_not_reinterpreted(other):
    for text in ("375", "650", "50", "100", "7.25"):
        assert read(f"(;GM[1]SZ[19]KM[{text}]{other})").komi == float(text)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("B+R", (BLACK_WINS, None, RESIGNATION)),
        ("W+Resign", (WHITE_WINS, None, RESIGNATION)),
        ("b+r", (BLACK_WINS, None, RESIGNATION)),
        ("B+3.5", (BLACK_WINS, 3.5, SCORE)),
        ("W+12", (WHITE_WINS, -12.0, SCORE)),
        ("W+0,5", (WHITE_WINS, -0.5, SCORE)),
        ("B+T", (BLACK_WINS, None, TIME)),
        ("W+time", (WHITE_WINS, None, TIME)),
        ("W+Forfeit", (WHITE_WINS, None, FORFEIT)),
        ("B+", (BLACK_WINS, None, UNKNOWN)),
        ("W", (WHITE_WINS, None, UNKNOWN)),
        ("Black + R", (BLACK_WINS, None, RESIGNATION)),
        ("B+AW", (BLACK_WINS, None, UNKNOWN)),
        ("0", (DRAW, 0.0, SCORE)),
        ("Draw", (DRAW, 0.0, SCORE)),
        ("jigo", (DRAW, 0.0, SCORE)),
        ("Void", (NO_RESULT, None, UNKNOWN)),
        ("?", (NO_RESULT, None, UNKNOWN)),
        ("", (NO_RESULT, None, UNKNOWN)),
        ("john wins", (NO_RESULT, None, UNKNOWN)),
        ("黑中盘胜", (BLACK_WINS, None, RESIGNATION)),
        ("白胜3.75子", (WHITE_WINS, -7.5, SCORE)),
    ],
)
def test_results(text, result):
    assert parse_result(text) == result


@pytest.mark.parametrize(
    ("encoding", "claim"),
    [
        ("utf-8", "CA[UTF-8]"), ("utf-8", ""), ("gb18030", "CA[GB18030]"), ("gb18030", "CA[UTF-8]"), ("gb18030", ""),
        ("gb18030", "CA[nonsense]"), ("utf-16", ""), ("utf-8-sig", "CA[utf8]"), ("gb18030", "CA[idna]"), ("utf-16-le", ""),
        ("utf-16-be", "CA[UTF-16]"), ("utf-32", ""), ("utf-32-be", ""), ("utf-32-le", "CA[UTF-8]"),
    ],
)  # fmt: skip
def test_encodings(encoding, claim, tmp_path):
    # The second bytes of these characters in GB18030 are a bracket and a backslash.
    name = "\u4e02\u4e55" + "".join(c for c in map(chr, range(0x4E00, 0x9FA5)) if c.encode("gbk")[1:] in (b"]", b"\\"))[:6]
    text = f"(;SZ[9]{claim}PB[{name}];B[aa];W[bb])"
    record = read(text.encode(encoding))
    assert (record.black, len(record.moves)) == (name, 2)
    (tmp_path / "two.sgf").write_bytes((text + "\n" + text).encode(encoding))
    assert list(iterate_games([tmp_path / "two.sgf"])) == [record] * 2
    (tmp_path / "two.sgf.xz").write_bytes(lzma.compress((text + text).encode(encoding)))
    assert list(iterate_games([tmp_path / "two.sgf.xz"])) == [record] * 2


def test_games_in_several_encodings(tmp_path):
    names = {"latin-1": "José ÿ", "utf-8": "棋聖", "koi8-r": "Иван"}
    games = [f"(;SZ[9]CA[{encoding}]PB[{name}];B[aa])\n".encode(encoding) for encoding, name in names.items()]
    (tmp_path / "mixed.sgf").write_bytes(b"".join(games))
    assert [game.black for game in iterate_games([tmp_path / "mixed.sgf"])] == list(names.values())


def test_half_a_character_takes_no_bracket_along(tmp_path):
    data = "(;SZ[9]CA[UTF-8]PB[你若有因".encode()[:-1] + "]BR[9段]PW[CGI]WR[9段]KM[5.5];B[aa];W[bb])".encode()
    assert b"\x9b]" in data
    (tmp_path / "cut.sgf").write_bytes(data)
    for record in (read(data), *iterate_games([tmp_path / "cut.sgf"])):
        assert (record.komi, record.white, record.white_rank, len(record.moves)) == (5.5, "CGI", "9段", 2)
        assert record.black.startswith("你若有")


def test_latin_1():
    assert read("(;CA[ISO-8859-1]PB[José é])".encode("latin-1")).black == "José é"


def test_escapes_and_line_breaks():
    assert read("(;PB[a\\]b\\\\c\nd]SZ[9];B[a\\\na])").black == "a]b\\c d"


def illegal_games():
    yield "(;SZ[9];B[aa];W[aa])", "move 2, W A9"
    yield "(;SZ[5]AB[ba][ab];W[aa])", "move 1, W A5"  # suicide of one stone
    yield "(;SZ[5]AB[bb][ac][bd]AW[cb][dc][cd][bc];B[cc];W[bc])", "move 2, W B3"  # ko
    yield "(;SZ[5]AB[ba][ab]AW[aa])", "setup stone"


@pytest.mark.parametrize(("text", "reason"), list(illegal_games()))
def test_illegal_games(text, reason, tmp_path):
    assert reason in check_moves(read(text))
    path = tmp_path / "bad.sgf"
    path.write_text(text)
    (result,) = iterate_games([path])
    assert isinstance(result, SgfError)
    assert "bad.sgf" in str(result) and reason in str(result)
    (unchecked,) = iterate_games([path], check=False)
    assert isinstance(unchecked, GameRecord)


# -- collections --

TWO_LINES = """(;GM[1]FF[4]CA[UTF-8]SZ[19]KM[6.5]RU[Japanese]PC[X]GN[1]DT[2005-11-02]TM[300]RE[W+R]
;B[pp];W[dp];B[];W[tt];B[dd])
(;GM[1]FF[4]SZ[19]KM[0.5]GN[2]RE[B+2.5]HA[2]AB[dp][pd]
;W[pq];B[po])
(;GM[1]FF[4]SZ[19]KM[0.5]GN[3]
;B[pq];W[zz])
(;GM[1]FF[4]SZ[19]KM[0.5]GN[4]
;B[pq];W[aa
(;GM[1]FF[4]SZ[9]GN[5]
;B[ee]C[a (comment\\] with\\] brackets];W[aa])

(;GM[1]SZ[9]GN[6](;B[aa];W[bb])
(;B[cc]))(;GM[1]GN[7];B[aa])
"""


@pytest.mark.parametrize("name", ["games.sgf", "games.sgfs", "games.sgfs.xz"])
def test_collections_go_on_after_a_bad_game(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(lzma.compress(TWO_LINES.encode()) if name.endswith(".xz") else TWO_LINES.encode())
    games = list(iterate_games([path]))
    found = [game.source if isinstance(game, GameRecord) else "error" for game in games]
    assert found == ["1", "2", "error", "error", "5", "6", "7"]
    assert all(name in str(game) for game in games if isinstance(game, SgfError))


def test_fast_path_equals_the_parser(tmp_path):
    path = tmp_path / "games.sgfs"
    path.write_text(TWO_LINES)
    lines = TWO_LINES.splitlines()
    expected = [read("\n".join(lines[i : i + 2])) for i in (0, 2)]
    assert list(iterate_games([path]))[:2] == expected


@pytest.mark.parametrize("root", ["(;GM[2]SZ[9]", "(;SZ[9]AB[zz]", "(;SZ[99]"])
def test_refusals_in_collections_name_the_file(root, tmp_path):
    path = tmp_path / "games.sgfs"
    path.write_text(f"{root}\n;B[aa];W[bb])\n")
    (result,) = iterate_games([path])
    assert isinstance(result, SgfError)
    assert "games.sgfs: game 1: " in str(result)


def test_damaged_files_are_reported(tmp_path):
    whole = lzma.compress(TWO_LINES.encode() * 50)
    (tmp_path / "cut.sgfs.xz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "no.sgfs.xz").write_bytes(b"not xz")
    (tmp_path / "empty.sgf").write_bytes(b"")
    (tmp_path / "good.sgf").write_text("(;SZ[9];B[aa])")
    names = ("missing.sgf", "cut.sgfs.xz", "no.sgfs.xz", "empty.sgf", "good.sgf")
    results = list(iterate_games(tmp_path / name for name in names))
    texts = [str(result) for result in results if isinstance(result, SgfError)]
    assert all(any(name in text for text in texts) for name in names[:4])
    assert isinstance(results[-1], GameRecord)


# -- writing --


def random_record(size: int, seed: int) -> GameRecord:
    random = np.random.default_rng(seed)
    position = Position(size)
    while len(position.moves) < 3 * size and not position.is_over():
        position.play(int(random.choice(position.legal_moves())))
    moves = tuple((color, coords.to_index(point, size)) for color, point in position.moves)
    return GameRecord(size=size, moves=moves, komi=7.5, rules="Chinese", outcome=BLACK_WINS, margin=1.5, ending=SCORE)


@pytest.mark.parametrize("size", [2, 5, 9, 19, 25])
def test_write_and_read_again(size):
    record = random_record(size, seed=size)
    assert read(write_game(record)) == record
    assert check_moves(record) == ""


def test_write_everything():
    record = GameRecord(
        size=9, moves=((2, 40), (1, 81)), komi=-3.0, rules="AGA", black_setup=(0, 80), white_setup=(4,), to_play=2, handicap=2,
        outcome=WHITE_WINS, ending=RESIGNATION, black="B ]x\\", white="Wé", black_rank="1d", white_rank="9p", date="2026-11-23",
        source="s1",
    )  # fmt: skip
    data = write_game(record)
    assert read(data) == record
    assert b"AP[goengine" in data
    for outcome, ending, text in ((DRAW, SCORE, b"RE[0]"), (BLACK_WINS, TIME, b"RE[B+T]")):
        assert text in write_game(dataclasses.replace(record, outcome=outcome, ending=ending))


# -- anything else --

# Files that the parser refuses (cut short, or no text), and games with a move or a stone that no rules allow.


# -- real files, where they are at hand --

BROKEN = {"19x19__Fuego_vs._Fuego.sgf", "Illegal_games__encoding-unsupported.sgf", "sgfc__test.sgf"}
ILLEGAL = {
    "katago-012.sgf", "katago-024.sgf", "Illegal_games__illegal-setup.sgf", "Illegal_games__setup-after-first-move.sgf",
    "Illegal_games__suicide.sgf",
}  # fmt: skip


@needs_data
def test_real_files():
    broken, illegal, count = set(), set(), 0
    for folder in ("ai", "small", "sgf-parser"):
        for path in sorted((Path(DATA) / folder).rglob("*.sgf")):
            count += 1
            try:
                if check_moves(read_file(path)):
                    illegal.add(path.name)
            except SgfError:
                broken.add(path.name)
    assert count > 900
    assert broken == BROKEN
    assert illegal == ILLEGAL


@needs_data
def test_real_collections():
    for name, games in (("tom/validation", 2000), ("kgs/validation", 862)):
        records = list(iterate_games([Path(DATA) / f"{name}.sgfs.xz"]))
        assert len(records) == games
        assert all(isinstance(record, GameRecord) for record in records)


@needs_data
def test_fast_path_on_real_games():
    path = Path(DATA) / "kgs" / "validation.sgfs.xz"
    with lzma.open(path) as source:
        lines = source.read().splitlines()
    slow = [read_game(lines[i] + b"\n" + lines[i + 1]) for i in range(0, len(lines), 20)]
    fast = list(iterate_games([path]))[::10]
    assert fast == slow
