"""How self-play grows with the number of Ray's actors on this machine, and how soon a lost node is made up for.

    python benchmarks/cluster.py --size 9 --net b4c32 --actors 1 2 4 --seconds 60

Plays with a fresh net in a run folder of its own. Games are counted between two moments at which all actors play, and by the
shards that have arrived, so the figures are those of whole games on the disk. The node that is lost is one of two that share
this machine. The depot's own pace is measured with shards of the mean length, written to the folder that is given.
"""

import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from goengine.core import machine
from goengine.core.options import option, parse
from goengine.core.tables import table
from goengine.zero import run_folder
from goengine.zero.run_folder import SizeSettings, Status
from goengine.zero.selfplay_params import SelfPlayParams
from selfplay import cluster
from selfplay.depot import Depot
from selfplay.worker_options import ClusterOptions

Row = tuple[str, str, str]


@dataclass(frozen=True)
class Options:
    """Measure self-play on a cluster of this machine."""

    actors: tuple[int, ...] = option((1, 2, 4), "numbers of actors")
    size: int = option(9, "board size")
    net: str = option("b4c32", "an architecture")
    visits: int = option(16, "of a search")
    games: int = option(64, "games that each actor plays at once")
    seconds: float = option(60.0, "length of a measurement")
    node: bool = option(True, "lose a node, too")
    folder: Path | None = option(None, "for the run; by default a temporary one")


def new_run(run: Path, options: Options) -> Path:
    """A run folder with a fresh net."""
    from goengine import features
    from goengine.nets import architecture, build, export, weights_file

    chosen = features.get("zero")
    settings = SelfPlayParams(size=options.size, visits=options.visits)
    wanted = architecture.parse(options.net, chosen.name, chosen.planes, chosen.globals)

    def write(folder: Path) -> None:
        weights_file.save(folder / "net.safetensors", build.build(wanted, 1), wanted)
        net, meta = weights_file.load_module(folder / "net.safetensors")
        export.save_openvino(export.openvino_model(net, meta), folder / "net.xml")

    run_folder.create(run, [options.size], chosen.name, {})
    run_folder.publish(run, write, [SizeSettings(settings)], samples=0, step=0)
    return run


def drive(at_work: cluster.Cluster, until: Callable[[], bool], seconds: float) -> float:
    """Let a cluster work until something has happened. Returns the seconds that it took."""
    begun = time.monotonic()
    while not until():
        if time.monotonic() - begun > seconds:
            sys.exit("it takes too long")
        at_work.watch(0.2)
    return time.monotonic() - begun


def playing(at_work: cluster.Cluster, run: Path, since: float) -> bool:
    """Whether every seat has brought games since then."""
    statuses = run_folder.statuses(run)
    return all(statuses.get(seat.name, Status()).time > since for seat in at_work.seats)


def measure(run: Path, options: Options, actors: int) -> Iterator[Row]:
    """Games and evaluations per second of so many actors."""
    chosen = ClusterOptions(run=run, name=f"bench{actors}", actors=actors, games=options.games)
    with cluster.connected(chosen) as ray, cluster.Cluster(chosen, ray, lambda text: None) as at_work:
        began = time.time()
        start_up = drive(at_work, lambda: playing(at_work, run, began), 600)
        before, since = at_work.report(), time.monotonic()
        drive(at_work, lambda: time.monotonic() - since >= options.seconds, 2 * options.seconds + 60)
        report, seconds = at_work.report(), time.monotonic() - since
        label = f"{actors} actors" if actors > 1 else "1 actor"
        yield label, f"{(report.games - before.games) / seconds:.2f}", "games/s"
        yield label, f"{report.pace.evaluations_per_second:,.0f}", "evaluations/s, lately"
        yield label, f"{start_up:.0f}", "s until each has brought games"
        shards = max(report.shards - before.shards, 1)
        yield label, f"{(report.received - before.received) / shards / 1e3:,.0f}", "kB per shard"
        yield label, f"{(report.received - before.received) / max(report.games - before.games, 1):,.0f}", "bytes per game"


def lose(run: Path, options: Options) -> Iterator[Row]:
    """Two nodes with an actor each; one node is killed, and another comes."""
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    victim = nodes.add_node(num_cpus=1)
    chosen = ClusterOptions(run=run, name="lost", actors=2, games=options.games, address=nodes.address)
    said: list[str] = []
    try:
        with cluster.connected(chosen) as ray, cluster.Cluster(chosen, ray, said.append) as at_work:
            began = time.time()
            drive(at_work, lambda: playing(at_work, run, began), 600)
            nodes.remove_node(victim, allow_graceful=False)
            noticed = drive(at_work, lambda: any("died" in text for text in said), 300)
            yield "a node of two is killed", f"{noticed:.0f}", "s until it is noticed"
            nodes.add_node(num_cpus=1)
            again = time.time()
            back = drive(at_work, lambda: playing(at_work, run, again), 600)
            yield "another node comes", f"{back:.0f}", "s until both actors have brought games"
    finally:
        nodes.shutdown()


def depot_pace(run: Path, length: int, seconds: float = 3.0) -> Iterator[Row]:
    """How many shards a depot writes, without the network before it."""
    depot, contents = Depot(run, "pace"), itertools.count()
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        depot.deliver("pace-1", next(contents).to_bytes(8, "little") * (length // 8), Status(time=time.time()))
    took = time.monotonic() - begun
    depot.close()
    yield f"depot, shards of {length / 1e3:.0f} kB", f"{depot.shards / took:,.0f}", "shards/s"
    for path in run_folder.shard_paths(run):
        if path.name.startswith("pace-"):
            path.unlink()


def main() -> None:
    """Measure, and print a table."""
    options = parse(Options)
    here = machine.describe()
    with tempfile.TemporaryDirectory() as temporary:
        run = new_run((options.folder or Path(temporary)) / "run", options)
        rows = [row for actors in options.actors for row in measure(run, options, actors)]
        lengths = [path.stat().st_size for path in run_folder.shard_paths(run)]
        rows += depot_pace(run, sum(lengths) // len(lengths))
        rows += lose(run, options) if options.node else ()
        net = sum((run / "nets/000000" / name).stat().st_size for name in ("net.xml", "net.bin"))
        rows.append(("a net's files", f"{net / 1e3:,.0f}", "kB"))
    print(f"{here.processor}, {here.cores} cores; load {here.load:.1f}; {options.size}x{options.size}, {options.net}\n")
    print(table(rows, header=("what", "", "")))


if __name__ == "__main__":
    main()
