"""The options of each self-play command: every default, once. Imports nothing slow, so that help and errors come at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import MOST_THREADS, option
from goengine.evaluators.load import Precision


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Play games with the newest net of a run folder and write them there, until told to stop."""

    run: Path = option(help="the run's folder")
    name: str = option("", "of this worker, for its files: no two alike in a run; by default the machine's name")
    games: int = option(128, "games at once", least=1)
    threads: int = option(1, "threads of the trees, and of the net on a CPU", least=1, most=MOST_THREADS)
    seed: int | None = option(None, "of all chance; by default another one at each start")
    once: int | None = option(None, "stop after so many games", least=1)
    device: str = option("cpu", "cpu (OpenVINO), torch-cpu, cuda or cuda:N (torch)")
    attached: bool = option(False, "stop when standard input ends, that is when the process that started this one is gone")

    def __post_init__(self) -> None:
        for name in ("games", "threads", "once"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name} must be at least 1")
        if self.seed is not None and self.seed < 0:
            raise ValueError(f"--seed {self.seed}: must not be negative")


@dataclass(frozen=True, kw_only=True)
class ClusterOptions:
    """Play games with the newest net of a run folder on all nodes of a Ray cluster, which need not see that folder."""

    run: Path = option(help="the run's folder, on this machine; with --address ray://... on the cluster's head")
    name: str = option("cluster", "begins the actors' names: NAME-1, NAME-2 ...; no two clusters of a run with the same")
    actors: int | None = option(None, "workers; by default as many as there is room for; more wait for nodes", least=1)
    games: int = option(128, "games that each of them plays at once", least=1)
    threads: int = option(
        1, "threads of an actor's trees, and of its net on a CPU; as many of Ray's CPUs are its own", least=1, most=MOST_THREADS
    )
    device: Literal["cpu", "cuda", "torch-cpu"] = option("cpu", "where nets compute: cpu is OpenVINO, the others torch")
    gpu_share: float = option(1.0, "of a GPU for each actor, with --device cuda", most=1)
    address: str = option("local", "local: a cluster of this machine alone; auto: the one that runs here; ray://HOST:PORT")
    dashboard: bool = option(False, "show Ray's dashboard, on this machine only; with --address local")
    once: int | None = option(None, "stop after so many games", least=1)
    attached: bool = option(False, "stop when standard input ends, that is when the process that started this one is gone")

    def __post_init__(self) -> None:
        for name in ("actors", "games", "threads", "once"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name} must be at least 1")
        if not 0 < self.gpu_share <= 1:
            raise ValueError(f"--gpu-share {self.gpu_share}: must be above 0 and at most 1")


@dataclass(frozen=True, kw_only=True)
class SgfOptions:
    """Write the games of a shard as SGF files, for people."""

    shards: tuple[Path, ...] = option(help="shards (.npz) of a run", positional=True)
    out: Path = option(help="folder for the files")


@dataclass(frozen=True, kw_only=True)
class SelfPlayBenchOptions:
    """Measure self-play on this machine: evaluations and moves per second, and how busy the net is."""

    net: str = option("", "a shipped net, or the path of one; by default the one that would be played")
    sizes: tuple[int, ...] = option((9, 19), "board sizes", least=2, most=25)
    games: int = option(128, "games at once", least=1)
    visits: int = option(16, "visits of a search", least=2)
    threads: int = option(1, "threads of the trees, and of the net on a CPU", least=1, most=MOST_THREADS)
    precision: Precision = option("auto", "number format of the net")
    device: str = option("cpu", "cpu (OpenVINO), torch-cpu, cuda or cuda:N (torch)")
    seconds: float = option(5.0, "length of a measurement", most=3600)
    json: bool = option(False, "write JSON")

    def __post_init__(self) -> None:
        if self.games < 1 or self.visits < 2 or self.threads < 1 or not 0 < self.seconds <= 3600:
            raise ValueError("--games and --threads must be at least 1, --visits 2, --seconds above 0 and at most 3600")
