"""The commands doctor, bench and nets: what they print, where, and their exit status."""

import contextlib
import json

import numba
import pytest

from goengine.commands import bench, doctor, nets, warmup
from goengine.core import compiling, machine
from goengine.core.figures import Figure
from goengine.core.tables import short, table
from goengine.evaluators import shipped_nets
from goengine.patterns import shipped_policies as policies
from goengine.terminal import play
from goengine.terminal.game import TerminalGame


def _examined(*checks):
    return [finding for check in checks for finding in doctor.examine(check)]


def test_doctor_finds_what_the_tests_need():
    found = _examined(doctor.python_and_packages, doctor.openvino, doctor.terminal)
    assert not [finding for finding in found if finding.state == "wrong"]
    assert {"python", "numpy", "numba", "openvino", "machine", "terminal"} <= {finding.part for finding in found}


def test_a_check_that_fails_is_a_finding():
    def broken_thing():
        raise OSError("no such luck")
        yield

    (finding,) = _examined(broken_thing)
    assert (finding.part, finding.state) == ("broken thing", "wrong")
    assert "no such luck" in finding.says


def test_doctor_names_a_missing_package_and_its_cure(monkeypatch):
    monkeypatch.setattr(machine, "installed", lambda name: "" if name == "rich" else "1")
    found = {finding.part: finding for finding in _examined(doctor.python_and_packages)}
    assert (found["rich"].state, found["rich"].fix) == ("wrong", "pip install rich")


def test_doctor_names_a_damaged_net(monkeypatch, tmp_path):
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "card.json").write_text("{}")
    monkeypatch.setattr(shipped_nets, "names", lambda: ("broken",))
    monkeypatch.setattr(shipped_nets, "problems", lambda name: ["broken/card.json: not the card"])
    monkeypatch.setattr(shipped_nets, "default", lambda size=None: "broken")
    states = [finding.state for finding in _examined(doctor.shipped_nets)]
    assert states == ["wrong", "wrong"]


def test_doctor_names_a_damaged_policy(monkeypatch, tmp_path):
    (tmp_path / "rollout").mkdir()
    (tmp_path / "rollout" / "policy.json").write_text("{}")
    monkeypatch.setattr(policies, "FOLDER", tmp_path)
    (finding,) = _examined(doctor.shipped_policies)
    assert finding.state == "wrong" and "policy.json: it is not of the format" in finding.says


def test_doctor_exits_with_1_where_something_is_wrong(monkeypatch, capsys):
    def fine():
        yield doctor.Finding("one", "ok", "works")

    def failing():
        yield doctor.Finding("two", "wrong", "fails", "fix it so")

    monkeypatch.setattr(doctor, "CHECKS", (fine,))
    assert doctor.main([]) == 0
    monkeypatch.setattr(doctor, "CHECKS", (fine, failing))
    assert doctor.main([]) == 1
    assert "-> fix it so" in capsys.readouterr().out
    assert doctor.main(["--json"]) == 1
    assert json.loads(capsys.readouterr().out)[1] == {"part": "two", "state": "wrong", "says": "fails", "fix": "fix it so"}


