"""Packs of games: what goes in comes out, and damaged files are refused with a reason."""

import dataclasses
import json
import zipfile

import numpy as np
import pytest

from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.dataio.records import (
    BLACK_WINS,
    DRAW,
    NO_RESULT,
    RESIGNATION,
    SCORE,
    WHITE,
    WHITE_WINS,
    GamePack,
    GameRecord,
    PackBuilder,
    source_key,
    unknown_players,
)

EVEN = GameRecord(
    size=9, moves=((1, 40), (2, 41), (1, 81), (2, 81)), komi=6.5, rules="Japanese", outcome=WHITE_WINS, margin=-3.5,
    ending=SCORE, date="2005-11-02", source="17",
)  # fmt: skip
HANDICAP = GameRecord(
    size=19, moves=((2, 0), (1, 360), (1, 5), (2, 6), (2, 7)), komi=0.5, rules="Chinese", black_setup=(60, 300),
    white_setup=(18,), to_play=WHITE, handicap=2, outcome=BLACK_WINS, ending=RESIGNATION, date="2017",
)  # fmt: skip
EMPTY = GameRecord(size=5, moves=(), to_play=WHITE, outcome=DRAW, margin=0.0)
NO_END = GameRecord(size=25, moves=((1, 624), (2, 625)), komi=-7.0, outcome=NO_RESULT)
GAMES = [EVEN, HANDICAP, EMPTY, NO_END]


def kept(record: GameRecord) -> GameRecord:
    """The record with what a pack does not keep taken out."""
    return dataclasses.replace(record, source="")


@pytest.fixture
def pack() -> GamePack:
    return GamePack.build(GAMES, note="made by hand")


def test_build_and_read(pack):
    assert len(pack) == 4
    assert [pack.game(g) for g in range(4)] == [kept(game) for game in GAMES]
    assert pack.fault() == ""
    assert int(pack.source[0]) == source_key("17") != 0
    assert int(pack.source[1]) == 0


def test_colors(pack):
    assert pack.colors().tolist() == [color for game in GAMES for color, _ in game.moves]


def test_save_and_load(pack, tmp_path):
    path = tmp_path / "games.npz"
    pack.save(path)
    again = GamePack.load(path)
    assert [again.game(g) for g in range(4)] == [pack.game(g) for g in range(4)]
    assert (again.note, again.rule_names) == (pack.note, pack.rule_names)
    assert [p.name for p in tmp_path.iterdir()] == ["games.npz"]


def test_select_and_concat(pack):
    chosen = pack.select([3, 1, 1])
    assert [chosen.game(g) for g in range(3)] == [kept(NO_END), kept(HANDICAP), kept(HANDICAP)]
    assert chosen.fault() == ""
    other = GamePack.build([HANDICAP, EVEN])
    both = GamePack.concat([pack, other])
    assert [both.game(g) for g in range(6)] == [kept(game) for game in [*GAMES, HANDICAP, EVEN]]
    assert both.fault() == ""


def test_empty_pack(tmp_path):
    path = tmp_path / "none.npz"
    GamePack.build([]).save(path)
    assert len(GamePack.load(path)) == 0
    assert len(GamePack.concat([])) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": 26}, "size 26"),
        ({"moves": ((1, 82),)}, "not on a board"),
        ({"moves": ((3, 8),)}, "not on a board"),
        ({"black_setup": (81,)}, "setup"),
        ({"komi": float("nan")}, "komi"),
    ],
)
def test_builder_refuses(change, words):
    builder = PackBuilder()
    builder.add(EVEN)
    with pytest.raises(RecordError, match=words):
        builder.add(dataclasses.replace(EVEN, **change))
    assert len(builder) == 1
    assert builder.pack().game(0) == kept(EVEN)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("offsets", [0, 9, 3, 9, 11], "ascend"),
        ("offsets", [0, 4], "elements"),
        ("size", [9, 19, 5, 26], "size"),
        ("size", [2, 19, 5, 25], "off its board"),
        ("first", [0, 1, 1, 1], "first"),
        ("outcome", [5, 1, 1, 1], "outcome"),
        ("rules", [9, 0, 0, 0], "rules"),
        ("breaks", [3, 2], "breaks"),
        ("breaks", [99], "breaks"),
        ("setup", [400, 1, 2], "setup"),
    ],
)
def test_load_refuses_bad_arrays(pack, tmp_path, name, values, words):
    path = tmp_path / "bad.npz"
    dataclasses.replace(pack, **{name: np.array(values, getattr(pack, name).dtype)}).save(path)
    with pytest.raises(RecordError, match=f"bad.npz.*{words}"):
        GamePack.load(path)


