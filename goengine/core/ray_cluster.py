"""A Ray cluster: how one is made or found, why a call to it failed, and places whose actors are started again.

Of all modules only this one, `selfplay.cluster` and `training.parallel.cluster` know ray, which they import by need. Knows
nothing of what the actors do.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from goengine.core.machine import usable_cores
from goengine.core.restarts import Restarts

KNOCK_SECONDS = 10.0  # for a head to answer
TRIES = 3  # to begin a cluster of our own
LOCAL = "local"
_STORE = 256 << 20  # bytes of the object store of a cluster of our own: a few nets
_NAMESPACE = "goengine"  # where actors that others look for by name are found


class ClusterError(Exception):
    """A cluster that cannot begin or go on; the message says why and what to do."""


@dataclass(frozen=True)
class ClusterAddress:
    """Where a cluster is, and what one of our own gets."""

    address: str = LOCAL  # local: made here, for this process; auto; HOST:PORT; ray://HOST:PORT
    cpus: int = 0  # that actors will ask for; a cluster of our own then has so many, and no fewer than the machine's cores
    dashboard: bool = False


class Calls:
    """Calls of an actor's methods as if the object were in this process."""

    def __init__(self, actor: Any):
        self._actor = actor

    def __getattr__(self, name: str) -> Callable[..., Any]:
        import ray

        return lambda *arguments: ray.get(getattr(self._actor, name).remote(*arguments))


@contextlib.contextmanager
def connected(place: ClusterAddress) -> Iterator[Any]:
    """The module ray, connected to the cluster. A cluster of our own listens on the loopback interface only.

    Raises ClusterError if ray is missing or the cluster does not answer.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to anybody
    if place.address == LOCAL or place.address.startswith(("127.", "localhost:")):
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # what keeps Ray on 127.0.0.1, on Linux as well
    try:
        import ray
    except ImportError:
        raise ClusterError("ray is not installed: pip install 'ray[default]==2.60.*'") from None
    settings: dict[str, Any] = {"address": place.address, "log_to_driver": False, "logging_level": "ERROR"}
    settings["namespace"] = _NAMESPACE
    if place.address == LOCAL:
        cpus = max(usable_cores(), place.cpus)
        settings |= {"num_cpus": cpus, "object_store_memory": _STORE, "_node_ip_address": "127.0.0.1"}
        settings |= {"include_dashboard": place.dashboard, "dashboard_host": "127.0.0.1"}
    try:
        _knock(place.address)
        _begin(ray, settings)
    except Exception as error:
        raise ClusterError(f"--address {place.address}: Ray does not answer ({cause(error)})") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _begin(ray: Any, settings: Mapping[str, Any]) -> None:
    """ray.init. A cluster of our own is tried again: Ray gives its processes 30 s to start, too few for a machine at work."""
    for left in reversed(range(TRIES)):
        try:
            ray.init(**settings)
            return
        except Exception as error:
            ray.shutdown()
            if not left or settings["address"] != LOCAL or "timed out" not in str(error):
                raise


def _knock(address: str) -> None:
    """Raises OSError if nobody listens at HOST:PORT; Ray would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()


def here(ray: Any) -> Any:
    """A scheduling strategy that places an actor where this process is connected: with ray:// that is the head."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)


def cause(error: Exception) -> str:
    """What went wrong, in a line."""
    found = getattr(error, "cause", None) or error
    lines = [line.strip() for line in str(found).splitlines() if line.strip()]
    if getattr(error, "actor_init_failed", False):  # a traceback, whose last line tells
        return lines[-1].partition(": ")[2] or lines[-1]
    return lines[0] if lines else type(found).__name__


class WorkerSlot:
    """A place for an actor: who works there now, and how those before ended."""

    def __init__(self, name: str, start: Callable[[str], tuple[Any, Any]]):
        """start: makes the actor of that name, and sets it to work. Returns (actor, reference to what its work will return)."""
        self.name, self._start = name, start
        self.actor: Any = None
        self.working: Any = None
        self.restarts = Restarts()

    def fill(self) -> None:
        """Start an actor where there is room, now or later."""
        self.actor, self.working = self._start(self.name)
        self.restarts.note_start(time.monotonic())

    def clear(self, *, failed: bool) -> None:
        """The actor is gone; failed: by its own fault."""
        self.actor = self.working = None
        self.restarts.note_end(time.monotonic(), failed=failed)


class Slots:
    """Several of them: who has died is replaced."""

    def __init__(self, slots: list[WorkerSlot], ray: Any, say: Callable[[str], None]):
        self.slots, self._ray, self._say = slots, ray, say

    def watch(self, patience: float) -> list[tuple[str, Any]]:
        """Fill empty slots, and wait so many seconds for actors that end. Returns (name, what its work returned) of those that
        came to an end by themselves; their slots are empty and will be filled again.

        Raises ClusterError if one fails again and again.
        """
        now = time.monotonic()
        for slot in self.slots:
            if slot.actor is None and now >= slot.restarts.again:
                slot.fill()
        working = {slot.working: slot for slot in self.slots if slot.actor is not None}
        if not working:
            time.sleep(patience)
            return []
        ended = self._ray.wait(list(working), num_returns=len(working), timeout=patience)[0]
        told = [(working[reference].name, *self._ended(working[reference])) for reference in ended]
        return [(name, result) for name, well, result in told if well]

    def _ended(self, slot: WorkerSlot) -> tuple[bool, Any]:
        """Free the slot of an actor that has ended, and say how if it did not end well. Returns (ended well, its result)."""
        errors, failed = self._ray.exceptions, False
        try:
            result = self._ray.get(slot.working)
            self._ray.kill(slot.actor)
            slot.clear(failed=False)
            return True, result
        except errors.RayTaskError as error:
            why, failed = f"failed: {cause(error)}", True
        except errors.RayError as error:
            why, failed = f"died: {cause(error)}", getattr(error, "actor_init_failed", False)
        self._ray.kill(slot.actor)  # it may still live and only be out of reach: there must not be two
        slot.clear(failed=failed)
        if slot.restarts.hopeless:
            raise ClusterError(f"{slot.name} failed {slot.restarts.failures} times in a row; it {why}")
        self._say(f"{slot.name} {why}; another one starts")
        return False, None

    def end(self, patience: float) -> None:
        """Ask all actors to stop, wait so many seconds for them, and kill those that do not."""
        taken = [slot for slot in self.slots if slot.actor is not None]
        for slot in taken:
            slot.actor.stop.remote()
        if taken:
            self._ray.wait([slot.working for slot in taken], num_returns=len(taken), timeout=patience)
        for slot in taken:
            self._ray.kill(slot.actor)
            slot.actor = slot.working = None