def test_bench_without_a_net(monkeypatch, capsys):
    monkeypatch.setattr(bench, "_evaluators", lambda options, size: ())
    assert bench.main(["--json", "--seconds", "0.03", "--sizes", "5", "--no-training", "--no-selfplay"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["machine"]["cores"] >= 1
    assert [figure["size"] for figure in data["figures"]] == [5] * 11
    assert sum("review of a game" in figure["part"] for figure in data["figures"]) == 2
    assert all(figure["value"] > 0 for figure in data["figures"])


def test_bench_has_the_figures_of_training(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # threads that wait for each other make it slow where something else runs
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # on a GPU torch would compile the net for a minute
    small = ["--net", "b2c16", "--batch", "16", "--workers", "2", "--no-half"]
    found = list(bench.figures_of("training", ["--sizes", "2", "3", "--seconds", "0.03", *small]))
    assert {figure.size for figure in found} == {2, 3} and all(figure.value > 0 for figure in found)
    assert {"samples, 1 thread", "samples, 2 threads", "packs read, checked", "fed over fixed"} <= {
        figure.part for figure in found
    }


def test_bench_has_the_figures_of_self_play():
    found = list(bench.figures_of("selfplay", ["--sizes", "3", "--seconds", "1", "--net", "uniform", "--games", "4"]))
    assert {figure.unit for figure in found} == {"evaluations/s", "moves/s", "games/min", "% of the time in the net"}
    assert all(figure.size == 3 and figure.value > 0 for figure in found)


def test_bench_leaves_training_out_where_it_fails(capsys):
    assert list(bench.figures_of("training", ["--sizes"])) == []  # no size is nothing to train on
    assert "training left out: python -m training bench: error: --sizes takes" in capsys.readouterr().err


def test_bench_prints_a_table(monkeypatch, capsys):
    figures = [Figure("random playouts", 9, 132456.7, "1/s"), Figure("random playouts", 19, 28.94, "1/s")]
    monkeypatch.setattr(bench, "measure", lambda options: iter(figures))
    assert bench.main([]) == 0
    out = capsys.readouterr().out
    assert "random playouts  132,000   28.9  1/s" in out
    assert "Python" in out


@pytest.mark.parametrize("words", [["--seconds", "0"], ["--sizes", "26"], ["--what"]])
def test_bench_refuses_bad_options(words, capsys):
    with pytest.raises(SystemExit) as caught:
        bench.main(words)
    assert caught.value.code == 2
    assert "goengine bench" in capsys.readouterr().err


def test_nets_of_an_empty_copy(monkeypatch, capsys):
    monkeypatch.setattr(shipped_nets, "names", lambda: ())
    assert nets.main([]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "--net uniform" in err


def test_nets_names_one_that_is_not_there(capsys):
    assert nets.main(["no-such-net"]) == 1
    assert "no-such-net" in capsys.readouterr().err


def test_nets_lists_every_shipped_net(capsys):
    assert nets.main(["--json", "--verify"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [net["name"] for net in listed["nets"]] == list(shipped_nets.names())
    assert listed["wrong"] == {}


def test_tables():
    assert table([("a", 1), ("bcd", 22)], header=("x", "n")) == "x     n\n---  --\na     1\nbcd  22\n"
    assert table([]) == ""
    assert [short(value) for value in (0, 0.01234, 4.561, 123.4, 28912, 1234567)] == [
        "0",
        "0.0123",
        "4.56",
        "123",
        "28,900",
        "1,230,000",
    ]


def test_nets_fit_a_terminal_of_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in ([], [shipped_nets.names()[0]]):
        assert nets.main(arguments) == 0
        lines = capsys.readouterr().out.replace(str(shipped_nets.user_folder()), "").splitlines()
        assert len(lines) > 3 and max(map(len, lines)) <= 80


def test_compiling_kernels_are_named():
    def twice(x):
        return 2 * x

    twice.__module__ = "goengine.made_up"
    made, seen = numba.njit(twice), []
    with warmup.watching(seen.append):
        assert (made(2), made(3)) == (4, 6)
        assert numba.njit(lambda x: x + 1)(1) == 2  # none of ours
    assert made(2.5) == 5.0 and seen == ["twice"]


def test_play_says_once_that_it_compiles(monkeypatch, capsys):
    def start(options):
        begins("play")
        begins("merge")
        raise ValueError("no game today")

    @contextlib.contextmanager
    def watching(told):
        nonlocal begins
        begins = told
        yield

    begins = None
    monkeypatch.setattr(compiling, "watching", watching)
    monkeypatch.setattr(TerminalGame, "start", start)
    assert play.main([]) == 2
    assert capsys.readouterr().err.count("Compiling the kernels") == 1
