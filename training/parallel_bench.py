"""Many workers compared on this machine: what `python -m training parallel-bench` measures, and what follows for more.

One net learns from the same number of samples in each mode, with equal workers and with stragglers. Workers may be given a
pace: they then wait until each gradient has taken so long, and a few cores stand for several machines. Each result is written
as soon as it is there; the same command goes on with those that are missing.
"""

import contextlib
import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

from goengine.core import ray_cluster
from goengine.core.files import replacing
from goengine.core.ray_cluster import ClusterAddress, ClusterError
from goengine.core.stopping import told_to_stop
from goengine.core.tables import short, table
from training.core.checkpoint import RunError, plain
from training.core.command_options import SupervisedOptions
from training.core.messages import say
from training.core.worker_options import ParallelBenchOptions, absolute, of_a_worker
from training.parallel import cluster, cost_model
from training.parallel.cost_model import Costs
from training.parallel.staleness import FILE
from training.parallel.stragglers import Straggler

Each = Callable[[Mapping[str, Any]], None]
Lead = Callable[[SupervisedOptions, Mapping[str, Straggler], Event, Each], None]
FORMAT = "goengine-parallel-bench-1"
RESULTS, CURVES = "results.json", "curves.svg"
EQUAL, SLOW, STOPS = "equal", "one slow", "one stops"


@dataclasses.dataclass(frozen=True)
class Scenario:
    """One run."""

    parallel: str
    workers: int
    spare: int = 0
    stragglers: str = EQUAL

    @property
    def name(self) -> str:
        """For people."""
        mode = "sync" if self.parallel == "backup" and not self.spare else self.parallel
        return f"{mode} {self.workers}" + (f", {self.stragglers}" if self.stragglers != EQUAL else "")


def scenarios(config: ParallelBenchOptions) -> list[Scenario]:
    """All runs, in order."""
    most = max(config.workers)
    found = [Scenario("async", count) for count in config.workers]
    modes = (("async", 0), ("backup", 1), ("backup", 0)) if most > 1 else ()
    for parallel, spare in modes:
        for stragglers in (EQUAL, SLOW, STOPS):
            found.append(Scenario(parallel, most, spare, stragglers))
    return list(dict.fromkeys(found))


def measure(config: ParallelBenchOptions) -> dict[str, Any]:
    """All results, of this call and of those before in the same folder, and the model's.

    Raises RunError if the folder holds results of other options, or a run fails.
    """
    config.out.mkdir(parents=True, exist_ok=True)
    found = _before(config)
    try:
        with _lead(config) as lead, told_to_stop() as stop:
            for scenario in scenarios(config):
                if scenario.name in found["runs"] or stop.is_set():
                    continue
                say(scenario.name)
                result = _run(config, scenario, lead, stop)
                if stop.is_set():
                    break
                found["runs"][scenario.name] = result
                _write(config, found)
    except ClusterError as error:
        raise RunError(str(error)) from error
    found["model"] = _model(config, found["runs"])
    _write(config, found)
    return found


@contextlib.contextmanager
def _lead(config: ParallelBenchOptions) -> Iterator[Lead]:
    """What leads a run: in threads of this process, or on a Ray cluster."""
    if not config.address:
        import torch

        torch.set_num_threads(config.threads)
        yield _in_threads
        return
    with ray_cluster.connected(ClusterAddress(config.address, max(config.workers) * config.threads)) as ray:
        yield partial(_on_cluster, ray)


def _on_cluster(ray: Any, options: SupervisedOptions, stragglers: Mapping[str, Straggler], stop: Event, each: Each) -> None:
    from training.stages import supervised

    job = cluster.job_of(supervised.setup, options)
    server = cluster.ServerOnCluster(ray, partial(supervised.setup, absolute(options)), options, job, 0.0)
    slots = cluster.workers(ray, server.actor, job, list(stragglers), stragglers)
    cluster.LedRun(server, slots).lead(stop, each)


def _in_threads(options: SupervisedOptions, stragglers: Mapping[str, Straggler], stop: Event, each: Each) -> None:
    """The same server and workers without Ray: messages cost nothing, and all share one interpreter."""
    from training.parallel.server import ParameterServer
    from training.parallel.worker import GradientWorker
    from training.stages import supervised

    server = ParameterServer(supervised.setup(options), cluster.step_rule(options))
    workers = [
        GradientWorker(name, supervised.setup(of_a_worker(options)), server, straggler)
        for name, straggler in stragglers.items()
    ]
    with ThreadPoolExecutor(len(workers) + 1) as pool:
        try:
            jobs = [pool.submit(server.run), *(pool.submit(worker.work, stop) for worker in workers)]
            while not jobs[0].done():
                each(server.status())
                if stop.is_set() or any(job.done() and job.exception() for job in jobs):
                    server.stop()
                time.sleep(0.1)
        finally:
            server.stop()
        for job in jobs:
            job.result()


