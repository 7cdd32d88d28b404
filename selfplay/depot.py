"""A run's folder for workers that do not see it: nets go out and shards come in by calls.

Knows which files travel and how nothing is lost or written twice. A `Depot` stands where the run's folder is; each
`DepotWorker` is a worker in a small folder of its own, which it keeps in step with the depot. Knows no ray: the depot that a
player calls may be an object in this process or one at the other end of a network. Shards are not judged here, the learner
does.
"""

import shutil
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from platform import node
from typing import Any, Protocol

from goengine import __version__
from goengine.core.files import replacing
from goengine.zero import run_folder
from goengine.zero.run_folder import GRAPH, PLAY, WEIGHTS, Pace, RunFolderError, Status
from selfplay.worker import LOOK_SECONDS, NAME_SECONDS, Worker, hold_name
from selfplay.worker_options import ClusterOptions, WorkerOptions

Bundle = Mapping[str, bytes]  # a net's files by name


@dataclass(frozen=True)
class Welcome:
    """What a player learns at its first call."""

    config: Mapping[str, Any]  # of the run
    status: Status  # what players of its name have done before
    folder: str  # name for its own folder, another for each run


@dataclass(frozen=True)
class Report:
    """How the players of a depot stand."""

    games: int  # of all players of these names, earlier ones too
    pace: Pace  # of those that were heard of lately
    net: str  # the newest
    shards: int  # that came in since the depot stands
    received: int  # bytes of these


class DepotClient(Protocol):
    """What a player calls: a `Depot`, or what passes the calls on to one."""

    def welcome(self, player: str, version: str) -> Welcome: ...

    def newest(self, known: str, kind: str) -> tuple[str, Any] | None: ...

    def deliver(self, player: str, shard: bytes | None, status: Status) -> None: ...


