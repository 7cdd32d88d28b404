"""Self-play on many machines: the same workers as Ray's actors, on every node that the cluster has.

The only module that knows ray. It places a depot where the run's folder is and players wherever there is room, replaces
those that die, and says how things stand. What they do is in `selfplay.depot`; who learns from the games is another command.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from goengine.core.machine import usable_cores
from goengine.core.progress import Progress
from goengine.core.restarts import Restarts
from selfplay.depot import Bundle, Depot, DepotWorker, Report
from selfplay.worker_options import ClusterOptions

KNOCK_SECONDS = 10.0  # for a head to answer
PATIENCE = 20.0  # seconds that players have to bring their last games
REPORT_SECONDS, SAY_SECONDS = 2.0, 60.0  # between two reports, and two lines where there is no terminal
LOCAL = "local"
_STORE = 256 << 20  # bytes of the object store of a cluster of our own: a few nets


class ClusterError(Exception):
    """A cluster that cannot begin or go on; the message says why and what to do."""


# -- inside actors --


class PlayerActor:
    """A player as an actor: `play` goes on in one thread until `stop` comes in another."""

    def __init__(self, name: str, options: ClusterOptions, depot: Any):
        self._stop = threading.Event()
        self._player = DepotWorker(name, options, _Calls(depot), _fetch)

    def play(self) -> None:
        """Play until told to stop."""
        self._player.play(self._stop)

    def stop(self) -> None:
        """Tell `play` to end."""
        self._stop.set()


class _Calls:
    """Calls of an actor's methods as if the object were in this process."""

    def __init__(self, actor: Any):
        self._actor = actor

    def __getattr__(self, name: str) -> Callable[..., Any]:
        import ray

        return lambda *arguments: ray.get(getattr(self._actor, name).remote(*arguments))


def _put(files: Bundle) -> Any:
    """Files in the object store, which brings them to each node once, however many players ask there."""
    import ray

    return ray.put(files)


def _fetch(reference: Any) -> Bundle:
    import ray

    found: Bundle = ray.get(reference)
    return found


# -- the command --


