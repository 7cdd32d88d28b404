"""Workers and a server, as threads: what counts, what is dropped, and that nothing is learned twice or in another way."""

import dataclasses
import json
import threading

import numpy as np
import pytest

from tests.processes import wait_for
from tests.training.parallel.harness import Together, fates, gradient, options
from training import cli
from training.core.checkpoint import RunError, load_state
from training.core.command_options import SupervisedOptions
from training.core.worker_options import of_a_worker
from training.parallel import server as server_module
from training.parallel import staleness
from training.parallel.cluster import step_rule
from training.parallel.fingerprint import fingerprint
from training.parallel.flat import FlatModule
from training.parallel.server import ParameterServer
from training.parallel.staleness import Ledger, StalenessRule
from training.parallel.stragglers import Straggler
from training.stages import supervised

pytestmark = pytest.mark.usefixtures("one_thread")


def weights_of(run):
    return load_state(run / "state.safetensors")[0]


def log(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


# ------------------------------------------------------------------- what is learned


def test_one_worker_gives_the_weights_of_a_process_alone(tmp_path):
    alone = options(tmp_path, "alone", parallel="data")
    assert supervised.supervised(alone)
    together = Together(options(tmp_path, "pushed"))
    together.worker("w")
    assert together.ended() is True
    ours, theirs = weights_of(tmp_path / "pushed"), weights_of(tmp_path / "alone")
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    assert json.loads((tmp_path / "pushed" / staleness.FILE).read_text())["staleness"] == {"0": 6}
    last, other = (log(tmp_path / name)[-1]["validation"] for name in ("pushed", "alone"))
    assert last == other


@pytest.mark.parametrize("parallel, size", [("async", 5), ("backup", 5), ("async", 19)])
def test_three_workers_and_the_run_goes_on_where_it_stopped(tmp_path, parallel, size):
    config = options(tmp_path, parallel=parallel, gradient_workers=3, steps=12, size=size)
    together = Together(config)
    for name in "abc":
        together.worker(name)
    wait_for(lambda: together.server.status()["step"] >= 4)
    together.server.stop()
    assert together.ended() is False
    step = load_state(config.run / "state.safetensors")[1].step
    assert 4 <= step <= 12
    again = Together(config)
    assert again.server.status()["step"] == step and sum(Ledger.load(config.run).workers.values()) >= step
    for name in "abc":
        again.worker(name)
    assert again.ended() is True
    counters = load_state(config.run / "state.safetensors")[1]
    assert (counters.step, counters.samples) == (12, 12 * 16)
    assert np.isfinite(log(config.run)[-1]["validation"]["top1"])
    counts = Ledger.load(config.run)
    assert sum(counts.workers.values()) == 12 * config.counted


def test_no_two_workers_learn_from_the_same_samples(tmp_path, monkeypatch):
    seen = []
    lease = ParameterServer.lease

    def watched(self, name, batches):
        first = lease(self, name, batches)
        seen.append(range(first, first + batches * self.rule.batch))
        return first

    monkeypatch.setattr(ParameterServer, "lease", watched)
    together = Together(options(tmp_path, parallel="backup", gradient_workers=3, spare=1))
    for name in "abc":
        together.worker(name)
    assert together.ended()
    samples = [number for each in seen for number in each]
    assert together.server.rule.batch == 8 and len(samples) == len(set(samples)) and set(samples) == set(range(len(samples)))


def test_a_step_takes_the_first_gradients_and_their_mean(tmp_path):
    """Two of three: the third comes late and is dropped."""
    server = ParameterServer(
        supervised.setup(config := options(tmp_path, parallel="backup", gradient_workers=3, optimizer="sgd")), step_rule(config)
    )
    run = threading.Thread(target=server.run)
    run.start()
    own = fingerprint(supervised.setup(config))
    first = {name: (server.join(name, own), server.pull(name))[1] for name in "abc"}
    pushes = [
        threading.Thread(target=server.push, args=(name, gradient(server, first[name], value)))
        for name, value in (("a", 0.01), ("b", 0.02))
    ]
    before = server._flat.read()
    pushes[0].start()
    wait_for(lambda: len(server._queue) == 1)
    assert server.status()["step"] == 0  # one is not enough
    pushes[1].start()
    wait_for(lambda: server.pull("a").step == 1)
    moved = server.pull("a").values - before
    assert server.push("c", gradient(server, first["c"], 1.0)).step == 1
    assert fates(server) == {"used": 2, "late": 1}
    server.stop()
    run.join(60)
    biases = [p for p in server._flat.parameters if p.ndim < 2]
    assert biases and np.any(moved) and np.isfinite(moved).all()
    # SGD with Nesterov momentum moves a bias by rate (1 + momentum) g, and here every mean gradient is 0.015
    rate = server.trainer.optimizer.param_groups[1]["lr"]
    last = moved[: server._flat.weights][-1]
    assert last == pytest.approx(-rate * 1.9 * 0.015, rel=1e-2)


# ------------------------------------------------------------------- staleness


def test_the_rule():
    assert [StalenessRule().weight(age) for age in (0, 5, 100)] == [1, 1, 1]
    assert [StalenessRule(2, damp=True).weight(age) for age in (0, 2, 3, 5)] == [1, 1, 1 / 2, 1 / 4]
    assert [StalenessRule(2, damp=False).weight(age) for age in (2, 3)] == [1, 0]
    assert StalenessRule(0, damp=False).weight(0) == 1


@pytest.mark.parametrize("stale, fate, other", [("drop", "stale", "damped"), ("damp", "damped", "stale")])
def test_old_gradients_are_dropped_or_damped(tmp_path, stale, fate, other):
    config = options(tmp_path, max_staleness=1, stale=stale)
    together = Together(config)
    server = together.server
    assert server.join("slow", fingerprint(supervised.setup(config))) == ""
    old = server.pull("slow")
    together.worker("quick", Straggler(stops_at=3, stops_for=60))
    wait_for(lambda: server.status()["step"] == 3)
    server.push("slow", gradient(server, old))
    assert server.status()["step"] == (3 if stale == "drop" else 4)
    together.worker("quick too")
    together.worker("and another")
    assert server.ledger.ages[3] >= 1
    server.ledger.ages.clear()
    wait_for(lambda: server.status()["step"] == 6)
    server.stop()
    counts = fates(server)
    assert counts[fate] >= 1 and other not in counts  # three workers may make others too old, as well


def test_a_record_is_read_back_and_a_broken_one_is_named(tmp_path):
    ledger = Ledger()
    for worker, fate, age in (("a", staleness.USED, 0), ("b", staleness.DAMPED, 3), ("b", staleness.NOT_FINITE, None)):
        ledger.note(worker, fate, age)
    ledger.save(tmp_path)
    again = Ledger.load(tmp_path)
    assert (again.fates, again.ages, again.workers) == (ledger.fates, ledger.ages, ledger.workers) and again.mean_age == 1.5
    for text in ("{", "[]", '{"format": "other"}', '{"format": "goengine-staleness-1", "fates": {"used": "x"}}', "3"):
        (tmp_path / staleness.FILE).write_text(text)
        with pytest.raises(RunError, match=r"staleness\.json is no record of gradients"):
            Ledger.load(tmp_path)


# ------------------------------------------------------------------- bad input


@pytest.mark.parametrize("part", ["values", "statistics", "loss"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradients_that_are_not_numbers_do_no_harm(tmp_path, part, bad):
    config = options(tmp_path)
    together = Together(config)
    server = together.server
    server.join("bad", fingerprint(supervised.setup(config)))
    weights = server.pull("bad")
    wrong = gradient(server, weights)
    if part == "loss":
        wrong = wrong._replace(loss=bad)
    else:
        array = getattr(wrong, part).copy()
        array[3] = bad
        wrong = wrong._replace(**{part: array})
    after = server.push("bad", wrong)
    assert after.step == 0 and np.array_equal(after.values, weights.values)
    assert fates(server) == {staleness.NOT_FINITE: 1} and "a gradient of bad has entries that are not numbers" in server.news[0]
    together.worker("good")
    assert together.ended() is True and np.isfinite(server._flat.read()).all()


def test_a_run_whose_gradients_are_never_numbers_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(server_module, "HOPELESS", 3)
    config = options(tmp_path)
    together = Together(config)
    together.server.join("bad", fingerprint(supervised.setup(config)))
    for _ in range(3):
        wrong = gradient(together.server, together.server.pull("bad"), np.nan)
        together.server.push("bad", wrong)
    with pytest.raises(RunError, match=r"the last 3 gradients had entries that are not numbers.*lower --rate"):
        together.ended()


def test_gradients_of_another_net_or_server_are_dropped(tmp_path):
    config = options(tmp_path)
    together = Together(config)
    server = together.server
    server.join("w", fingerprint(supervised.setup(config)))
    weights = server.pull("w")
    fine = gradient(server, weights)
    server.push("w", fine._replace(server="the one before"))
    server.push("w", fine._replace(step=5))  # of a server that was further than its checkpoint
    server.push("w", fine._replace(values=fine.values[1:]))
    assert not server.push("stranger", fine).known
    assert fates(server) == {staleness.ORPHANED: 2, staleness.MISFIT: 1} and server.status()["step"] == 0
    server.stop()
    assert together.ended() is False


def test_workers_with_other_code_net_or_games_are_refused(tmp_path):
    config = options(tmp_path)
    server = ParameterServer(supervised.setup(config), step_rule(config))
    own = fingerprint(supervised.setup(of_a_worker(config)))
    assert server.join("same", own) == ""
    assert "has another code than the server: install the server's version there" in server.join("a", own | {"code": "x"})
    other = fingerprint(supervised.setup(dataclasses.replace(config, net="b2c24")))
    assert "has another net than the server" in server.join("b", other)
    other = fingerprint(supervised.setup(options(tmp_path, size=7)))
    assert "has another games than the server: give it the same packs" in server.join("c", other)
    assert not server.pull("b").known and server.pull("same").known
    server.trainer.lock.release()


@pytest.mark.parametrize(
    "more, said",
    [
        ("--parallel backup --gradient-workers 4 --batch 16", "--batch 16 cannot be dealt evenly to 3 gradients"),
        ("--parallel backup --gradient-workers 2 --spare 2", "leaves none to wait for"),
        ("--parallel async --spare 2", "--spare is for --parallel backup"),
        ("--parallel backup --max-staleness 2 --batch 16", "--max-staleness is for --parallel async"),
        ("--gradient-workers 4", "--gradient-workers is for --parallel async and backup"),
        ("--parallel async --recompute", "--recompute: workers of --parallel async"),
        ("--parallel backup --batch 16 --accumulate 2", "--accumulate 2: workers of --parallel backup"),
        ("--parallel async --gradient-workers 0", "--gradient-workers"),
        ("--parallel async --max-staleness -1", "--max-staleness"),
        ("--parallel pipes", "--parallel"),
    ],
)
def test_options_that_do_not_go_together(tmp_path, capsys, more, said):
    argv = ["supervised", "--data", "x.npz", "--run", str(tmp_path), "--steps", "3", *more.split()]
    with pytest.raises(SystemExit) as ended:
        cli.main(argv)
    assert ended.value.code == 2 and said in capsys.readouterr().err


def test_torchrun_and_workers_exclude_each_other(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WORLD_SIZE", "2")
    argv = ["supervised", "--data", "x.npz", "--run", str(tmp_path), "--steps", "3", "--parallel", "async"]
    assert cli.main(argv) == 1 and "brings its own workers: start it without torchrun" in capsys.readouterr().err


# ------------------------------------------------------------------- parts


def test_tensors_travel_flat(tmp_path):
    config = options(tmp_path)
    one, other = (supervised.setup(dataclasses.replace(config, seed=seed)).module for seed in (1, 2))
    flat, twin = FlatModule(one), FlatModule(other)
    assert flat.statistics and not np.array_equal(flat.read(), twin.read())
    twin.write(flat.read())
    assert all(
        np.array_equal(a.numpy(), b.numpy())
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    )
    present = np.ones(len(flat.parameters), bool)
    present[1] = False
    flat.write_gradients(np.arange(flat.weights, dtype=np.float32), present)
    values, found = flat.read_gradients()
    assert np.array_equal(found, present) and flat.parameters[1].grad is None
    assert values[0] == 0 and values[-1] == flat.weights - 1
    half = flat.read_statistics() + 1
    flat.blend_statistics(half, 0.5)
    np.testing.assert_allclose(flat.read_statistics(), half - 0.5)


def test_a_worker_has_no_games_to_measure_on(tmp_path):
    config = of_a_worker(options(tmp_path, parallel="backup", gradient_workers=5, spare=1))
    assert isinstance(config, SupervisedOptions) and config.validation is None and config.batch == 4
    assert config.run.is_absolute() and all(path.is_absolute() for path in config.data)
