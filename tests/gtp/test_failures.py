"""A command that fails leaves everything as it was: every command, with good, bad and edge arguments, while a game goes on."""

import os
from dataclasses import replace

import numpy as np
import pytest
from gtp_support import new_protocol

from goengine.evaluators.base import EvaluatorError
from goengine.gtp.registry import TABLE

_TEXT = """
b w B white x D4 E5 A1 J9 T19 I5 Z99 pass resign 0 1 2 3 5 9 10 25 26 100 -1 -0 0.5 1e-320 1e-7 1e9 1e308 1e400 nan
inf none true false all alive seki dead japanese chinese aga chess koRule ko SIMPLE scoring TERRITORY hasButton
suicide maybe absolute byoyomi canadian fischer fischer-capped visits level time lag resign_winrate ponder maxVisits
maxTime playouts nothing interval minmoves maxmoves ownership rootInfo pvVisits movesOwnership avoid allow - game.sgf
missing.sgf { } [] {"visits":3} {"visits":3,"level":99} {"level":5} {"ko":"SITUATIONAL"} {"ko":7}
analysisWideRootNoise playoutDoublingAdvantage numSearchThreads é
"""
WORDS = [*_TEXT.split(), "9" * 30, "9" * 400]

# Arguments near to what each command takes: among random words these would be rare.
LIKELY = {
    "play": "b D4", "boardsize": "9", "komi": "0.5", "set_position": "b D4 w E5", "time_left": "b 10 0",
    "gogui-setup": "b D4 w C3", "gogui-play_sequence": "b D4 w E5 b D5", "gg-undo": "2", "fixed_handicap": "3",
    "place_free_handicap": "4", "set_free_handicap": "D4 E5", "time_settings": "10 5 3",
    "kata-time_settings": "byoyomi 10 5 3", "kgs-time_settings": "canadian 10 5 3", "kata-set-param": "level 3",
    "kata-set-params": '{"visits":3}', "kata-set-rule": "ko SIMPLE", "kata-set-rules": "japanese", "kgs-rules": "aga",
    "loadsgf": "game.sgf 3", "printsgf": "game.sgf", "final_status_list": "dead", "genmove": "b", "reg_genmove": "w",
    "kata-raw-nn": "0", "kata-analyze": "b 10 avoid b D4 3", "goengine-param": "level 3",
    "kata-genmove_analyze": "w 10 maxmoves 3", "kata-get-param": "visits", "gogui-setup_player": "w",
}  # fmt: skip


def state(session):
    """All that a client has set or played."""
    engine = session.engine
    position, clock = engine.position, engine.clock
    game = (
        position.size,
        tuple(position.moves),
        position.to_play,
        position.black_setup,
        position.white_setup,
        position.handicap,
    )
    board = (position.to_diagram(), position.game.status.tolist(), int(position.game.board.hash[0]))
    return game, board, engine.rules, engine.options, clock.settings, dict(clock.left), clock.lag, engine.to_sgf()


def arguments(name, random):
    """The likely ones, whole, cut, changed in a place or continued; or any words."""
    likely = LIKELY.get(name, "b 10").split()
    way = int(random.integers(6))
    if way == 0:
        return likely
    if way == 1:
        return likely[: int(random.integers(len(likely) + 1))]
    if way < 5:
        likely[int(random.integers(len(likely)))] = str(random.choice(WORDS))
        return likely + [str(word) for word in random.choice(WORDS, int(random.integers(3)))]
    return [str(word) for word in random.choice(WORDS, int(random.integers(1, 6)))]


class Soon:
    """Ends what waits for input after a few looks."""

    def __init__(self):
        self.looks = 3

    def pending(self):
        self.looks -= 1
        return self.looks < 0

    def wait(self):
        pass

    def abandoned(self):
        return False


@pytest.mark.parametrize("seed", range(4))
def test_a_failed_command_changes_nothing(seed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "game.sgf").write_text("(;GM[1]FF[4]SZ[9]KM[5.5]RU[Japanese];B[cc];W[gg];B[gc])")
    protocol, random = new_protocol(), np.random.default_rng(seed)
    session = protocol.session
    session.engine.configure(replace(session.engine.options, visits=2, playouts=10))
    names = [command.name for command in TABLE if command.name != "quit"]
    failed, done = set(), set()
    for _ in range(6):
        for name in random.permutation(names):
            if session.engine.position.size > 9:
                protocol.handle_line("boardsize 9")
            session.engine.configure(replace(session.engine.options, playouts=10, visits=2, time=None))
            protocol.handle_line("time_settings 100 0 0" if random.random() < 0.5 else "time_settings 0 1 0")
            line = " ".join([str(name), *arguments(str(name), random)])
            before = state(session)
            session.lookahead = Soon()
            response = protocol.handle_line(line)
            if response.stream:
                response.stream.run(lambda text: None)
            if response.reply.startswith("?"):
                failed.add(name)
                assert state(session) == before, line
            else:
                done.add(name)
    assert len(failed) > 30 and len(done) > 60
    assert set(os.listdir(tmp_path)) >= {"game.sgf"}


REFUSED = ["kata-time_settings byoyomi 0 1e-320 1", "kata-time_settings canadian 10 1e-9 3", "time_settings 1e308 0 0",
           "time_settings 0 1e-320 1", "time_settings 10 10 1e300", "time_left b 1e308 0", "time_left w 10 1e18",
           "kata-time_settings fischer-capped 60 10 30 -1", "kata-time_settings fischer 60 1e300",
           "kata-set-param level " + "9" * 400,
           "kata-set-param visits " + "9" * 5000, "komi 1e308", "kata-set-param time 1e400", 'kata-set-params {"lag": 1e400}',
           "kata-set-param lag nan"]  # fmt: skip
TAKEN = ["kata-time_settings fischer-capped 60 10 60 -1", "kata-time_settings byoyomi 0 0.001 1", "time_left b -5 0",
         "time_settings 0 0 0", "kata-time_settings fischer-capped 60 10 -1 -1"]  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_numbers_at_the_edge_are_refused_where_they_are_set(protocol, line):
    before = state(protocol.session)
    reply = protocol.handle_line(line).reply
    assert reply.startswith("? ") and "internal error" not in reply and len(reply) < 300
    assert state(protocol.session) == before
    assert protocol.handle_line("genmove b").reply.startswith("= ")


@pytest.mark.parametrize("line", TAKEN)
def test_edges_that_make_sense_are_taken(protocol, line):
    protocol.handle_line("time_settings 100 0 0")
    assert protocol.handle_line(line).reply == "= \n\n"
    assert protocol.handle_line("genmove b").reply.startswith("= ")


def test_a_net_that_fails_changes_nothing(protocol):
    engine = protocol.session.engine
    engine.warm_up()
    protocol.handle_line("gogui-play_sequence b D4 w E5")
    before = state(protocol.session)

    def fail(size):
        raise EvaluatorError("the net has gone")

    engine._nets.get = fail
    for line in ("genmove b", "boardsize 13", "clear_board", "kata-genmove_analyze b", "reg_genmove w", "set_position b C3"):
        with pytest.raises(EvaluatorError):  # what becomes `? internal error`
            response = protocol.handle_line(line)
            response.stream.run(print)
        assert state(protocol.session) == before
