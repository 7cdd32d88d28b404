"""Programs as anchors of the Elo curve: their names, their games with nets, and their place among the ratings."""

import json
import shlex
import shutil
import threading
import xml.etree.ElementTree as ElementTree

import pytest

from goengine.arena.fixtures import GameOutcome
from goengine.arena.picture import Curve, Level, elo_curve
from goengine.arena.players import ProgramPlayer
from goengine.arena.programs import command_of
from goengine.arena.strength.elo import Score
from goengine.zero import run_folder
from tests.arena.programs_support import scripted
from tests.zero.runs import new_run, publish
from training import cli
from training.core.checkpoint import RunError
from training.zero import anchors, rating, zero_run
from training.zero.anchors import Anchor
from training.zero.zero_options import Rate, ZeroOptions

GNUGO = "gnugo --mode gtp --level 10 --chinese-rules"
HERE = shutil.which("gnugo") or shutil.which("/usr/games/gnugo")


@pytest.fixture
def run(tmp_path):
    return new_run(tmp_path / "run")


def command(**settings) -> str:
    """The command line of a scripted program."""
    return shlex.join(scripted(**settings).command)


def stand_in(monkeypatch, wins=lambda number: number % 4 != 0):
    """Games that nobody plays: the net wins those that `wins` says. Returns the players of each match."""
    seen = []

    def play_programs(players, settings):
        seen.append(players)

        def play(fixtures, terms, on_played, should_stop):
            for fixture in fixtures:
                winner = "a" if wins(fixture.number) else "b"
                on_played(GameOutcome(fixture, winner, "resignation", fixture.opening))

        return play

    monkeypatch.setattr(anchors, "play_programs", play_programs)
    return seen


def beat_chance(run, net):
    """As if this net's games against chance had been played."""
    summary = {"names": {"a": net.name, "b": rating.CHANCE}, "score": vars(Score(9, 0, 1)), "complete": True}
    folder = run / "matches" / f"{net.name}-vs-random"
    folder.mkdir(parents=True)
    run_folder.write_json(folder / "summary.json", summary)


def test_names():
    anchor = Anchor(("/usr/games/gnugo", *GNUGO.split()[1:]), 20)
    assert anchor.name == "gnugo --level 10 --chinese-rules" and anchor.folder_name == "gnugo-level-10-chinese-rules"
    long = [Anchor((*scripted(at=n).command,), 2) for n in (1, 2)]
    assert len({anchor.name for anchor in long}) == 2 and all(len(anchor.name) <= 60 for anchor in long)
    assert all(anchor.folder_name.replace("-", "").replace(".", "").isalnum() for anchor in long)
    assert not Anchor(("000001",), 2).name.isdigit()  # as a net is called


def test_a_program_that_is_not_there_is_told(run, tmp_path, capsys):
    assert anchors.find(Rate(run=run)) is None
    with pytest.raises(RunError, match=r"there is no program no-such-go here; install it"):
        anchors.find(Rate(run=run, anchor="no-such-go --mode gtp"))
    with pytest.raises(RunError, match="cannot be read"):
        anchors.find(Rate(run=run, anchor="gnugo 'level"))
    assert cli.main(["rate", "--run", str(run), "--anchor", "no-such-go --mode gtp"]) == 1
    assert "there is no program no-such-go here" in capsys.readouterr().err and not (run / "elo.json").exists()
    config = ZeroOptions(run=tmp_path, steps=2, anchor="no-such-go", workers=0).resolve_defaults()
    assert zero_run._without_missing_anchor(config).anchor == ""  # a long run does not end for it
    assert "the run goes on without it" in capsys.readouterr().err


def test_options(run):
    with pytest.raises(ValueError, match="--anchor-games"):
        Rate(run=run, anchor_games=0)
    with pytest.raises(ValueError, match="--anchor-nth"):
        ZeroOptions(run=run, steps=2, anchor_nth=-1)
    with pytest.raises(ValueError, match="needs rated nets"):
        ZeroOptions(run=run, steps=2, anchor=GNUGO, rate_games=0)
    (member,) = zero_run.members(ZeroOptions(run=run, steps=2, workers=0, anchor=GNUGO, anchor_nth=3).resolve_defaults())
    words = list(member.command)
    told = [words[words.index(name) + 1] for name in ("--anchor", "--anchor-games", "--anchor-nth")]
    assert told == [GNUGO, "20", "3"]