@contextlib.contextmanager
def connected(options: ClusterOptions) -> Iterator[Any]:
    """The module ray, connected to the cluster. A cluster of our own listens on the loopback interface only.

    Raises ClusterError if ray is missing or the cluster does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
    if options.address == LOCAL:
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # what keeps Ray on 127.0.0.1, on Linux as well
    try:
        import ray
    except ImportError:
        raise ClusterError("ray is not installed: pip install 'ray[default]==2.60.*'") from None
    settings: dict[str, Any] = {"address": options.address, "log_to_driver": False, "logging_level": "ERROR"}
    if options.address == LOCAL:
        wanted = (options.actors or 0) * options.threads
        settings |= {"num_cpus": max(usable_cores(), wanted), "object_store_memory": _STORE, "_node_ip_address": "127.0.0.1"}
        settings |= {"include_dashboard": options.dashboard, "dashboard_host": "127.0.0.1"}
    try:
        _knock(options.address)
        ray.init(**settings)
    except (OSError, RuntimeError, ValueError, TimeoutError) as error:
        raise ClusterError(f"--address {options.address}: Ray does not answer ({_cause(error)})") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError if nobody listens at HOST:PORT; Ray would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()


class WorkerSlot:
    """A place for a player: who plays there now, and how those before ended."""

    def __init__(self, name: str, start: Callable[[str], Any]):
        self.name, self._start = name, start
        self.actor: Any = None
        self.playing: Any = None  # reference to what `play` will return
        self.restarts = Restarts()

    def fill(self) -> None:
        """Start a player where there is room, now or later."""
        self.actor = self._start(self.name)
        self.playing = self.actor.play.remote()
        self.restarts.note_start(time.monotonic())

    def clear(self, *, failed: bool) -> None:
        """The player is gone; failed: by its own fault."""
        self.actor = self.playing = None
        self.restarts.note_end(time.monotonic(), failed=failed)


class Cluster:
    """A depot and its players. Use it as a context manager: they end with the block."""

    def __init__(self, options: ClusterOptions, ray: Any, say: Callable[[str], None]):
        """Raises ClusterError if the depot cannot start: the folder is no run, or another depot has its name."""
        self.options, self._ray, self._say = options, ray, say
        self.depot = self._place_depot()
        self.games_before = self.report(max_task_retries=0).games
        self.seats = [WorkerSlot(f"{options.name}-{number}", self._start) for number in range(1, self._count() + 1)]

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _place_depot(self) -> Any:
        """Where this process is connected: with ray:// that is the head."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        here = NodeAffinitySchedulingStrategy(self._ray.get_runtime_context().get_node_id(), soft=False)
        placed = self._ray.remote(Depot).options(num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here)
        run = self.options.run if self.options.address.startswith("ray://") else self.options.run.absolute()
        return placed.remote(run, self.options.name, _put)

    def _count(self) -> int:
        """Number of players. Those without room wait for nodes."""
        resources, options = self._ray.cluster_resources(), self.options
        room = int(resources.get("CPU", 0) // options.threads)
        if options.device == "cuda":
            room = min(room, int(resources.get("GPU", 0) / options.gpu_share + 1e-9))
        count = options.actors or max(room, 1)
        waiting = f"; {count - room} wait for nodes" if count > room else ""
        self._say(f"{options.run}: {count} actors of {options.games} games, room for {room}{waiting}")
        return count

    def _start(self, name: str) -> Any:
        share = self.options.gpu_share if self.options.device == "cuda" else 0
        actor = self._ray.remote(PlayerActor).options(
            num_cpus=self.options.threads, num_gpus=share, max_concurrency=2, scheduling_strategy="SPREAD"
        )
        return actor.remote(name, self.options, self.depot)

    def report(self, **options: Any) -> Report:
        """How things stand; options: of the call. Raises ClusterError if the depot fails."""
        try:
            found: Report = self._ray.get(self.depot.report.options(**options).remote())
            return found
        except self._ray.exceptions.RayError as error:
            raise ClusterError(_cause(error)) from error

    def watch(self, patience: float) -> None:
        """Fill empty seats, and wait so many seconds for players that end.

        Raises ClusterError if one fails again and again.
        """
        now = time.monotonic()
        for seat in self.seats:
            if seat.actor is None and now >= seat.restarts.again:
                seat.fill()
        playing = {seat.playing: seat for seat in self.seats if seat.actor is not None}
        if not playing:
            time.sleep(patience)
            return
        for reference in self._ray.wait(list(playing), num_returns=len(playing), timeout=patience)[0]:
            self._ended(playing[reference])

    def _ended(self, seat: WorkerSlot) -> None:
        """Say how a player ended, and free its place for another."""
        errors, failed = self._ray.exceptions, False
        try:
            self._ray.get(seat.playing)
            why = "ended"
        except errors.RayTaskError as error:
            why, failed = f"failed: {_cause(error)}", True
        except errors.RayError as error:
            why, failed = f"died: {_cause(error)}", getattr(error, "actor_init_failed", False)
        self._ray.kill(seat.actor)  # it may still live and only be out of reach: there must not be two
        seat.clear(failed=failed)
        if seat.restarts.hopeless:
            raise ClusterError(f"{seat.name} failed {seat.restarts.failures} times in a row; it {why}")
        self._say(f"{seat.name} {why}; another one starts")

    def end(self) -> None:
        """Ask all players to end, and kill those that do not."""
        taken = [seat for seat in self.seats if seat.actor is not None]
        for seat in taken:
            seat.actor.stop.remote()
        if taken:
            self._ray.wait([seat.playing for seat in taken], num_returns=len(taken), timeout=PATIENCE)
        for seat in taken:
            self._ray.kill(seat.actor)
            seat.actor = seat.playing = None


def _cause(error: Exception) -> str:
    """What went wrong, in a line."""
    cause = getattr(error, "cause", None) or error
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    if getattr(error, "actor_init_failed", False):  # a traceback, whose last line tells
        return lines[-1].partition(": ")[2] or lines[-1]
    return lines[0] if lines else type(cause).__name__


def play(options: ClusterOptions, ray: Any, stop: threading.Event) -> Report:
    """Play on a cluster until told to stop, or as many games as asked for. Returns how things stood at the end.

    Raises ClusterError as `Cluster` and its methods.
    """
    with Progress(options.name, options.once, every=SAY_SECONDS) as bar, Cluster(options, ray, bar.message) as cluster:
        said = -REPORT_SECONDS
        report = cluster.report()
        try:
            while not stop.is_set() and (options.once is None or report.games - cluster.games_before < options.once):
                cluster.watch(min(1.0, REPORT_SECONDS))
                if time.monotonic() - said >= REPORT_SECONDS:
                    report, said = cluster.report(), time.monotonic()
                    bar.update(report.games - cluster.games_before, words(report))
        finally:
            cluster.end()
        return cluster.report()


def words(report: Report) -> str:
    """A report in a line."""
    if not report.net:
        return "waits for a net"
    pace = report.pace
    return (
        f"{pace.workers} actors, {pace.games_per_minute:,.0f} games/min, {pace.evaluations_per_second:,.0f} "
        f"evaluations/s, net {report.net} busy {100 * pace.busy:.0f} %, {report.shards:,} shards, "
        f"{report.received / 1e6:,.1f} MB"
    )