def _before(config: ParallelBenchOptions) -> dict[str, Any]:
    """The results that are there. Raises RunError if they are of other options."""
    mine = json.loads(json.dumps(plain(config)))
    path = config.out / RESULTS
    if not path.exists():
        return {"format": FORMAT, "options": mine, "runs": {}}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT or found["options"] != mine:
            raise RunError(f"{path} was made with other options; take another --out folder")
        dict(found["runs"])
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is no result of parallel-bench ({error}); remove it or take another --out folder") from None
    return found


def _write(config: ParallelBenchOptions, found: Mapping[str, Any]) -> None:
    with replacing(config.out / RESULTS) as beside:
        beside.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _run(config: ParallelBenchOptions, scenario: Scenario, lead: Lead, stop: Event) -> dict[str, Any]:
    """One run, from new weights, in a folder of its own."""
    run = config.out / "runs" / scenario.name.replace(", ", "-").replace(" ", "-")
    counted = scenario.workers - scenario.spare if scenario.parallel == "backup" else 1
    options = SupervisedOptions(
        data=config.data,
        validation=config.validation,
        run=run / str(time.time_ns()),  # a run that was stopped is not gone on with: its times would be of two
        net=config.net,
        batch=config.batch * counted,
        steps=max(1, config.gradients // counted),
        optimizer=config.optimizer,
        rate=config.rate,
        seed=config.seed,
        threads=config.threads,
        device="cpu",
        half=False,
        log_every=max(1, config.gradients // counted // 25),
        validation_positions=config.positions,
        average=0.9,
        parallel="async" if scenario.parallel == "async" else "backup",
        gradient_workers=scenario.workers,
        spare=scenario.spare if scenario.parallel == "backup" else 1,
        max_staleness=config.max_staleness if scenario.parallel == "async" else None,
    )
    names = [f"worker-{number}" for number in range(1, scenario.workers + 1)]
    last: dict[str, Any] = {}
    lead(options, _stragglers(config, scenario, names), stop, last.update)
    return {} if stop.is_set() else _result(options, last)


def _stragglers(config: ParallelBenchOptions, scenario: Scenario, names: list[str]) -> dict[str, Straggler]:
    found = {name: Straggler(config.pace) for name in names}
    if scenario.stragglers == SLOW:
        found[names[-1]] = Straggler(config.pace, slow=config.slow)
    if scenario.stragglers == STOPS:
        found[names[-1]] = Straggler(config.pace, stops_at=3, stops_for=config.stop)
    return found


def _result(options: SupervisedOptions, last: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a run."""
    lines = [json.loads(line) for line in (options.run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    curve = [(line["samples"], line["seconds"], line["loss"]) for line in lines if "loss" in line]
    validation = [line["validation"] for line in lines if "validation" in line]
    record = json.loads((options.run / FILE).read_text(encoding="utf-8"))
    computed = last.get("computed") or [0.0]
    return {
        "seconds": curve[-1][1],
        "curve": curve,
        "top1": validation[-1].get("top1") if validation else None,
        "fates": record["fates"],
        "staleness": record["staleness"],
        "workers": record["workers"],
        "compute": statistics.mean(computed),
        "spread": statistics.pstdev(computed),
        "step": last["busy"] / max(1, last["step"]),
        "bytes": last["bytes"],
    }


def pace_of(run: Mapping[str, Any]) -> float:
    """Used samples a second, from the first line of the log on: what comes before is start-up."""
    first, last = run["curve"][0], run["curve"][-1]
    return (last[0] - first[0]) / max(last[1] - first[1], 1e-9)


def _costs(run: Mapping[str, Any]) -> Costs:
    return Costs(run["compute"], run["spread"], run["step"], run["bytes"])


def _model(config: ParallelBenchOptions, runs: Mapping[str, Any]) -> dict[str, Any]:
    """The model against what was measured here, and for many workers."""
    first = runs.get(f"async {min(config.workers)}")
    if first is None:
        return {}
    # What one worker needs beyond computing and the server's step is its messages: on this machine only latency.
    latency = max(0.0, (config.batch / pace_of(first) - first["compute"] - first["step"]) / 2)
    checks = {}
    for scenario in scenarios(config):
        run = runs.get(scenario.name)
        if run is None or scenario.stragglers != EQUAL:
            continue
        costs = dataclasses.replace(_costs(run), latency=latency)
        expected = cost_model.pace(
            "async" if scenario.parallel == "async" else "backup", scenario.workers, scenario.workers - scenario.spare, costs
        )
        ages = {int(age): count for age, count in run["staleness"].items()}
        checks[scenario.name] = {
            "expected": expected.gradients * config.batch,
            "measured": pace_of(run),
            "expected_staleness": expected.staleness,
            "measured_staleness": sum(age * count for age, count in ages.items()) / max(1, sum(ages.values())),
        }
    rows = cost_model.table(_costs(first), config.many, config.networks, config.latency)
    many = [{**dataclasses.asdict(row), "samples_per_second": row.pace.gradients * config.batch} for row in rows]
    return {"assumptions": list(cost_model.ASSUMPTIONS), "latency": latency, "checks": checks, "many": many}


def rows(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """A line of the table for each run: name, samples/s, seconds, loss, top-1, staleness, dropped."""
    for name, run in found["runs"].items():
        ages = {int(age): count for age, count in run["staleness"].items()}
        mean = sum(age * count for age, count in ages.items()) / max(1, sum(ages.values()))
        dropped = sum(count for fate, count in run["fates"].items() if fate not in ("used", "damped"))
        top1 = "" if run["top1"] is None else f"{run['top1']:.3f}"
        pace, seconds = f"{pace_of(run):.0f}", f"{run['seconds']:.0f}"
        yield name, pace, seconds, f"{run['curve'][-1][2]:.3f}", top1, f"{mean:.2f}", f"{max(ages, default=0)}", f"{dropped}"


def words(found: Mapping[str, Any]) -> str:
    """All results as tables, and what the computed ones assume."""
    header: tuple[str, ...] = ("", "samples/s", "seconds", "loss", "top-1", "staleness", "oldest", "dropped")
    parts = [table(list(rows(found)), header=header)]
    if found["model"]:
        keys = ("measured", "expected", "measured_staleness", "expected_staleness")
        checks = [(name, *(f"{check[key]:.3g}" for key in keys)) for name, check in found["model"]["checks"].items()]
        parts.append(table(checks, header=("model", "samples/s", "expected", "staleness", "expected")))
        many = [
            (
                row["mode"],
                str(row["workers"]),
                row["network"],
                short(row["samples_per_second"]),
                f"{100 * row['efficiency']:.3g} %",
                f"{row['pace']['staleness']:.0f}",
                row["pace"]["limit"],
            )
            for row in found["model"]["many"]
        ]
        header = ("computed", "workers", "network", "samples/s", "of ideal", "staleness", "limit")
        parts += [table(many, header=header), "".join(f"- {each}\n" for each in found["model"]["assumptions"])]
    return "\n".join(parts)


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Loss against samples and against time, and how old gradients were, as a picture (.svg)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), layout="constrained")
    by_samples, by_time, ages = figure.subplots(1, 3)
    styles = {"async": "C0", "backup": "C1", "sync": "C2"}
    dashes = {EQUAL: "-", SLOW: "--", STOPS: ":"}
    for name, run in found["runs"].items():
        mode, _, rest = name.partition(" ")
        count, _, straggling = rest.partition(", ")
        look = {
            "color": styles[mode],
            "linestyle": dashes[straggling or EQUAL],
            "label": name,
            "linewidth": 0.6 + 0.3 * int(count),
        }
        samples, seconds, losses = zip(*run["curve"], strict=True)
        by_samples.plot(samples, losses, **look)
        by_time.plot(seconds, losses, **look)
        if mode == "async":
            total = sum(run["staleness"].values())
            points = sorted((int(age), count / total) for age, count in run["staleness"].items())
            ages.plot(*zip(*points, strict=True), marker="o", markersize=3, **look)
    for axes, label in ((by_samples, "samples"), (by_time, "seconds"), (ages, "staleness of async's gradients, steps")):
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    by_samples.set_ylabel("loss")
    by_time.legend(fontsize=6)
    ages.set_ylabel("share of gradients")
    figure.savefig(path, metadata={"Date": None})