def test_load_refuses_other_files(pack, tmp_path):
    for name, content in (("text.npz", b"(;GM[1])"), ("empty.npz", b""), ("zip.npz", b"PK\x05\x06" + bytes(18))):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RecordError, match=name):
            GamePack.load(tmp_path / name)
    with pytest.raises(RecordError, match="missing"):
        GamePack.load(tmp_path / "missing.npz")


@pytest.mark.parametrize(
    ("meta", "words"), [({"format": "x", "version": 1}, "format"), ({"format": "goengine games", "version": 99}, "99")]
)
def test_load_refuses_other_versions(tmp_path, meta, words):
    write_arrays(tmp_path / "a.npz", {}, meta)
    with pytest.raises(RecordError, match=words):
        GamePack.load(tmp_path / "a.npz")


def test_load_refuses_pickles_and_lying_headers(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, meta=np.array([{"x": 1}], dtype=object))
    with pytest.raises(RecordError):
        read_arrays(path, "x", 1)
    header = b"{'descr': '<u8', 'fortran_order': False, 'shape': (1000000000000,), }"
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    lie = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(16)
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("meta.npy", lie)
    with pytest.raises(RecordError, match="header"):
        read_arrays(path, "x", 1)


def test_damaged_files_never_crash(pack, tmp_path):
    path = tmp_path / "a.npz"
    pack.save(path)
    good = path.read_bytes()
    random = np.random.default_rng(1)
    for _ in range(300):
        data = bytearray(good)
        for _ in range(random.integers(1, 4)):
            data[random.integers(len(data))] = random.integers(256)
        path.write_bytes(bytes(data[: random.integers(1, len(data) + 1)] if random.random() < 0.3 else data))
        try:
            loaded = GamePack.load(path)
        except RecordError as error:
            assert "a.npz" in str(error)
        else:
            assert loaded.fault() == ""


def test_meta_is_json(pack, tmp_path):
    pack.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as plain:
        assert json.loads(plain["meta"].tobytes())["version"] == 1
        assert plain["moves"].dtype == np.uint16


PEOPLE = dataclasses.replace(
    EVEN, black_rank="12k", white_rank="3d?", date="2016-02", white_bot=True, place="The KGS Go Server at http://www.gokgs.com/"
)


def test_players_are_kept():
    pack = GamePack.build([PEOPLE, dataclasses.replace(EVEN, black_rank="9p", white_rank="NR", date="in spring"), EVEN])
    assert pack.black_rank.tolist()[:2] == [-11, np.float32(9.9)] and pack.white_rank[0] == 3
    assert np.isnan(pack.white_rank[1:]).all() and np.isnan(pack.black_rank[2])
    assert (pack.server.tolist(), pack.bots.tolist()) == ([1, 0, 0], [2, 0, 0]) and pack.day.tolist()[:2] == [20160200, 0]
    game = pack.game(0)
    assert (game.black_rank, game.white_rank, game.place, game.date) == ("12k", "3d", "kgs", "2016-02")
    assert game.white_bot and not game.black_bot and pack.game(1).black_rank == "9p"
    assert GamePack.build([game]).arrays()["server"].tolist() == [1]


def test_packs_of_older_versions_tell_of_no_players(tmp_path):
    pack = GamePack.build([PEOPLE])
    old = {name: array for name, array in pack.arrays().items() if name not in unknown_players(1)}
    read = GamePack.from_arrays(old, list(pack.rule_names))
    assert np.isnan(read.black_rank[0]) and read.server[0] == read.bots[0] == read.day[0] == 0
    assert read.game(0).moves == pack.game(0).moves and len(GamePack.concat([read, pack])) == 2


@pytest.mark.parametrize(
    ("name", "value"), [("black_rank", -40), ("white_rank", np.inf), ("server", 9), ("bots", 4), ("day", -1)]
)
def test_impossible_players_are_refused(name, value):
    pack = GamePack.build([PEOPLE])
    arrays = {**pack.arrays(), name: np.array([value], pack.arrays()[name].dtype)}
    with pytest.raises(RecordError, match=name):
        GamePack.from_arrays(arrays, list(pack.rule_names))
