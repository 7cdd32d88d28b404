"""A server and its workers as Ray's actors, on every node that the cluster has.

The server is where the command runs and the run's folder lies; workers are wherever there is room. Who dies is started again: a
worker takes the net as it stands, a server goes on from its last checkpoint. What they do is in `training.parallel.server` and
`training.parallel.worker`.
"""

import contextlib
import dataclasses
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from goengine.core import ray_cluster
from goengine.core.machine import usable_cores
from goengine.core.progress import Progress
from goengine.core.ray_cluster import ClusterAddress, ClusterError, Slots, WorkerSlot, cause, here
from goengine.core.restarts import Restarts
from goengine.core.stopping import told_to_stop
from training.core import launch
from training.core.checkpoint import RunError
from training.core.messages import say
from training.core.setup import Setup
from training.core.split_options import WORKERS
from training.core.worker_options import JoinOptions, ManyWorkers, absolute, of_a_worker
from training.parallel.messages import Gradient, Weights
from training.parallel.server import ParameterServer, StepRule
from training.parallel.staleness import StalenessRule
from training.parallel.stragglers import Straggler

PATIENCE = 10.0  # seconds that workers have to end
GONE_SECONDS = 600.0  # that everybody waits for a server that is being started again
LOOK_SECONDS = 0.5  # between two looks at the server
FREE_CALLS = 16  # calls that the server takes beside those of its workers
Make = Callable[[], Setup]
MakeFrom = Callable[[Any], Setup]
Tick = Callable[[Any], None]


@dataclasses.dataclass(frozen=True)
class Job:
    """What a worker needs to begin."""

    make: Make
    threads: int
    gpus: float = 0.0


# -- inside actors --


class ServerActor:
    """`ParameterServer` as an actor; `run` goes on in one thread, calls of workers come in others."""

    def __init__(self, make: Make, rule: StepRule, job: Job, spent: float):
        import ray
        import torch

        torch.set_num_threads(job.threads)
        again = ray.get_runtime_context().was_current_actor_reconstructed
        self._server, self._job = ParameterServer(make(), rule, 0.0 if again else spent), job

    def run(self) -> bool:
        """As `ParameterServer.run`."""
        return self._server.run()

    def stop(self) -> None:
        """As `ParameterServer.stop`."""
        self._server.stop()

    def join(self, name: str, theirs: Mapping[str, str]) -> str:
        """As `ParameterServer.join`."""
        return self._server.join(name, theirs)

    def pull(self, name: str) -> Weights:
        """As `ParameterServer.pull`."""
        return self._server.pull(name)

    def push(self, name: str, gradient: Gradient) -> Weights:
        """As `ParameterServer.push`."""
        return self._server.push(name, gradient)

    def lease(self, name: str, batches: int) -> int:
        """As `ParameterServer.lease`."""
        return self._server.lease(name, batches)

    def status(self) -> dict[str, Any]:
        """As `ParameterServer.status`."""
        return self._server.status()

    def standing(self) -> Any:
        """As `ParameterServer.standing`."""
        return self._server.standing()

    def job(self) -> Job:
        """What a worker needs to begin."""
        return self._job


class WorkerActor:
    """`GradientWorker` as an actor: `work` goes on in one thread until `stop` comes in another."""

    def __init__(self, name: str, job: Job, server: Any, straggler: Straggler):
        import torch

        from training.parallel.worker import GradientWorker

        torch.set_num_threads(job.threads)
        self._stop = threading.Event()
        self._worker = GradientWorker(name, job.make(), PatientCalls(server, self._stop), straggler)

    def work(self) -> str:
        """As `GradientWorker.work`."""
        return self._worker.work(self._stop)

    def stop(self) -> None:
        """Tell `work` to end."""
        self._stop.set()


class PatientCalls:
    """Calls of the server's methods; while it is being started again they wait for it."""

    def __init__(self, server: Any, stop: threading.Event):
        self._server, self._stop = server, stop

    def _call(self, method: str, *arguments: Any) -> Any:
        import ray

        end = time.monotonic() + GONE_SECONDS
        while True:
            try:
                return ray.get(getattr(self._server, method).remote(*arguments))
            except ray.exceptions.RayTaskError:
                raise
            except ray.exceptions.RayError:
                if self._stop.is_set() or time.monotonic() > end:
                    raise
                self._stop.wait(0.5)

    def join(self, name: str, theirs: Mapping[str, str]) -> str:
        """As `Server.join`."""
        why: str = self._call("join", name, theirs)
        return why

    def pull(self, name: str) -> Weights:
        """As `Server.pull`."""
        weights: Weights = self._call("pull", name)
        return weights

    def push(self, name: str, gradient: Gradient) -> Weights:
        """As `Server.push`."""
        weights: Weights = self._call("push", name, gradient)
        return weights

    def lease(self, name: str, batches: int) -> int:
        """As `Server.lease`."""
        first: int = self._call("lease", name, batches)
        return first


