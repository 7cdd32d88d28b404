"""Shards: what goes in comes out, and damaged or foreign files are refused with a reason."""

import dataclasses

import numpy as np
import pytest

from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.dataio import sgf
from goengine.dataio.records import GamePack
from goengine.zero.selfplay_params import SelfPlayParams
from goengine.zero.shards import FORMAT, FULL, VERSION, SearchedGame, Shard, ShardBuilder, write_sgf
from tests.zero.random_games import random_game, random_searches, random_shard

SEEDS = range(7)


@pytest.fixture(scope="module")
def shard():
    return random_shard(5, SEEDS)


def same(a, b):
    plain = {"games", "net", "settings"}
    names = [field.name for field in dataclasses.fields(Shard) if field.name not in plain]
    arrays = all(np.array_equal(getattr(a, n), getattr(b, n), equal_nan=getattr(a, n).dtype.kind == "f") for n in names)
    games = [a.games.game(g) for g in range(len(a))] == [b.games.game(g) for g in range(len(b))]
    return arrays and games and a.net == b.net and SelfPlayParams.from_json(a.settings) == SelfPlayParams.from_json(b.settings)


def test_what_is_added_comes_out(shard):
    assert len(shard) == len(SEEDS) and shard.size == 5 and shard.fault() == ""
    at = 0
    for g, seed in enumerate(SEEDS):
        record = random_game(5, seed)
        kind, value, score, visits, surprise, (start, index, weight), owners = random_searches(record, seed)
        moves = slice(at, at + len(record.moves))
        assert shard.games.game(g) == record and shard.seed[g] == seed
        assert np.array_equal(shard.kind[moves], kind) and np.array_equal(shard.visits[moves], visits)
        for array, given in ((shard.value, value), (shard.score, score), (shard.surprise, surprise)):
            assert np.allclose(array[moves], given, rtol=2e-3, atol=1e-3, equal_nan=True)
        for ply in range(len(record.moves)):
            entries = slice(*shard.policy_start[at + ply : at + ply + 2])
            assert np.array_equal(shard.policy_index[entries], index[start[ply] : start[ply + 1]])
            assert np.allclose(shard.policy_weight[entries], weight[start[ply] : start[ply + 1]], rtol=2e-3)
        assert bool(shard.owned[g]) == (owners is not None)
        assert np.array_equal(shard.owners[g], np.zeros(25) if owners is None else owners)
        at += len(record.moves)
    assert at == len(shard.kind) and shard.rows() == (shard.kind == FULL).sum() > 20


def test_save_and_load(shard, tmp_path):
    shard.save(tmp_path / "a-000001.npz")
    again = Shard.load(tmp_path / "a-000001.npz")
    assert same(shard, again) and SelfPlayParams.from_json(again.settings) == SelfPlayParams(size=5)
    assert [path.name for path in tmp_path.iterdir()] == ["a-000001.npz"]


def test_the_builder_refuses_what_does_not_fit_and_stays_as_it_was(shard):
    builder = ShardBuilder(5, shard.net, shard.settings)
    with pytest.raises(RecordError, match="no games"):
        builder.shard()
    for seed in SEEDS:
        record = random_game(5, seed)
        rest = random_searches(record, seed)
        for wrong, words in (
            (dict(zip(("record", "rest"), (random_game(6, 1), rest), strict=True)), "size 6"),
            ({"record": record, "rest": (rest[0][:-1], *rest[1:])}, "other lengths"),
            ({"record": record, "rest": (*rest[:5], (rest[5][0], rest[5][1][:-1], rest[5][2]), rest[6])}, "policies"),
            ({"record": record, "rest": (*rest[:6], np.zeros(36, np.int8))}, "25 points"),
            ({"record": dataclasses.replace(record, komi=float("nan")), "rest": rest}, "komi"),
        ):
            with pytest.raises(RecordError, match=words):
                builder.add(SearchedGame(wrong["record"], *wrong["rest"], seed=seed))
        builder.add(SearchedGame(record, *rest, seed=seed))
    assert len(builder) == len(SEEDS) and builder.positions == len(shard.kind) and same(builder.shard(), shard)


def first_full(shard):
    return int(np.flatnonzero(shard.kind == FULL)[0])


def changed(shard, name, place, value):
    array = getattr(shard, name).copy()
    array[place] = value
    return dataclasses.replace(shard, **{name: array})


