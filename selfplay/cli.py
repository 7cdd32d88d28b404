"""The commands of `python -m selfplay`.

Knows their names and what they print. The work is done elsewhere and imported by need.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from goengine.core.options import parse_command
from goengine.core.stopping import told_to_stop
from selfplay.worker_options import ClusterOptions, SelfPlayBenchOptions, SgfOptions, WorkerOptions

DESCRIPTION = "Games of a net against itself. COMMAND --help lists a command's options."


def run_worker(options: WorkerOptions) -> int:
    """Play until told to stop; the games that are over are written."""
    from selfplay.worker import Worker

    with told_to_stop(attached=options.attached) as stop, Worker(options) as worker:
        worker.play(stop)
    sys.stderr.write(f"{worker.name}: {worker.summary()}\n")
    return 0


def run_cluster(options: ClusterOptions) -> int:
    """Play on a cluster until told to stop; the games that are over are written."""
    from goengine.zero import run_folder
    from selfplay import cluster

    if not options.address.startswith("ray://"):  # which another machine sees
        run_folder.read_config(options.run)
    try:
        # Ray handles signals, too: set our handlers after its own, and restore its own before it ends.
        with cluster.connected(options) as ray, told_to_stop(attached=options.attached) as stop:
            report = cluster.play(options, ray, stop)
    except cluster.ClusterError as error:
        sys.stderr.write(f"python -m selfplay cluster: {error}\n")
        return 1
    sys.stderr.write(f"{options.name}: {report.games:,} games, {cluster.words(report)}\n")
    return 0


def run_sgf(options: SgfOptions) -> int:
    """Write the files, and say how many."""
    from goengine.zero.shards import Shard, write_sgf

    for path in options.shards:
        shard = Shard.load(path)
        write_sgf(shard, options.out)
        sys.stderr.write(f"{path}: {len(shard)} games of net {shard.net}\n")
    return 0


def run_bench(options: SelfPlayBenchOptions) -> int:
    """Measure, and print a line per figure or one JSON object."""
    from selfplay.selfplay_bench import measure

    found = []
    for figure in measure(options):
        found.append(asdict(figure))
        if not options.json:
            sys.stdout.write(f"{figure.part:28} {figure.size:2}x{figure.size:<2} {figure.value:12.1f} {figure.unit}\n")
    if options.json:
        sys.stdout.write(json.dumps({"figures": found}) + "\n")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. 0: done; 1: it failed, and stderr says why; 2: wrong options; 130: ended at once by a second signal."""
    commands = {
        "worker": (WorkerOptions, run_worker),
        "cluster": (ClusterOptions, run_cluster),
        "sgf": (SgfOptions, run_sgf),
        "bench": (SelfPlayBenchOptions, run_bench),
    }
    name, options = parse_command(
        {key: kind for key, (kind, _) in commands.items()}, argv, prog="python -m selfplay", description=DESCRIPTION
    )
    from goengine.core.array_file import RecordError
    from goengine.evaluators.base import EvaluatorError
    from goengine.zero.run_folder import RunFolderError

    try:
        return commands[name][1](options)
    except KeyboardInterrupt:
        return 130
    except (RunFolderError, EvaluatorError, RecordError) as error:
        reason = str(error)
    except OSError as error:
        place = error.filename2 or error.filename
        reason = (f"{place}: " if place else "") + (error.strerror or str(error))
    sys.stderr.write(f"python -m selfplay {name}: {reason}\n")
    return 1