def test_a_match_and_its_place_in_the_curve(run, monkeypatch):
    pytest.importorskip("matplotlib")
    net = run_folder.newest(run)
    beat_chance(run, net)
    seen, said = stand_in(monkeypatch), []
    monkeypatch.setattr("goengine.arena.match.REPEATS", 0)  # games of an opening alone are the same game
    anchor = Anchor((*scripted().command,), 6)
    anchors.play(run, net, anchor, visits=7, say=said.append)
    players = seen[0]
    assert players["b"] == ProgramPlayer(anchor.command)
    words = command_of(players["a"], 3, None)
    assert words[words.index("gtp") + 1 :][:3] == ["--quiet", "--net", str(net.folder / "net.xml")] and "--visits" in words
    assert words[words.index("--visits") + 1] == "7" and "temperature=0.5" in words[words.index("--search") + 1]
    config = json.loads((run / f"matches/000000-vs-{anchor.folder_name}/match.json").read_text())
    assert str(run) not in json.dumps(config) and config["terms"]["komi"] == 3.5  # the folder may move
    elo = json.loads((run / "elo.json").read_text())
    (program,) = elo["programs"]
    assert program["program"] == anchor.name and program["low"] < program["elo"] < program["high"]
    assert program["elo"] < elo["nets"][0]["elo"] and [line["net"] for line in elo["nets"]] == ["000000"]
    assert (run / "elo.png").read_bytes().startswith(b"\x89PNG") and "against" in said[-1]
    assert rating.rated(run) == {"000000"} and rating.last_elo(run) == elo["nets"][0]["elo"]


def test_what_cannot_be_played_is_told(run):
    net, said = run_folder.newest(run), []
    beat_chance(run, net)
    anchor = Anchor((*scripted(start="sys.exit('no licence')").command,), 2)
    broken = net._replace(folder=run / "gone")
    anchors.play(run, broken, anchor, visits=2, say=said.append)
    assert "does not play" in said[-1] and "has no net.xml" in said[-1]
    anchors.play(run, broken, anchor, visits=2, device="torch-cpu", say=said.append)
    assert "could not play" in said[-1] and "did not get ready" in said[-1] and not (run / "elo.json").exists()


def test_which_nets_play_it(run, monkeypatch):
    """Each second rated net while a run goes on; the last one where nothing more comes."""
    played = []
    monkeypatch.setattr(anchors, "play", lambda run, net, anchor, **_: played.append(net.name))
    monkeypatch.setattr(rating, "rate_net", lambda run, net, wanted, **_: beat_chance(run, net))
    zero_run.rate(Rate(run=run, anchor=command()), threading.Event())
    assert played == ["000000"]
    for _ in range(2):
        publish(run)
        zero_run.rate(Rate(run=run, anchor=command(), anchor_nth=2), threading.Event())
    assert played[1:] == ["000001", "000001", "000002"]
    zero_run.rate(Rate(run=run), threading.Event())
    assert len(played) == 4


def test_levels_in_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.svg"
    elo_curve([Curve("nets", (1, 2), (0, 100))], path, xlabel="x", levels=[Level("gnugo --level 10", 50, 10, 90)])
    texts = {"".join(e.itertext()) for e in ElementTree.parse(path).iter() if e.tag.endswith("text")}
    assert {"nets", "gnugo --level 10"} <= texts


def test_a_net_plays_a_program(run):
    """Two real games over GTP on 5x5; the program passes at once."""
    net, said = run_folder.newest(run), []
    beat_chance(run, net)
    anchors.play(run, net, Anchor(scripted(last=0).command, 2), visits=2, say=said.append)
    elo = json.loads((run / "elo.json").read_text())
    assert elo["programs"][0]["games"] == 2 and "won " in said[-1]


@pytest.mark.skipif(HERE is None, reason="GNU Go is not installed (package gnugo)")
def test_gnu_go(run):
    net = run_folder.newest(run)
    beat_chance(run, net)
    command = GNUGO.replace("10", "1").replace("gnugo", HERE)
    anchors.play(run, net, anchors.find(Rate(run=run, anchor=command, anchor_games=2)), visits=2)
    assert json.loads((run / "elo.json").read_text())["programs"][0]["program"] == "gnugo --level 1 --chinese-rules"
