"""The table of lessons: each way is trained on the same positions from the same weights, and none is trained twice."""

import pytest

from goengine import features
from goengine.nets import weights_file
from goengine.nets.architecture import parse
from tests.nets.helpers import lively
from training import cli

pytestmark = pytest.mark.usefixtures("one_thread")
ZERO = features.get("zero")


@pytest.fixture
def stored(small_pack, tmp_path):
    small_pack.save(tmp_path / "small.npz")
    spec = parse("b2c16", ZERO.name, ZERO.planes, ZERO.globals)
    weights_file.save(tmp_path / "teacher.safetensors", lively(spec), spec)
    return tmp_path


def arguments(stored, *more):
    settings = {
        "--teacher": stored / "teacher.safetensors", "--net": "c16:r", "--data": stored / "small.npz",
        "--validation": stored / "small.npz", "--validation-positions": 64, "--run": stored / "run", "--batch": 16,
        "--threads": 1, "--steps": 2,
    }  # fmt: skip
    return ["lessons", *(str(part) for pair in settings.items() for part in pair), *more]


def test_the_table(stored, capsys):
    asked = arguments(stored, "--lessons", "alone", "taught", "views-hints")
    assert cli.main(asked) == 0
    first = capsys.readouterr().out
    lines = first.splitlines()
    assert [line.split("  ")[0] for line in lines[2:]] == [
        "alone, without a teacher",
        "taught, softened policy at temperature 4",
        "taught by the mean of eight views, with hints",
    ]
    assert all(" 32 " in line for line in lines[2:])
    weights = [
        weights_file.load(stored / "run" / name / "net.safetensors").arrays for name in ("alone", "taught", "views-hints")
    ]
    name = "trunk.blocks.0.first.conv.weight"
    assert len({arrays[name].tobytes() for arrays in weights}) == 3
    cards = {name: weights_file.load(stored / "run" / name / "net.safetensors").meta for name in ("alone", "views-hints")}
    assert "teacher" not in cards["alone"].data and "teacher" in cards["views-hints"].data
    assert (cards["views-hints"].config["teacher_views"], cards["views-hints"].config["hint_weight"]) == (8, 1.0)
    assert cli.main(asked) == 0 and capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--lessons", "alone", "alone"], "each once"),
        (["--lessons", "loudly"], "loudly"),
        (["--budget", "5m"], "--steps says"),
        (["--teacher-views", "9"], "from 1 to 8"),
    ],
)
def test_wrong_options(stored, more, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments(stored, *more))
    assert stop.value.code == 2 and said in capsys.readouterr().err
