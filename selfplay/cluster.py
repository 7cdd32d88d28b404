"""Self-play on many machines: the same workers as Ray's actors, on every node that the cluster has.

Places a depot where the run's folder is and players wherever there is room, and says how things stand. What they do is in
`selfplay.depot`; who learns from the games is another command.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from goengine.core import ray_cluster
from goengine.core.progress import Progress
from goengine.core.ray_cluster import Calls, ClusterAddress, ClusterError, Slots, WorkerSlot, cause, here
from selfplay.depot import Bundle, Depot, DepotWorker, Report
from selfplay.worker_options import ClusterOptions

PATIENCE = 20.0  # seconds that players have to bring their last games
REPORT_SECONDS, SAY_SECONDS = 2.0, 60.0  # between two reports, and two lines where there is no terminal


# -- inside actors --


class PlayerActor:
    """A player as an actor: `play` goes on in one thread until `stop` comes in another."""

    def __init__(self, name: str, options: ClusterOptions, depot: Any):
        self._stop = threading.Event()
        self._player = DepotWorker(name, options, Calls(depot), _fetch)

    def play(self) -> None:
        """Play until told to stop."""
        self._player.play(self._stop)

    def stop(self) -> None:
        """Tell `play` to end."""
        self._stop.set()


def _put(files: Bundle) -> Any:
    """Files in the object store, which brings them to each node once, however many players ask there."""
    import ray

    return ray.put(files)


def _fetch(reference: Any) -> Bundle:
    import ray

    found: Bundle = ray.get(reference)
    return found


# -- the command --


def connected(options: ClusterOptions) -> contextlib.AbstractContextManager[Any]:
    """The module ray, connected to the options' cluster, as `ray_cluster.connected`."""
    wanted = (options.actors or 0) * options.threads
    return ray_cluster.connected(ClusterAddress(options.address, wanted, options.dashboard))


class Cluster:
    """A depot and its players. Use it as a context manager: they end with the block."""

    def __init__(self, options: ClusterOptions, ray: Any, say: Callable[[str], None]):
        """Raises ClusterError if the depot cannot start: the folder is no run, or another depot has its name."""
        self.options, self._ray, self._say = options, ray, say
        self.depot = self._place_depot()
        self.games_before = self.report(max_task_retries=0).games
        names = [f"{options.name}-{number}" for number in range(1, self._count() + 1)]
        self.seats = Slots([WorkerSlot(name, self._start) for name in names], ray, say)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _place_depot(self) -> Any:
        """Where this process is connected: with ray:// that is the head."""
        placed = self._ray.remote(Depot).options(
            num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here(self._ray)
        )
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

    def _start(self, name: str) -> tuple[Any, Any]:
        share = self.options.gpu_share if self.options.device == "cuda" else 0
        actor = self._ray.remote(PlayerActor).options(
            num_cpus=self.options.threads, num_gpus=share, max_concurrency=2, scheduling_strategy="SPREAD"
        )
        player = actor.remote(name, self.options, self.depot)
        return player, player.play.remote()

    def report(self, **options: Any) -> Report:
        """How things stand; options: of the call. Raises ClusterError if the depot fails."""
        try:
            found: Report = self._ray.get(self.depot.report.options(**options).remote())
            return found
        except self._ray.exceptions.RayError as error:
            raise ClusterError(cause(error)) from error

    def watch(self, patience: float) -> None:
        """Fill empty seats, and wait so many seconds for players that end.

        Raises ClusterError if one fails again and again.
        """
        for name, _ in self.seats.watch(patience):
            self._say(f"{name} ended; another one starts")

    def end(self) -> None:
        """Ask all players to end, and kill those that do not."""
        self.seats.end(PATIENCE)


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
