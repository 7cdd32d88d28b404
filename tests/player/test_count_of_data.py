"""The engine's count of real finished games, where these are at hand, with the shipped net for 19x19."""

import os
from itertools import islice
from pathlib import Path

import pytest

from goengine.board.rules import Rules
from goengine.dataio import sgf
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions
from goengine.player.net_source import NetSource
from goengine.player.opinion import Opinion
from training.measure.count_games import count_games

DATA = os.environ.get("GOENGINE_DATA")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA, reason="GOENGINE_DATA names no folder of game records"),
]


def test_the_winners_of_counted_games():
    games = sgf.iterate_games([Path(DATA) / "tygem" / "validation.sgfs.xz"])
    found = count_games(Opinion(NetSource(threads=1), 300), games, 300, lambda *_: None)
    assert found.games == 300 and found.wrong_winner <= 3 and found.exact >= 280, found


def test_leads_under_any_komi():
    """Within 15 % or two points, of games that are counted right."""
    opinion = Opinion(NetSource(threads=1), 300)
    games = (game for game in sgf.iterate_games([Path(DATA) / "tygem" / "validation.sgfs.xz"]) if game.margin is not None)
    far = []
    for record in islice(games, 40):
        from training.data.final_owners import final_position

        position = final_position(record)
        for shift in (-100, -30, 0, 30, 100):
            position.rules = position.rules.with_komi(record.komi + shift)
            lead, right = opinion.lead(position, 0.0), record.margin - shift
            lead = lead if position.to_play == 1 else -lead
            if abs(lead - right) > max(2.0, 0.15 * abs(right)):
                far.append((record.source, shift, lead, right))
    assert len(far) <= 10, far


def test_games_that_were_passed_out_early():
    """GNU Go's own regression games: most hang on life and death that nobody played out."""
    folder = Path(DATA) / "scoring-gnugo"
    engine = Engine.load(None, EngineOptions(), boardsize=19, rules="japanese", seed=1)
    found, right = {}, {}
    for line in (folder / "INDEX.tsv").read_text().splitlines()[1:]:
        name, move, result = line.split("\t")
        engine.set_rules(Rules.preset("japanese"))
        engine.load_sgf(folder / name, int(move) if move else None)
        score = engine.score()
        found[name], right[name] = f"{'B' if score > 0 else 'W'}+{abs(score):g}", result
    wrong = {name: (found[name], right[name]) for name in right if found[name] != right[name]}
    assert len(wrong) <= 1, wrong
