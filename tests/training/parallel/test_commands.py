"""`training supervised` with a net in parts, as torchrun starts it; and what it says where that cannot be."""

import os

import pytest

from goengine.zero import run_folder
from tests.training.core.test_parallel import arguments, ended, pack, processes, same  # noqa: F401 (a fixture)
from tests.zero.random_games import random_shard
from training import cli
from training.core.checkpoint import load_state
from training.zero.publishing import begin
from training.zero.zero_options import ZeroOptions


@pytest.mark.slow
def test_a_pipeline_of_two_processes_is_one_run(pack, tmp_path):  # noqa: F811
    """The files are those of one process, which goes on with them."""
    run = tmp_path / "two"
    argv = arguments(pack, run, net="b3c16", steps=4, parallel="pipeline", microbatches=4)
    leader, follower = ended(processes(argv))
    assert leader[0] == follower[0] == 0, leader[1] + follower[1]
    assert "complete" in leader[1] and "complete" not in follower[1]
    assert cli.main(arguments(pack, tmp_path / "one", net="b3c16", steps=4, accumulate=4)) == 0
    same(tmp_path / "one", run, rtol=1e-4, atol=1e-5)
    assert cli.main(arguments(pack, run, net="b3c16", steps=6, accumulate=4)) == 0
    assert load_state(run / "state.safetensors")[1].step == 6


@pytest.mark.parametrize(
    ("world", "options", "said"),
    [
        (1, {"parallel": "pipeline"}, "--parallel pipeline needs several processes: start the command with torchrun"),
        (3, {"parallel": "pipeline", "stages": 2}, "3 processes cannot be divided into nets that 2 processes share each"),
        (3, {"parallel": "tensor", "stages": 2}, "3 processes cannot be divided into nets that 2 processes share each"),
    ],
)
def test_processes_that_cannot_share_a_net(pack, tmp_path, monkeypatch, capsys, world, options, said):  # noqa: F811
    monkeypatch.setenv("WORLD_SIZE", str(world))
    assert cli.main(arguments(pack, tmp_path / "run", **options)) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"accumulate": 3}, "--batch 16 cannot be cut into 3 equal parts"),
        ({"parallel": "pipeline", "microbatches": 5}, "--batch 16 cannot be cut into 5 equal parts"),
        ({"stages": 2}, "--stages 2 is of --parallel pipeline or tensor"),
    ],
)
def test_options_that_contradict_each_other(pack, tmp_path, capsys, options, said):  # noqa: F811
    with pytest.raises(SystemExit) as ends:
        cli.main(arguments(pack, tmp_path / "run", **options))
    assert ends.value.code == 2 and said in capsys.readouterr().err


def test_a_command_that_does_not_split_says_so(pack, tmp_path, monkeypatch, capsys):  # noqa: F811
    net = tmp_path / "first"
    assert cli.main(arguments(pack, net, steps=1)) == 0
    argv = ["distill", *arguments(pack, tmp_path / "run", parallel="shard")[1:], "--teacher", str(net / "net.safetensors")]
    assert cli.main(argv) == 1
    assert "--parallel shard: this command learns in one process, or in several by data" in capsys.readouterr().err


@pytest.mark.slow
def test_a_zero_run_learns_in_a_pipeline(tmp_path):
    """The first process draws for all; the last part of the net computes the loss; files are those of one process."""
    for name, count in (("one", 1), ("two", 2)):
        run = tmp_path / name
        begin(ZeroOptions(run=run, size="5", net="b2c16", steps=6))
        for number in range(3):
            path = run_folder.next_shard_path(run, "test")
            random_shard(5, range(5 * number, 5 * number + 5)).save(path)
            os.utime(path, (1000 + number, 1000 + number))
        words = "--size 5 --net b2c16 --workers 0 --rate-games 0 --steps 6 --batch 16 --window 100 --first-rows 20 --uses 100"
        words += " --optimizer sgd --no-half --device cpu --log-every 2 --threads 1 "
        words += "--parallel pipeline --microbatches 4" if count == 2 else "--accumulate 4"
        found = ended(processes(["zero", "--run", str(run), *words.split()], count))
        assert [status for status, _ in found] == [0] * count, found
        assert run_folder.newest(run).step == 6
    same(tmp_path / "one" / "learner", tmp_path / "two" / "learner", rtol=1e-4, atol=1e-5)
