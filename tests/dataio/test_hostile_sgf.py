"""SGF that is damaged, hostile or no file at all: read or refused with a reason, never a crash or a hang."""

import contextlib
import os
import re
from pathlib import Path

import numpy as np
import pytest

from goengine.board.position import Position
from goengine.dataio.game_files import replay
from goengine.dataio.records import (
    GameRecord,
)
from goengine.dataio.sgf import SgfError, iterate_games, read_file, read_game

SEEDS = (
    "(;GM[1]FF[4]CA[UTF-8]SZ[19]KM[6.5]RU[Japanese]PC[X]GN[1]DT[2005-11-02]TM[300]RE[W+R]\n;B[pd];W[dp];B[pp])",
    "(;GM[1]SZ[19]AB[aa:cc]AW[dd];B[ee](;W[ff])(;W[gg];B[hh]))",
    "(;FF[4]CA[GB18030]PB[\u9ed1]RE[\u9ed1\u80dc])",
)


@pytest.mark.parametrize("seed", range(20))
def test_any_bytes_are_read_or_refused(seed, tmp_path):
    random = np.random.default_rng(seed)
    path = tmp_path / "f.sgf"
    for _ in range(100):
        data = bytearray(SEEDS[random.integers(len(SEEDS))].encode("utf-8" if random.random() < 0.7 else "gb18030"))
        for _ in range(random.integers(1, 12)):
            place = random.integers(len(data))
            kind = random.integers(4)
            if kind == 0:
                data[place] = random.integers(256)
            elif kind == 1:
                del data[place : place + random.integers(1, 20)]
            elif kind == 2:
                data[place:place] = b"[](;)\\:" * random.integers(1, 5)
            else:
                data[place:place] = data[: random.integers(1, 200)]
            data = data or bytearray(b"x")
        path.write_bytes(data)
        for result in iterate_games([path]):
            assert isinstance(result, (GameRecord, SgfError))
        try:
            assert read_game(bytes(data)).size in range(2, 26)
        except SgfError as error:
            assert str(error).startswith("SGF: ")


HOSTILE = (
    b"(;" * 100_000,
    b"(;B[aa]" * 50_000 + b")" * 50_000,
    b"(" * 1_000_000,
    b"[" * 1_000_000,
    b"(;C[" + b"\\" * 1_000_001,
    b"a" * 2_000_000,
    b"(;" + b"a" * 2_000_000,
    b"(;C[" + b"\\]" * 1_000_000,
    b"(;C[" + b"a\n" * 100_000,
    bytes(1000),
    b"\xff\xfe" + bytes(range(256)) * 10,
    b"(;AB[" + b"aa:" * 100_000 + b"])",
    b"(;A" + b"[x]" * 300_000 + b")",
    b"(;SZ[" + b"9" * 5000 + b"])",
    b"(;KM[" + b"9" * 5000 + b"])",
    b"(;HA[" + b"9" * 5000 + b"])",
    b"(;SZ[9]HA[\xb2])",
    b"(;DT[\xc2\xb2\xc2\xb2\xc2\xb2\xc2\xb2])",
)


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_data(data, tmp_path):
    path = tmp_path / "f.sgf"
    path.write_bytes(data)
    assert all(isinstance(result, (GameRecord, SgfError)) for result in iterate_games([path]))
    with contextlib.suppress(SgfError):
        read_game(data).year()


AMPLIFIED = {
    "a million rectangles": (b"(;SZ[25]AB" + b"[aa:yy]" * 1_000_000 + b")", "property AB has more than"),
    "rectangles in many nodes": (b"(;SZ[25]" + b";AB[aa:yy]" * 90_000 + b")", "points are set up"),
    "sides to play": (b"(;SZ[9]AB[aa:ig]" + b";PL[B]" * 90_000 + b")", ""),
    "stones that come and go": (b"(;SZ[9];B[aa]" + b";AE[aa];AB[aa]" * 40_000 + b")", ""),
    "empty nodes": (b"(" + b";" * 7_900_000 + b")", "more than 100000 nodes"),
    "variations in variations": (b"(;B[aa]" + b"(" * 7_900_000, "variations inside each other"),
    "variations": (b"(;B[aa](;W[bb])" + b"()" * 3_900_000 + b")", "brackets of variations"),
    "values": (b"(;" + b"LB[]" * 1_900_000 + b")", "property LB has more than"),
    "a long name": (b"(;B[aa]" + b"Z" * 7_900_000 + b"[])", "property Z{20} has no values"),
}


@pytest.mark.parametrize(("data", "reason"), AMPLIFIED.values(), ids=AMPLIFIED.keys())
def test_amplification_is_refused(data, reason, tmp_path):
    (tmp_path / "f.sgf").write_bytes(data)
    if reason:
        with pytest.raises(SgfError, match=reason):
            read_game(data)
    else:
        record = read_game(data)
        assert len(record.edits) <= len(record.moves) + 1
        next(replay(record, Position(record.size)))
    (found,) = iterate_games([tmp_path / "f.sgf"], check=False)
    assert isinstance(found, SgfError) == bool(reason)


def test_one_game_that_is_too_long_does_not_stop_the_others(tmp_path):
    path = tmp_path / "games.sgfs"
    path.write_bytes(b"(;SZ[9];B[aa])\n(;SZ[9]C[" + b"x" * 20_000_000 + b"];B[bb])\n(;SZ[9];B[cc])\n")
    first, long, last = iterate_games([path])
    assert (first.moves, last.moves) == (((1, 0),), ((1, 20),))
    assert re.search(r"games\.sgfs: game 2: too long: 200000\d\d bytes, at most 16000000 are read", str(long))
    (tmp_path / "one.sgf").write_bytes(b"(;SZ[9]C[" + b"x" * 20_000_000 + b"];B[bb])")
    with pytest.raises(SgfError, match="too long"):
        read_file(tmp_path / "one.sgf")


@pytest.mark.skipif(os.name != "posix", reason="there are no such files here")
def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.sgf")
    with open(tmp_path / "sparse.sgf", "wb") as file:
        file.truncate(4 << 30)
    for path, reason in ((tmp_path / "pipe.sgf", "pipe"), (Path("/dev/zero"), "device"), (tmp_path / "sparse.sgf", "too long")):
        with pytest.raises(SgfError, match=f"{path.name}: is .*{reason}"):
            read_file(path)
        (found,) = iterate_games([path])
        assert re.search(f"{path.name}: is .*{reason}", str(found))