@pytest.mark.parametrize(
    ("name", "place", "value", "words"),
    [
        ("kind", 0, 3, "none of the three"),
        ("kind", 0, FULL, "value outside"),
        ("kind", -1, 1, "has no policy, or another"),
        ("value", 0, 0.5, "without a search"),
        ("value", -1, 1.5, "outside -1"),
        ("value", -1, np.nan, "outside -1"),
        ("score", -1, np.inf, "not finite"),
        ("surprise", 0, -1, "surprise"),
        ("surprise", 0, np.nan, "surprise"),
        ("policy_start", 0, 1, "ascend"),
        ("policy_start", -1, 10**6, "ascend"),
        ("policy_start", 4, 2**62, "ascend"),
        ("policy_index", 0, 26, "off its board"),
        ("policy_weight", 0, -0.1, "negative"),
        ("policy_weight", 0, np.nan, "not finite"),
        ("policy_weight", 0, 3.0, "add up"),
        ("owners", (0, 0), 2, "owners"),
        ("owners", (0, 0), -128, "owners"),
        ("owned", 0, 2, "owned"),
    ],
)
def test_bad_numbers_are_refused_at_the_door(shard, tmp_path, name, place, value, words):
    bad = changed(shard, name, place, value)
    assert words in bad.fault()
    bad.save(tmp_path / "bad.npz")
    with pytest.raises(RecordError, match=f"bad.npz.*{words}"):
        Shard.load(tmp_path / "bad.npz")


@pytest.mark.parametrize("name", ["kind", "value", "policy_weight", "owned", "seed"])
def test_wrong_lengths_and_types_are_refused(shard, tmp_path, name):
    for array in (getattr(shard, name)[:-1], getattr(shard, name).astype(np.float64)):
        dataclasses.replace(shard, **{name: array}).save(tmp_path / "bad.npz")
        with pytest.raises(RecordError, match=r"bad\.npz"):
            Shard.load(tmp_path / "bad.npz")


def test_bad_games_are_refused(shard, tmp_path):
    both = GamePack.concat([shard.games.select(range(len(shard) - 1)), GamePack.build([random_game(6, len(SEEDS) - 1)])])
    assert "several board sizes" in dataclasses.replace(shard, games=both).fault()
    wrong = dataclasses.replace(shard.games, outcome=-shard.games.outcome)
    assert "outcome" in dataclasses.replace(shard, games=wrong).fault()
    games = dataclasses.replace(shard.games, moves=shard.games.moves + np.uint16(26))
    dataclasses.replace(shard, games=games).save(tmp_path / "bad.npz")
    with pytest.raises(RecordError, match=r"bad.npz: a move is off its board"):
        Shard.load(tmp_path / "bad.npz")


def test_foreign_and_damaged_files_are_named(shard, tmp_path):
    shard.games.save(tmp_path / "pack.npz")
    with pytest.raises(RecordError, match=r"pack.npz: it is not of the format"):
        Shard.load(tmp_path / "pack.npz")
    with pytest.raises(RecordError, match=r"gone.npz: No such file"):
        Shard.load(tmp_path / "gone.npz")
    shard.save(tmp_path / "good.npz")
    arrays, meta = read_arrays(tmp_path / "good.npz", FORMAT, VERSION)
    for change, words in (({"version": VERSION + 1}, "unknown"), ({"net": 7}, "which net"), ({"rules": []}, "rules")):
        write_arrays(tmp_path / "other.npz", arrays, meta | change)
        with pytest.raises(RecordError, match=f"other.npz.*{words}"):
            Shard.load(tmp_path / "other.npz")
    whole = (tmp_path / "good.npz").read_bytes()
    rng = np.random.default_rng(0)
    for length in rng.integers(0, len(whole), 20).tolist():
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        with pytest.raises(RecordError, match=r"cut\.npz"):
            Shard.load(tmp_path / "cut.npz")
    for place in rng.integers(0, len(whole), 60).tolist():
        (tmp_path / "bit.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert same(Shard.load(tmp_path / "bit.npz"), shard)  # a byte that nobody reads
        except RecordError as error:
            assert "bit.npz" in str(error)


def test_write_sgf(shard, tmp_path):
    paths = write_sgf(shard, tmp_path / "games")
    assert len(paths) == len(shard) and len({path.name for path in paths}) == len(shard)
    for g, path in enumerate(paths):
        read, record = sgf.read_file(path), shard.games.game(g)
        assert (read.moves, read.komi, read.outcome, read.black) == (record.moves, record.komi, record.outcome, shard.net)
