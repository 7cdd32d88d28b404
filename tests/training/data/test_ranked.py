"""Games of ranked people: which are held out, whose moves are drawn, what a net is told."""

import dataclasses

import numpy as np
import pytest

from goengine import features
from goengine.core.array_file import RecordError
from goengine.dataio.records import GamePack, GameRecord
from goengine.features import zero_ranked
from goengine.ranks.inputs import SIDE
from goengine.ranks.scale import BANDS, Server
from training.data import packs, ranked
from training.data.sampling import Draw
from training.measure import by_rank


def game(number: int, **more) -> GameRecord:
    generator = np.random.default_rng(number)
    moves = tuple((1 + i % 2, int(p)) for i, p in enumerate(generator.permutation(49)[:20]))
    return GameRecord(size=7, moves=moves, **more)


@pytest.fixture(scope="module")
def games():
    people = {"black_rank": "12k", "white_rank": "3d", "place": "KGS"}
    records = [game(i, **people) for i in range(30)]
    records += [game(100 + i, black_rank="8d", white_rank="9p", place="Fox") for i in range(20)]
    records += [game(200, **people, white_bot=True), game(201, black_rank="NR", white_rank="2d")]
    return packs.to_games(GamePack.build(records))


def test_a_game_is_held_out_wherever_it_lies(games):
    held = ranked.held_out(games)
    assert 0 < held.sum() < len(held) / 3
    order = np.random.default_rng(3).permutation(len(held))
    alone = packs.select(games, np.isin(np.arange(len(held)), order[:25]))
    assert (ranked.held_out(alone) == held[np.sort(order[:25])]).all()
    learned, out = ranked.split(games)
    assert len(learned.size) + len(out.size) == len(held) and not ranked.held_out(learned).any() and ranked.held_out(out).all()
    with pytest.raises(RecordError, match="too few"):
        ranked.split(out)


def test_bands_are_of_the_side_to_move_and_of_people(games):
    found, colors = ranked.bands(games), games.colors
    first, start = games.start[1], games.start
    assert {BANDS[b] for b in found[:first][colors[:first] == 1]} == {"14k-10k"}
    assert {BANDS[b] for b in found[:first][colors[:first] == 2]} == {"3d-4d"}
    program = slice(start[50], start[51])
    assert (found[program][colors[program] == 2] == -1).all() and (found[program][colors[program] == 1] >= 0).all()
    unknown = slice(start[51], start[52])
    assert (found[unknown][colors[unknown] == 1] == -1).all()


def test_bands_are_drawn_as_their_shares_say(games):
    chosen = ranked.drawn_positions(games, 300, 1, dict.fromkeys(BANDS, 0.1))
    counts = np.bincount(ranked.bands(games)[chosen], minlength=len(BANDS))
    assert counts.tolist() == [0, 0, 30, 0, 0, 30, 30, 0, 30, 30]
    nobody = games._replace(ranks=np.full_like(games.ranks, np.nan))
    with pytest.raises(RecordError, match="known rank"):
        ranked.drawn_positions(nobody, 300, 1)


def test_samples_tell_both_ranks(games):
    chosen = np.arange(games.moves.size)
    sampler = ranked.RankedSampler(games, features.get(zero_ranked.NAME), Draw(1, 0, 0, 0.0), chosen, hidden=0.0)
    targets = sampler.batch(0, games.moves.size)
    told = targets.globals[:, 14:]
    assert np.allclose(told[0, 2], -1.1) and np.allclose(told[0, SIDE + 2], 0.3) and np.allclose(told[1, 2], 0.3)
    assert told[0, 2 * SIDE + Server.KGS] == 1 and told[games.start[30], 2 * SIDE + Server.FOX] == 1
    program = np.arange(games.start[50], games.start[51])
    assert ((targets.policy[program] == -1) == (games.colors[program] == 2)).all()
    hiding = ranked.RankedSampler(games, features.get(zero_ranked.NAME), Draw(1, 0, 0, 0.0), chosen, hidden=0.5)
    again = hiding.batch(0, 400).globals
    assert (again == hiding.batch(0, 400).globals).all() and 0.35 < again[:, 14].mean() < 0.7
    assert (hiding.batch(100, 50).globals == again[100:150]).all()


def test_figures_are_of_legal_moves_and_of_people(games):
    moves = by_rank.measured_moves(games, 400)
    assert len(moves.positions) == 4 * 40 + 10 and (moves.band >= 0).all() and (np.diff(moves.positions) > 0).all()
    flat = np.zeros(moves.legal.shape, np.float32)
    found = by_rank.by_band(flat, moves)
    assert set(found) == {"14k-10k", "1d-2d", "3d-4d", "7d-9d", "pro"}
    bits = np.log2(moves.legal.sum(1))
    assert by_rank.figures(flat, moves).bits == pytest.approx(bits.mean(), abs=1e-4)
    knowing = flat.copy()
    knowing[np.arange(len(flat)), moves.played] = 30
    knowing[:, 3] = np.where(moves.legal[:, 3] == 0, 99, knowing[:, 3])  # what is illegal does not count
    best = by_rank.figures(knowing, moves)
    assert best.bits < 1e-6 and best.top1 == best.top5 == 1
    assert set(by_rank.by_phase(flat, moves)) == {"1-50"}


def test_evaluation_leaves_out_programs(games):
    from training.measure.evaluate import as_played, by_programs

    sampler, count = as_played(games, features.get("zero"), None)
    assert count == games.moves.size - 10 and by_programs(games).sum() == 10
    assert (sampler.batch(0, count).policy >= 0).all()
    with pytest.raises(RecordError, match="programs"):
        as_played(games._replace(bots=np.full_like(games.bots, 3)), features.get("zero"), None)


def test_a_record_says_who_is_a_program():
    from goengine.dataio.sgf import read_game, write_game

    record = read_game(b"(;GM[1]SZ[9]BR[5k?]WR[2345]BT[bot]SO[KGS]DT[2016-02-03];B[aa])")
    assert record.black_bot and not record.white_bot and record.place == "KGS" and record.day() == 20160203
    assert record.ranks()[0] == -4 and np.isnan(record.ranks()[1])
    again = read_game(write_game(record))
    assert dataclasses.replace(again, names_komi=record.names_komi) == record