class Depot:
    """Stands in for the run's folder. Every call may be made again when nobody knows whether it arrived.

    name: all its players' names begin with it and a hyphen. put: makes of a net's files what travels to many.
    Raises RunFolderError if the folder is no run of this version, or another depot of that name is at work there.
    """

    def __init__(self, run: Path, name: str, put: Callable[[Bundle], Any] = lambda files: files):
        self.run, self._put = run, put
        self.config = run_folder.read_config(run)
        self._lock = hold_name(run, name, NAME_SECONDS)
        statuses = run_folder.statuses(run)
        self._statuses = {player: status for player, status in statuses.items() if player.startswith(f"{name}-")}
        self._last: dict[str, tuple[int, bytes]] = {}  # player: number and content of its last shard
        self._looked = -LOOK_SECONDS
        self._net: run_folder.PublishedNet | None = None
        self._bundles: dict[str, Any] = {}  # of that net, by kind
        self.shards = self.received = 0

    def close(self) -> None:
        """Release the name."""
        self._lock.release()

    def welcome(self, player: str, version: str) -> Welcome:
        """What a player of that name must know to begin. Raises RunFolderError if its program is of another version."""
        if version != __version__:
            raise RunFolderError(f"{player}: its node has version {version}, the head {__version__}")
        place = zlib.crc32(f"{node()} {self.run.absolute()}".encode())
        return Welcome(self.config, self._statuses.get(player, Status()), f"goengine-{place:08x}-{player}")

    def newest(self, known: str, kind: str) -> tuple[str, Any] | None:
        """(name, files) of the newest net, as `put` made them; None if that is the known one. kind: the player's device.

        Raises RunFolderError if the net has no form for that device.
        """
        self._look()
        if self._net is None or self._net.name == known:
            return None
        if kind not in self._bundles:
            played = self._net.file_for(kind).name
            names = (*(GRAPH if played in GRAPH else (WEIGHTS,)), PLAY)
            files = {name: (self._net.folder / name).read_bytes() for name in names}
            self._bundles[kind] = self._put(files)
        return self._net.name, self._bundles[kind]

    def _look(self) -> None:
        """Look at the folder now and then only: many players ask."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        found, self._looked = run_folder.newest(self.run), time.monotonic()
        if found != self._net:
            self._net, self._bundles = found, {}

    def deliver(self, player: str, shard: bytes | None, status: Status) -> None:
        """Write a player's shard, and what the player has done. A shard that came twice in a row is written once.

        Raises OSError if the folder cannot be written.
        """
        if shard is not None:
            self._write(player, shard)
        self._statuses[player] = status
        run_folder.write_status(self.run, player, status)

    def _write(self, player: str, shard: bytes) -> None:
        if player not in self._last:  # this depot may be newer than its players
            following = run_folder.next_shard_path(self.run, player)
            before = int(following.stem.rpartition("-")[2]) - 1
            last = _shard_path(self.run, player, before)
            self._last[player] = before, last.read_bytes() if last.exists() else b""
        number, content = self._last[player]
        if content == shard:
            return
        with replacing(_shard_path(self.run, player, number + 1)) as beside:
            beside.write_bytes(shard)
        self._last[player] = number + 1, shard
        self.shards, self.received = self.shards + 1, self.received + len(shard)

    def report(self) -> Report:
        """How things stand."""
        self._look()
        return Report(
            games=sum(status.games for status in self._statuses.values()),
            pace=run_folder.pace(self._statuses.values()),
            net=self._net.name if self._net else "",
            shards=self.shards,
            received=self.received,
        )


def _shard_path(run: Path, player: str, number: int) -> Path:
    return run / run_folder.SHARDS / f"{player}-{number:06d}.npz"


class DepotWorker:
    """A worker that plays with a depot's nets and brings its games there; `play` does the work, once.

    fetch: makes a net's files again of what the depot's `put` made of them.
    """

    def __init__(
        self, name: str, options: ClusterOptions, client: DepotClient, fetch: Callable[[Any], Bundle] = lambda files: files
    ):
        self.name, self.options = name, options
        self._client, self._fetch = client, fetch
        self._net = ""  # that was fetched last
        self._told: Status | None = None
        self._error: Exception | None = None

    def play(self, stop: threading.Event) -> None:
        """Play until told to stop; the games that are over are brought to the depot, and the own folder is removed.

        Raises what `Worker.play` raises, and whatever a call to the depot did; then it has set `stop`, too.
        """
        welcome = self._client.welcome(self.name, __version__)
        run = Path(tempfile.gettempdir()) / welcome.folder
        shutil.rmtree(run, ignore_errors=True)  # of a player of this name that was killed here
        run.mkdir(mode=0o700)
        config, over = welcome.config, threading.Event()
        exchange = threading.Thread(target=self._exchange, args=(run, stop, over), name="exchange")
        try:
            run_folder.create(run, config["sizes"], config["features"], config["options"])
            run_folder.write_status(run, self.name, welcome.status)
            self._told = welcome.status
            own = {name: getattr(self.options, name) for name in ("games", "threads", "device")}
            with Worker(WorkerOptions(run=run, name=self.name, **own)) as worker:
                exchange.start()
                worker.play(stop)
        finally:
            over.set()
            if exchange.ident is not None:
                exchange.join()
            shutil.rmtree(run, ignore_errors=True)
        if self._error is not None:
            raise self._error

    def _exchange(self, run: Path, stop: threading.Event, over: threading.Event) -> None:
        """Bring games and fetch nets, now and then, and once more when the game is over."""
        try:
            while True:
                last = over.is_set()
                self._bring(run)
                if last:
                    return
                self._get(run)
                over.wait(LOOK_SECONDS)
        except Exception as error:  # noqa: BLE001 (raised again by `play`)
            self._error = error
            stop.set()

    def _bring(self, run: Path) -> None:
        """Everything that the worker has written since."""
        for path in sorted((run / run_folder.SHARDS).glob("[!.]*.npz")):
            self._told = run_folder.read_status(run, self.name)
            self._client.deliver(self.name, path.read_bytes(), self._told)
            path.unlink()
        status = run_folder.read_status(run, self.name)
        if status != self._told:
            self._client.deliver(self.name, None, status)
            self._told = status

    def _get(self, run: Path) -> None:
        """The newest net, if that is another one."""
        found = self._client.newest(self._net, self.options.device)
        if found is None:
            return
        name, files = found[0], self._fetch(found[1])
        beside = run / run_folder.NETS / f".{name}.part"
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        for file, content in files.items():
            (beside / file).write_bytes(content)
        beside.rename(run / run_folder.NETS / name)
        run_folder.prune(run, keep=())
        self._net = name
