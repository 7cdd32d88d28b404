"""Training a head on a tiny net's trunk, and comparing it with other witnesses of owners."""

import json

import numpy as np
import pytest

from goengine import features
from goengine.board.state import BLACK, WHITE
from goengine.core.array_file import RecordError
from goengine.nets import build, ship, weights_file
from goengine.nets.architecture import parse
from training import cli
from training.core.owner_options import CompareOwnersOptions, OwnersOptions
from training.data.final_owners import FinalOwners
from training.data.sampling import write_owners
from training.data.stream import new_targets
from training.measure import compare_owners
from training.measure.owner_sources import MIXTURES
from training.measure.segments import UNKNOWN, Confusion, point_classes, stone_classes
from training.stages import owners

ROWS = "abcdefghi"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A shipped net with random weights."""
    folder = tmp_path_factory.mktemp("tiny")
    net = build.build(parse("c16:rg", "zero", 18, 14), 3)
    weights_file.save(folder / "trained.safetensors", net, net.spec)
    return ship.ship(folder / "trained.safetensors", folder / "tiny", {"proven": ["value"], "sizes": [9]})


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    """Games with a wall between the sides, at each of several places, from both views."""
    folder = tmp_path_factory.mktemp("labels")
    games = []
    for place in range(2, 7):
        for first, other in (("B", "W"), ("W", "B")):
            moves = "".join(f";{first}[{ROWS[place]}{row}];{other}[{ROWS[place + 1]}{row}]" for row in ROWS)
            margin = (9 * (place + 1) - 9 * (8 - place)) * (1 if first == "B" else -1) - 0.5
            result = f"{'B' if margin > 0 else 'W'}+{abs(margin)}"
            games.append(f"(;GM[1]FF[4]SZ[9]RU[Chinese]KM[0.5]RE[{result}]PL[{first}]{moves})\n")
    (folder / "games.sgf").write_text("".join(games))
    words = ["label", "--games", str(folder / "games.sgf"), "--net", "uniform", "--out", str(folder)]
    assert cli.main(words) == 0
    assert len(FinalOwners.load(folder / "9.npz")) == 10
    return folder


def options(tiny, labels, run, **more):
    values = {
        "net": str(tiny),
        "labels": (labels / "9.npz",),
        "validation": (labels / "9.npz",),
        "head": "b1c8:u8",
        "steps": 200,
    }
    values |= {"batch": 32, "optimizer": "adamw", "rate": 0.01, "average": 0.9, "threads": 1, "half": False}
    return OwnersOptions(run=run, **(values | {"validation_positions": 60} | more))


@pytest.fixture(scope="module")
def head(tiny, labels, tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    assert owners.run(options(tiny, labels, run))
    return run / "net.safetensors"


def test_a_head_learns_to_divide_the_board(head):
    found = weights_file.load(head, weights_file.OWNERS_FORMAT)
    iou = found.meta.data["iou"]
    assert found.meta.data["net"] == "tiny" and found.meta.data["games"] == {"9": 10} and found.meta.step == 200
    assert iou["own_9"] > 0.55 and iou["opponent_9"] > 0.55 and iou["alive_9"] > 0.9
    assert head.stat().st_size < 100_000


def test_a_run_goes_on(tiny, labels, tmp_path):
    assert owners.run(options(tiny, labels, tmp_path, steps=2))
    assert owners.run(options(tiny, labels, tmp_path, steps=4))
    assert weights_file.load(tmp_path / "net.safetensors", weights_file.OWNERS_FORMAT).meta.step == 4


def test_labels_are_for_the_player_to_move(labels):
    part = FinalOwners.load(labels / "9.npz")
    games, out = part.to_games(), new_targets(2, features.get("zero"), 9)
    for row, color in enumerate((BLACK, WHITE)):
        write_owners(games, 3, color, 0, out, row, 9)
    assert np.array_equal(out.owner.reshape(2, -1), [part.owners[3], -part.owners[3]])


def test_sizes_that_no_label_has(tiny, labels, tmp_path):
    words = ["owners", "--net", str(tiny), "--labels", str(labels / "9.npz"), "--run", str(tmp_path / "r"), "--steps", "1"]
    assert cli.main([*words, "--sizes", "13"]) == 1
    with pytest.raises(ValueError, match="--head"):
        options(tiny, labels, tmp_path, head="b1c8:z")


def test_the_comparison(tiny, labels, head, tmp_path, capsys):
    (tmp_path / "INDEX.tsv").write_text("file\tmove\tresult\nwall.sgf\t\tB+0.5\n")
    moves = "".join(f";B[e{row}];W[f{row}]" for row in ROWS)
    (tmp_path / "wall.sgf").write_text(f"(;GM[1]FF[4]SZ[9]RU[Japanese]KM[8.5]RE[B+0.5]{moves})\n")
    case = {"board": ["....bW..."] * 9, "correct_ownership": ["BBBBBWWW*"] * 9}
    (tmp_path / "wall.json").write_text(json.dumps({**case, "board": [row.replace(".", " ") for row in case["board"]]}))
    diagram = "\n".join([". . . . X O . . ."] * 9)
    (tmp_path / "walls.txt").write_text(f"== a wall\nbecause it is one\n{diagram}\ndead -\nseki -\njapanese B+9\n")
    folder, sgf = str(tmp_path), str(tmp_path / "wall.sgf")
    words = ["compare-owners", "--net", str(tiny), "--head", str(head), "--games", sgf, "--gnugo", folder, "--playouts", "40"]
    words += ["--scoring", folder, "--diagrams", folder, "--labels", str(labels / "9.npz"), "--positions", "4"]
    assert cli.main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert all(set(found) == set(MIXTURES) for found in told["counts"].values()) and len(told["counts"]) == 4
    assert told["counts"]["counted games"]["playouts"] | {"mean_error": 0} == {
        "games": 1, "exact": 1, "within_one": 1, "wrong_winner": 0, "mean_error": 0
    }  # fmt: skip
    assert told["counts"]["agreed positions"]["playouts"] == {"positions": 1, "all_points": 1, "points": 1.0}
    assert told["counts"]["diagrams"]["playouts"] == {"diagrams": 1, "right": 1}
    assert told["iou"]["9"]["playouts"]["own"] > 0.9 and told["iou"]["9"]["head"]["own"] > 0.6
    assert cli.main(words) == 0
    assert "playouts and head" in capsys.readouterr().out


def test_a_head_of_another_net_is_refused(tiny, head, tmp_path, capsys):
    net = build.build(parse("c16:rg", "zero", 18, 14), 4)
    weights_file.save(tmp_path / "trained.safetensors", net, net.spec)
    other = ship.ship(tmp_path / "trained.safetensors", tmp_path / "other", {"sizes": [9]})
    assert cli.main(["compare-owners", "--net", str(other), "--head", str(head), "--diagrams", str(tmp_path)]) == 1
    assert "was trained on the net tiny, not on other" in capsys.readouterr().err


def test_files_that_are_not_what_they_should_be(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(RecordError, match=r"a.json: not a final position"):
        list(compare_owners.agreed_positions(tmp_path))
    (tmp_path / "a.txt").write_text("== odd\n. X\n. .\ndead J9\nseki -\n")
    with pytest.raises(RecordError, match="case 'odd'"):
        list(compare_owners.diagrams(tmp_path))
    with pytest.raises(RecordError, match=r"INDEX.tsv"):
        list(compare_owners.regression_games(tmp_path))
    (tmp_path / "INDEX.tsv").write_text("file\tmove\tresult\nnone.sgf\t\tX+2\n")
    with pytest.raises(RecordError, match="line 2"):
        list(compare_owners.regression_games(tmp_path))
    with pytest.raises(ValueError, match="nothing to compare on"):
        CompareOwnersOptions()


def test_classes_and_what_is_rightly_in_them():
    owner = np.array([2, 1, -1, 0, -2, 1, -1], np.int8)
    own = np.array([1, 1, 1, 1, 0, 0, 0], bool)
    other = np.array([0, 0, 0, 0, 1, 1, 0], bool)
    assert point_classes(owner).tolist() == [0, 0, 1, 2, 1, 0, 1]
    assert stone_classes(owner, own, other).tolist() == [2, 0, 1, UNKNOWN, 2, 1, UNKNOWN]
    counts = Confusion(("a", "b", "c"))
    counts.add(np.array([0, 0, 1, UNKNOWN]), np.array([0, 1, 1, 0]))
    assert counts.iou()["a"] == 0.5 and counts.iou()["b"] == 0.5 and np.isnan(counts.iou()["c"])
