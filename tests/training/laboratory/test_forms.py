"""The table of number formats: every form is made and compared, and what cannot be had says why."""

import json

import pytest

from goengine import features
from goengine.evaluators.base import EvaluatorError
from goengine.nets import quantize, weights_file
from goengine.nets.architecture import parse
from tests.nets.helpers import lively
from training import cli
from training.laboratory import number_formats

pytestmark = pytest.mark.usefixtures("one_thread")
ZERO = features.get("zero")


@pytest.fixture
def stored(small_pack, tmp_path):
    small_pack.save(tmp_path / "small.npz")
    spec = parse("c16:r8g", ZERO.name, ZERO.planes, ZERO.globals)
    weights_file.save(tmp_path / "net.safetensors", lively(spec), spec)
    return tmp_path


def arguments(stored, *more):
    settings = {
        "--weights": stored / "net.safetensors", "--out": stored / "forms", "--games": stored / "small.npz",
        "--calibration-games": stored / "small.npz", "--positions": 40, "--calibration": 32, "--batch": 2, "--rounds": 1,
        "--seconds": 0.01,
    }  # fmt: skip
    return ["forms", *(str(part) for pair in settings.items() for part in pair), *more]


@pytest.mark.slow
def test_all_forms_and_their_matches(stored, capsys):
    assert cli.main(arguments(stored, "--json", "--match-games", "2", "--match-visits", "2")) == 0
    forms = {form["name"]: form for form in json.loads(capsys.readouterr().out)}
    assert list(forms) == ["f64", "f32", "bf16", "f16", "int8", "int8-weights", "int4-weights"]  # none trained with roundings
    told = {name: form["told"] for name, form in forms.items()}
    assert told["f32"]["same_move"] == 1 and told["f32"]["win_rate_off_most"] == 0
    assert told["f64"]["same_move"] > 0.9 and told["f64"]["win_rate_off_most"] < 1e-3
    assert 0 < told["int8-weights"]["win_rate_off"] < told["int4-weights"]["win_rate_off"]
    assert all(found["evaluations_per_second"] > 0 for found in told.values())
    sizes = [forms[name]["size"] for name in ("f64", "f32", "f16", "int8-weights", "int4-weights")]
    assert sizes[1] > sizes[2] > sizes[3] > sizes[4]
    assert "Elo" in told["int8"]["elo"] and "elo" not in told["f64"]


def test_forms_are_compared_with_f32(stored, capsys):
    assert cli.main(arguments(stored, "--forms", "f32", "int8", "int4-weights")) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert [line[0] for line in lines] == ["f32", "int8", "int4-weights"]
    assert lines[0][3:5] == ["1.00", "100.0%"] and float(lines[0][1]) > float(lines[2][1]) > 0
    assert float(lines[2][5].rstrip("%")) > 0  # 4 bits move a value


def test_what_cannot_be_had_says_why(stored, capsys, monkeypatch):
    """An OpenVINO that refuses a graph, as it does where a plugin lacks 4 bits."""
    plain = number_formats.load

    def refusing(path, **settings):
        if "int4" in str(path):
            raise EvaluatorError(f"{path}: OpenVINO cannot load the net (no 4 bits)")
        return plain(path, **settings)

    monkeypatch.setattr(number_formats, "load", refusing)
    assert cli.main(arguments(stored, "--forms", "f32", "int4-weights")) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[3].split()[2:4] == ["-", "-"]
    assert "int4-weights: cannot be played here" in said.err and "no 4 bits" in said.err


def test_rounded_weights_are_another_file(stored, capsys):
    net, meta = weights_file.load_module(stored / "net.safetensors")
    prepared = quantize.prepare(net)
    data = {quantize.KEY: {"steps": quantize.steps(prepared)}, "quantized_from": "other"}
    arrays = quantize.unfolded(weights_file.arrays_of(prepared), net.spec)
    weights_file.save(stored / "rounded.safetensors", arrays, meta.spec, data=data)
    assert cli.main(arguments(stored, "--weights", str(stored / "rounded.safetensors"))) == 1
    assert "rounds already" in capsys.readouterr().err
    assert cli.main(arguments(stored, "--int8", str(stored / "rounded.safetensors"), "--forms", "f32", "int8-trained")) == 1
    assert "was not made from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--forms", "bf16"], "f32 is what the others"),
        (["--forms", "f32", "int3"], "int3"),
        (["--match-games", "3"], "--match-games 3: an even"),
        (["--games", "x.sgf"], "--games x.sgf: not a pack"),
    ],
)
def test_wrong_options(stored, more, said, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments(stored, *more))
    assert stop.value.code == 2 and said in capsys.readouterr().err
