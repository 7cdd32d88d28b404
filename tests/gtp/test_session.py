"""What the commands share: thinking in between never ends a session, and neither does a log that cannot be written."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from gtp_support import new_protocol

from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from goengine.gtp.gtp_options import GtpOptions
from goengine.gtp.session import Journal, Session
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions


def test_pondering_that_fails_is_reported_only(capfd):
    engine = Engine(Uniform(), EngineOptions(visits=4, ponder=True), size=5, seed=1)

    def fail(should_stop):
        raise RuntimeError("the net has gone")

    engine.ponder = fail
    journal = Journal(quiet=True)
    session = Session(GtpOptions(), lambda: engine, journal=journal)
    assert session.engine is engine
    session.idle()
    journal.close()
    assert "the net has gone" in capfd.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_ends_the_log_and_nothing_else(capfd):
    journal = Journal(Path("/dev/full"), quiet=True)
    for _ in range(2):
        journal.received("genmove b")
        journal.sent("= D4\n\n")
    journal.close()
    assert capfd.readouterr().err.count("nothing more is logged: No space left") == 1


def test_the_expected_play_begins_with_the_move_that_was_played(protocol):
    """Also where the move is drawn, below full strength, and so not the head of the search's best line."""
    from goengine.board.coords import to_gtp

    protocol.handle_line("goengine-param level 1")
    differ = 0
    for _ in range(6):
        protocol.handle_line("clear_board")
        played = protocol.handle_line("genmove b").reply.removeprefix("= ").strip()
        assert protocol.handle_line("goengine-pv b").reply.split()[1:3] == ["b", played]
        assert f"PV {played}" in protocol.handle_line("gomill-explain_last_move").reply
        differ += to_gtp(protocol.session.engine.last_decision.search.moves[0].point, 9) != played
    assert differ


@pytest.mark.parametrize("ending", ["stop", "kgs-game_over", "cgos-gameover W+R", "undo", "clear_board"])
def test_what_ends_pondering(ending):
    """Nothing is evaluated after it; without it something is."""
    net = Scripted(lambda planes, values: flat_evaluation(len(planes), planes.shape[-1]))
    protocol = new_protocol(net)
    session = protocol.session
    session.engine.configure(replace(session.engine.options, ponder=True))
    for line, thinks in (("name", True), (ending, False)):
        protocol.handle_line("genmove b")
        protocol.handle_line(line)
        before, looks = net.rows, iter(range(100))
        session.lookahead = SimpleNamespace(pending=lambda looks=looks: next(looks) > 20, abandoned=lambda: False)
        session.idle()
        assert (net.rows > before) == thinks


def test_a_file_whose_name_ends_in_a_number(tmp_path, protocol):
    """The whole text is a file's name before its last word is a number of a move."""
    game = "(;GM[1]FF[4]SZ[9];B[cc];W[gg];B[gc])"
    for name in ("game 5", "game"):
        (tmp_path / name).write_text(game)
    for name, moves in (("game 5", 3), ("game 5 2", 1), ("game 2", 1), ("game", 3)):
        assert protocol.handle_line(f"loadsgf {tmp_path}/{name}").reply == "= \n\n"
        assert len(protocol.session.engine.position.moves) == moves
    (tmp_path / "game 5").unlink()
    assert protocol.handle_line(f"loadsgf {tmp_path}/game 2").reply == "= \n\n"
    assert "moves count from 1" in protocol.handle_line(f"loadsgf {tmp_path}/game 0").reply
