"""How a run divides its machine: who plays, who makes samples, who learns, and what nets are published as.

One rule, from cores, GPUs and the device; options overrule each number. Imports no torch, starts nothing.
"""

from dataclasses import dataclass

from goengine.core.machine import importable, usable_cores
from goengine.evaluators.load import automatic_device, cuda_devices
from training.core.checkpoint import RunError

OPENVINO = "cpu"  # the device on which OpenVINO computes; all others are torch's
GAMES, GAMES_ON_GPU = 128, 512  # that a worker plays at once: a GPU wants large batches
SAMPLING = 5  # beside torch's workers every so-many-th core makes the learner's samples
RATE_GAMES = 40  # of a rating
# A worker's net on torch must not start a thread for each core: there is a worker for each core.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Machine:
    """What there is to divide."""

    cores: int
    gpus: int
    openvino: bool  # whether it is installed


def here() -> Machine:
    """This machine."""
    return Machine(usable_cores(), cuda_devices(), importable("openvino"))


@dataclass(frozen=True)
class Division:
    """Who does what. None, when it is asked for: as the rule says."""

    device: str = "auto"  # where nets play and learn: cpu (played by OpenVINO), torch-cpu, cuda, cuda:1
    workers: int | None = None  # processes that play
    games: int | None = None  # that each of them plays at once
    sample_threads: int | None = None  # that make samples for the learner
    export: bool | None = None  # whether nets are published for OpenVINO, too
    int8: bool | None = None  # whether that form computes on 8-bit integers
    rate_games: int | None = None  # of a rating; 0: none


def divide(asked: Division, machine: Machine) -> Division:
    """What was asked for, and the rule's numbers for all else. Raises RunError if it cannot be had on this machine."""
    device = asked.device
    if device == "auto":
        device = automatic_device()
        device = "torch-cpu" if device == OPENVINO and not machine.openvino else device
    workers = _workers(asked, device, machine.cores) if asked.workers is None else asked.workers
    if device == OPENVINO and workers and not machine.openvino:
        raise RunError(
            "--device cpu plays on OpenVINO, which cannot be imported here: pip install openvino, or --device torch-cpu"
        )
    # Where nobody plays here, others do, maybe on CPUs.
    export = machine.openvino and (device == OPENVINO or not workers) if asked.export is None else asked.export
    if export and not machine.openvino:
        raise RunError("--export writes nets for OpenVINO, which cannot be imported here: pip install openvino, or --no-export")
    if asked.int8 and not export:
        raise RunError("--int8 is a form for OpenVINO: give --device cpu or --export, or leave it out")
    if device == OPENVINO and workers and not export:
        raise RunError("--no-export leaves the workers on cpu nothing to play: leave it out, or play with --device torch-cpu")
    return Division(
        device=device,
        workers=workers,
        games=(GAMES_ON_GPU if device.startswith("cuda") else GAMES) if asked.games is None else asked.games,
        sample_threads=_sampling(device, machine.cores, workers) if asked.sample_threads is None else asked.sample_threads,
        export=export,
        int8=export if asked.int8 is None else asked.int8,
        rate_games=(RATE_GAMES if export else 0) if asked.rate_games is None else asked.rate_games,
    )


def _workers(asked: Division, device: str, cores: int) -> int:
    """A worker per core on OpenVINO. On torch one core is the learner's, who launches steps, and some make samples."""
    if device == OPENVINO:
        return cores
    sampling = max(1, cores // SAMPLING) if asked.sample_threads is None else asked.sample_threads
    return max(1, cores - 1 - sampling)


def _sampling(device: str, cores: int, workers: int) -> int:
    """On a CPU a thread, for learning is slow there; else the cores that are left."""
    return 1 if device == OPENVINO else max(1, cores - 1 - workers)


def words(division: Division, machine: Machine, threads: int | None) -> str:
    """A division as people read it. threads: of the learner on a CPU; None: torch's own choice."""
    on_gpu = division.device.startswith("cuda")
    there = _count(machine.cores, "core") + (f", {_count(machine.gpus, 'GPU')}" if machine.gpus else "")
    place = "cpu (OpenVINO)" if division.device == OPENVINO else division.device
    play = f"{_count(division.workers, 'worker')} of {division.games} games on {place}" if division.workers else "no workers"
    learner = "1" if on_gpu else "all" if threads is None else str(threads)
    nets = "nets for torch and OpenVINO" if division.export else "nets for torch alone"
    form = "" if not division.export else ", in int8" if division.int8 else ", in float16"
    ratings = f"ratings of {division.rate_games} games" if division.rate_games else "ratings off"
    return (
        f"{there}: {play}, {division.sample_threads} for the learner's samples, {learner} for the learner; "
        f"{nets}{form}; {ratings}"
    )


def rating_device(device: str, export: bool | None) -> str:
    """Where nets compute for their ratings: on OpenVINO where they are published for it, else as the run's."""
    return OPENVINO if export else device


def worker_device(device: str, number: int, gpus: int) -> str:
    """Where worker `number` computes: workers on cuda take the GPUs in turn."""
    return f"cuda:{number % gpus}" if device == "cuda" and gpus > 1 else device


def _count(number: int | None, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
