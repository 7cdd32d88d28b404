"""The options of learning with many workers. Imports no torch, as `training.core.command_options`."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from goengine.core.options import Seconds, option
from training.core.split_options import WORKERS


@dataclass(frozen=True, kw_only=True)
class ManyWorkers:
    """What every command takes that can learn from the gradients of many workers."""

    parallel: Literal["data", "async", "backup"] = option(
        "data",
        "data: this process alone, or those that torchrun started, in step; async: workers on a Ray cluster push gradients to "
        "a server, nobody waits; backup: a step takes the first gradients of such workers and drops the others",
    )
    gradient_workers: int = option(2, "workers of async and backup", least=1, most=4096)
    spare: int = option(1, "of backup's workers: a step waits for all but so many")
    max_staleness: int | None = option(
        None, "of async: steps made since a worker took the weights, above which its gradient is stale; by default none is"
    )
    stale: Literal["damp", "drop"] = option(
        "damp", "a stale gradient counts 1/2, 1/3 ... one, two ... steps above, or not at all"
    )
    address: str = option(
        "local", "of async and backup: local: a cluster of this machine alone; auto; HOST:PORT; ray://HOST:PORT"
    )

    @property
    def counted(self) -> int:
        """How many gradients one step takes."""
        return self.gradient_workers - self.spare if self.parallel == "backup" else 1

    def _check_workers(self, batch: int) -> None:
        """Raises ValueError if the options do not go together."""
        if self.parallel == "backup":
            if self.counted < 1:
                raise ValueError(f"--spare {self.spare} of --gradient-workers {self.gradient_workers} leaves none to wait for")
            if batch % self.counted:
                raise ValueError(
                    f"--batch {batch} cannot be dealt evenly to {self.counted} gradients (--gradient-workers less --spare)"
                )
        wanted = {"spare": "backup", "max_staleness": "async", "stale": "async"}
        for field in dataclasses.fields(ManyWorkers):
            mode = wanted.get(field.name)
            if mode and self.parallel != mode and getattr(self, field.name) != field.default:
                raise ValueError(f"--{field.name.replace('_', '-')} is for --parallel {mode}")
            if field.name != "parallel" and self.parallel not in WORKERS and getattr(self, field.name) != field.default:
                raise ValueError(f"--{field.name.replace('_', '-')} is for --parallel async and backup")


def absolute(config: Any) -> Any:
    """The options with absolute paths: actors may run in another folder."""
    changes: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, Path):
            changes[field.name] = value.absolute()
        elif isinstance(value, tuple) and value and all(isinstance(each, Path) for each in value):
            changes[field.name] = tuple(each.absolute() for each in value)
        elif field.name == "net" and isinstance(value, str) and Path(value).is_file():
            changes[field.name] = str(Path(value).absolute())
    return dataclasses.replace(config, **changes)


def alone(config: Any) -> Any:
    """The options as of a process that learns without workers."""
    return dataclasses.replace(config, **{field.name: field.default for field in dataclasses.fields(ManyWorkers)})


def of_a_worker(config: Any) -> Any:
    """The options as a worker has them, which computes alone: its part of a step's batch, and nothing to measure on."""
    names = {field.name for field in dataclasses.fields(config)}
    changes: dict[str, Any] = {name: None for name in ("validation", "data_share") if name in names}
    if "data_share" in names:  # the server draws
        changes["data"] = ()
    return dataclasses.replace(alone(absolute(config)), batch=config.batch // config.counted, **changes)


@dataclass(frozen=True, kw_only=True)
class JoinOptions:
    """Bring more workers to a run that learns by --parallel async or backup on a Ray cluster, from any of its machines."""

    run: Path = option(help="the run's folder, as it is called where the run was started")
    address: str = option("auto", "auto: the Ray cluster that runs here; HOST:PORT; ray://HOST:PORT")
    count: int = option(1, "workers to bring; without room they wait for nodes", least=1, most=4096)
    name: str = option("", "begins the workers' names; by default the machine's and the process's")


@dataclass(frozen=True, kw_only=True)
class ParallelBenchOptions:
    """Compare async, backup and sync with several workers and stragglers on this machine, and compute what many would do."""

    data: tuple[Path, ...] = option(help="packs to learn from")
    validation: Path | None = option(None, "pack that is only measured")
    out: Path = option(help="folder for results.json, curves.svg and the runs; the same command goes on there")
    net: str = option("b2c32", "an architecture, or a weights file to begin with")
    batch: int = option(64, "samples of a gradient", least=1)
    gradients: int = option(200, "gradients that each run uses", least=2)
    workers: tuple[int, ...] = option((1, 2, 4), "numbers of workers; the largest one with stragglers, too", least=1, most=256)
    threads: int = option(1, "of each worker", least=1, most=1024)
    optimizer: Literal["sgd", "adamw", "muon"] = option("sgd", "kind of optimizer")
    rate: float | None = option(None, "peak learning rate")
    max_staleness: int | None = option(None, "of async, as in training")
    pace: float = option(0.0, "seconds that a gradient takes at least: workers that wait stand for machines of their own")
    slow: float = option(2.0, "times as long that the slow worker takes", least=1)
    stop: Seconds = option(Seconds(60), "how long the one that stops does so")
    positions: int = option(2048, "positions of the last measurement", least=1)
    many: tuple[int, ...] = option((100, 1000), "numbers of workers that are only computed", least=1)
    networks: tuple[float, ...] = option((1.0, 10.0, 100.0), "their networks, Gbit/s", least=0.001)
    latency: float = option(0.0005, "of their networks, seconds a message")
    seed: int = option(1, "of weights and samples")
    address: str = option(
        "", "of a Ray cluster (local, auto, HOST:PORT) for the workers; by default they are threads of this process"
    )
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        for name in ("data", "workers", "many", "networks"):
            if not getattr(self, name):
                raise ValueError(f"--{name}: at least one is needed")
