"""How a run divides its machine."""

import pytest

from training.core.checkpoint import RunError
from training.zero import division
from training.zero.division import Division, Machine, divide, words, worker_device

BARE, GPU, FULL = Machine(16, 1, False), Machine(16, 1, True), Machine(2, 0, True)


@pytest.mark.parametrize(
    "machine, asked, workers, games, samples, others",
    [  # others: export, int8, rate_games
        (FULL, {"device": "cpu"}, 2, 128, 1, (True, True, 40)),
        (FULL, {"device": "torch-cpu"}, 1, 128, 1, (False, False, 0)),
        (BARE, {"device": "cuda"}, 12, 512, 3, (False, False, 0)),
        (GPU, {"device": "cuda"}, 12, 512, 3, (False, False, 0)),
        (GPU, {"device": "cuda:1", "workers": 8}, 8, 512, 7, (False, False, 0)),
        (GPU, {"device": "cuda", "sample_threads": 1, "games": 64}, 14, 64, 1, (False, False, 0)),
        (GPU, {"device": "cuda", "workers": 0}, 0, 512, 15, (True, True, 40)),  # others play, maybe on CPUs
        (GPU, {"device": "cuda", "export": True, "int8": False, "rate_games": 8}, 12, 512, 3, (True, False, 8)),
        (BARE, {"device": "cpu", "workers": 0}, 0, 128, 1, (False, False, 0)),
        (Machine(1, 1, False), {"device": "cuda"}, 1, 512, 1, (False, False, 0)),
        (Machine(4, 1, False), {"device": "cuda"}, 2, 512, 1, (False, False, 0)),
        (Machine(64, 4, False), {"device": "cuda"}, 51, 512, 12, (False, False, 0)),
    ],
)
def test_the_rule(machine, asked, workers, games, samples, others):
    found = divide(Division(**asked), machine)
    assert (found.workers, found.games, found.sample_threads) == (workers, games, samples)
    assert (found.export, found.int8, found.rate_games) == others
    assert divide(found, machine) == found  # what is decided stays


def test_the_device_that_is_not_named(monkeypatch):
    monkeypatch.setattr(division, "automatic_device", lambda: "cpu")
    assert divide(Division(), FULL).device == "cpu" and divide(Division(), BARE).device == "torch-cpu"
    monkeypatch.setattr(division, "automatic_device", lambda: "cuda")
    assert divide(Division(), GPU).device == "cuda"


@pytest.mark.parametrize(
    "machine, asked, said",
    [
        (BARE, {"device": "cpu"}, "--device cpu plays on OpenVINO.*pip install openvino, or --device torch-cpu"),
        (BARE, {"device": "cuda", "export": True}, "--export .*pip install openvino"),
        (FULL, {"device": "cpu", "export": False}, "--no-export leaves the workers on cpu nothing to play"),
        (GPU, {"device": "cuda", "int8": True}, "--int8 is a form for OpenVINO"),
    ],
)
def test_what_a_machine_has_not(machine, asked, said):
    with pytest.raises(RunError, match=said):
        divide(Division(**asked), machine)


def test_it_is_told_in_words():
    assert words(divide(Division(device="cuda"), BARE), BARE, 1) == (
        "16 cores, 1 GPU: 12 workers of 512 games on cuda, 3 for the learner's samples, 1 for the learner; "
        "nets for torch alone; ratings off"
    )
    assert words(divide(Division(device="cpu"), FULL), FULL, 1) == (
        "2 cores: 2 workers of 128 games on cpu (OpenVINO), 1 for the learner's samples, 1 for the learner; "
        "nets for torch and OpenVINO, in int8; ratings of 40 games"
    )
    assert "no workers, " in words(divide(Division(device="torch-cpu", workers=0), FULL), FULL, None)


def test_workers_take_the_gpus_in_turn():
    assert [worker_device("cuda", number, 2) for number in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert worker_device("cuda", 1, 1) == "cuda" and worker_device("cuda:1", 0, 2) == "cuda:1"
    assert worker_device("torch-cpu", 1, 2) == "torch-cpu"
