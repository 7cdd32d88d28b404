"""The ablation of the first AlphaGo: who meets whom, the table and the picture; results are made up, no game is played."""

import importlib.util
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest

from goengine.arena.players import NetPlayer
from goengine.arena.tournament import run_tournament
from goengine.arena.tournament_command import read_options
from tests.arena.test_tournament import play_for

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
spec = importlib.util.spec_from_file_location("lee_ablation", BENCHMARKS / "lee_ablation.py")
lee_ablation = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lee_ablation)


@pytest.fixture(autouse=True)
def needs_gnugo():
    if shutil.which("gnugo") is None:
        pytest.skip("GNU Go is not there")


@pytest.mark.parametrize(("size", "seconds"), [(9, 0.1), (19, 0.2)])
def test_every_variant_meets_the_full_player(size, seconds):
    tournament = read_options(["--file", str(BENCHMARKS / f"lee-ablation-{size}x{size}.toml")]).tournament()
    assert {*lee_ablation.PAPER, "Zero b8c96-rl"} == set(tournament.players)
    assert len(tournament.pairings()) == 8 and all(lee_ablation.FULL in pairing for pairing in tournament.pairings())
    match = tournament.match(tournament.pairings()[0])
    assert (match.games, match.terms.size, match.parallel, match.programs.stop_when_decided) == (20, size, 2, True)
    limits = {name: p.seconds for name, p in tournament.players.items() if isinstance(p, NetPlayer) and p.visits is None}
    assert set(limits.values()) == {seconds} and set(tournament.players) - set(limits) == {"policy", lee_ablation.GNUGO}
    for name, player in tournament.players.items():  # what is left out has no net, and no rollouts
        if isinstance(player, NetPlayer) and not name.startswith("Zero"):
            policy, value = ("lee", "lee") if player.net == "lee" else player.net.split("+")
            there = {"policy": policy, "value": value, "rollouts": player.params.rollout_weight}
            assert {part for part, one in there.items() if one} == set(name.split("+"))


def test_one_command_makes_the_table_and_the_picture(tmp_path, monkeypatch, capsys):
    """On 9x9 those win whose names go before the full player's, on 19x19 the others; GNU Go has the paper's rating on both."""
    pytest.importorskip("matplotlib")

    def play(tournament, folder):
        nine = tournament.match(tournament.pairings()[0]).terms.size == 9
        return run_tournament(tournament, folder, play=play_for("a" if nine else "b"))

    monkeypatch.setattr(lee_ablation, "play", play)
    monkeypatch.setattr(lee_ablation, "read_options", lambda words: read_options([*words, "--openings", "random"]))
    words = ["--games", "4", "--folder", str(tmp_path / "run"), "--picture", str(tmp_path / "p.svg"), "--keep", str(tmp_path)]
    assert lee_ablation.main(words) == 0
    shown = capsys.readouterr().out
    assert shown == (tmp_path / "run" / "lee-ablation.md").read_text()
    lines = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in shown.splitlines()]
    assert {len(line) for line in lines} == {10} and len(lines) == 2 + 9
    table = {tuple(line[:3]): line[3:] for line in lines[2:]}
    points = {parts: (row[0], row[3]) for parts, row in table.items()}
    assert points["no", "yes", "yes"] == points["no", "yes", "no"] == ("0 of 4", "4 of 4")
    assert points["yes", "no", "no"] == points["no", "no", "yes, no search"] == ("4 of 4", "0 of 4")
    assert points["yes", "yes", "yes"] == ("", "") and table["yes", "yes", "yes"][-1] == "2890"
    assert table[lee_ablation.GNUGO, "", ""][1::3] == ["431", "431"] and table["Zero b8c96-rl", "", ""][-1] == ""
    for place in (1, 4):  # who won has the higher rating, and its interval is around it
        full = int(table["yes", "yes", "yes"][place])
        for row in list(table.values())[1:]:
            low, high = map(int, row[place + 1].split(" to "))
            assert low < int(row[place]) < high and (int(row[place]) > full) == (row[place - 1] == "4 of 4")
    texts = {"".join(element.itertext()) for element in ElementTree.parse(tmp_path / "p.svg").iter()}
    assert {"ours, 9x9", "ours, 19x19", "AlphaGo, 19x19", "2,890  rollouts+value+policy"} <= texts
    assert {path.name for path in (tmp_path / "lee-ablation-19x19").iterdir()} == {"games.sgfs.xz", "tournament.json"}