# -- the commands --


def learn(make: MakeFrom, config: Any, began: float | None = None, tick: Tick = lambda standing: None) -> bool:
    """Learn by the gradients of workers, as `Trainer.run`: whether the run is complete, False after SIGTERM or SIGINT.

    make: the stage's set-up from its options. config: these, which are `ManyWorkers`, too. tick: called twice a second with
    what the stage says of its run (`standing`), if it says something; what it raises ends the run without a checkpoint.

    Raises RunError if the cluster does not answer, the run cannot begin or go on, or no worker is left.
    """
    if launch.launched() > 1:
        raise RunError(f"--parallel {config.parallel} brings its own workers: start it without torchrun")
    began = time.monotonic() if began is None else began
    job = job_of(make, config)
    place = ClusterAddress(config.address, config.gradient_workers * job.threads)
    try:
        with ray_cluster.connected(place) as ray, told_to_stop() as stop:
            server = ServerOnCluster(ray, partial(make, absolute(config)), config, job, time.monotonic() - began)
            slots = workers(ray, server.actor, job, [f"worker-{n}" for n in range(1, config.gradient_workers + 1)])
            return LedRun(server, slots, tick).lead(stop)
    except ClusterError as error:
        raise RunError(str(error)) from error


def job_of(make: MakeFrom, config: Any) -> Job:
    """What a worker of these options needs."""
    threads = config.threads or max(1, usable_cores() // config.gradient_workers)
    return Job(partial(make, of_a_worker(config)), threads, float(config.device.startswith("cuda")))


def step_rule(config: Any) -> StepRule:
    """The options' part that says which gradients make a step."""
    rule = StalenessRule(config.max_staleness, config.stale == "damp")
    return StepRule(config.parallel == "backup", config.counted, config.batch // config.counted, rule)


def actor_name(run: Path) -> str:
    """What the server of a run is called on the cluster."""
    return f"server of {run.absolute()}"


def workers(ray: Any, server: Any, job: Job, names: list[str], stragglers: Mapping[str, Straggler] | None = None) -> Slots:
    """Places for workers of these names."""

    def start(name: str) -> tuple[Any, Any]:
        actor = ray.remote(WorkerActor).options(
            num_cpus=job.threads, num_gpus=job.gpus, max_concurrency=2, scheduling_strategy="SPREAD"
        )
        worker = actor.remote(name, job, server, (stragglers or {}).get(name, Straggler()))
        return worker, worker.work.remote()

    return Slots([WorkerSlot(name, start) for name in names], ray, say)


class ServerOnCluster:
    """The server's actor, and its run, which goes on after its death."""

    def __init__(self, ray: Any, make: Make, config: Any, job: Job, spent: float):
        """Raises RunError if the server cannot begin."""
        self.ray, self.folder = ray, Path(config.run)
        placed = ray.remote(ServerActor).options(
            name=actor_name(config.run),
            num_cpus=0,
            max_restarts=-1,
            max_concurrency=config.gradient_workers + FREE_CALLS,
            scheduling_strategy=here(ray),
        )
        try:
            self.actor = placed.remote(make, step_rule(config), job, spent)
            ray.get(self.actor.status.remote())
        except (ray.exceptions.RayError, ValueError) as error:
            raise RunError(cause(error)) from error
        self._restarts = Restarts()
        self._running: Any = self._start()
        self._heard = 0  # messages of the server that were said
        self._died = 0.0  # when it did so last

    def _start(self) -> Any:
        self._restarts.note_start(time.monotonic())
        return self.actor.run.remote()

    def ended(self) -> bool | None:
        """Whether the run is complete, None while it goes on. A dead server is set to work again once it is back.

        Raises RunError if the run fails, or the server dies again and again or does not come back.
        """
        errors = self.ray.exceptions
        if self._running is None:
            self._set_to_work()
            return None
        if not self.ray.wait([self._running], timeout=0)[0]:
            return None
        try:
            complete: bool = self.ray.get(self._running)
            return complete
        except errors.RayTaskError as error:
            raise RunError(cause(error)) from error
        except errors.RayError as error:
            self._restarts.note_end(time.monotonic(), failed=True)
            if self._restarts.hopeless:
                raise RunError(f"the server died {self._restarts.failures} times; the last time: {cause(error)}") from error
            say(f"{self.folder}: the server died: {cause(error)}; it goes on from its last checkpoint")
            self._running, self._heard, self._died = None, 0, time.monotonic()
            return None

    def _set_to_work(self) -> None:
        """Let a server that was started again run, if it answers already."""
        try:
            self.ray.get(self.actor.status.remote())
        except self.ray.exceptions.RayError as error:
            if getattr(error, "actor_init_failed", False) or time.monotonic() - self._died > GONE_SECONDS:
                raise RunError(f"the server did not come back: {cause(error)}") from error
            return
        self._running = self._start()

    def call(self, method: str) -> Any:
        """What a method of the server returns; None while it is not there."""
        with contextlib.suppress(self.ray.exceptions.RayError):
            return self.ray.get(getattr(self.actor, method).remote())
        return None

    def news(self, status: Mapping[str, Any]) -> Iterator[str]:
        """What the server has said since the last call."""
        yield from status["news"][self._heard :]
        self._heard = len(status["news"])


class LedRun:
    """The server and the workers of one command, watched until the run ends."""

    def __init__(self, server: ServerOnCluster, slots: Slots, tick: Tick = lambda standing: None):
        self.server, self.slots, self._tick = server, slots, tick

    def lead(self, stop: threading.Event, each: Callable[[Mapping[str, Any]], None] = lambda status: None) -> bool:
        """Returns whether the run is complete; False after `stop`. each: called with the server's status at each look.

        Raises RunError as `learn`.
        """
        try:
            with Progress(self.server.folder.name, 1.0, stream=launch.stderr()) as bar:
                while (complete := self.server.ended()) is None:
                    if stop.is_set():
                        self.server.actor.stop.remote()
                    self._look(bar, each)
                    self._replace(LOOK_SECONDS)
                return complete
        finally:
            self.slots.end(PATIENCE)
            self.server.ray.kill(self.server.actor)

    def _look(self, bar: Progress, each: Callable[[Mapping[str, Any]], None]) -> None:
        status = self.server.call("status")
        if status is None:
            return
        for text in self.server.news(status):
            say(text)
        each(status)
        bar.update(status["progress"], words(status))
        if (standing := self.server.call("standing")) is not None:
            self._tick(standing)

    def _replace(self, patience: float) -> None:
        """Start workers again; those that were refused stay away. Raises RunError if all are."""
        for name, why in self.slots.watch(patience):
            if why:
                say(f"{name} {why}; it stays away")
                self.slots.slots = [slot for slot in self.slots.slots if slot.name != name]
        if not self.slots.slots:
            raise RunError("the server refused every worker; it said why above")


def words(status: Mapping[str, Any]) -> str:
    """A server's status in a line."""
    told = status["gradients"]
    dropped = sum(value for name, value in told.items() if name not in ("workers", "mean_staleness", "used", "damped"))
    return (
        f"step {status['step']}  {told['workers']:.0f} workers  staleness {told['mean_staleness']:.2f}  "
        f"{dropped:.0f} gradients dropped"
    )


def join(options: JoinOptions) -> None:
    """Bring workers to a run, until it ends or a signal comes. Raises RunError if there is no such run on the cluster."""
    try:
        with ray_cluster.connected(ClusterAddress(options.address)) as ray, told_to_stop() as stop:
            try:
                server = ray.get_actor(actor_name(options.run))
                job = ray.get(server.job.remote())
            except (ValueError, ray.exceptions.RayError) as error:
                raise RunError(
                    f"no run learns in {options.run.absolute()} on that cluster; --run is its folder as its command named it"
                ) from error
            begins = options.name or f"{socket.gethostname()}-{os.getpid()}"
            _join(workers(ray, server, job, [f"{begins}-{n}" for n in range(1, options.count + 1)]), stop)
    except ClusterError as error:
        raise RunError(str(error)) from error


def _join(slots: Slots, stop: threading.Event) -> None:
    try:
        while slots.slots and not stop.is_set():
            for name, why in slots.watch(LOOK_SECONDS):
                say(f"{name} {why or 'ended with the run'}")
                slots.slots = [slot for slot in slots.slots if slot.name != name]
    finally:
        slots.end(PATIENCE)


def many(config: ManyWorkers) -> bool:
    """Whether the options ask for workers."""
    return config.parallel in WORKERS
