"""The commands of `python -m training`: names, options, and what they print. The work is done elsewhere; torch is imported by need."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from goengine.nets.safetensors_file import WeightsError
from goengine.options import option, parse_command
from goengine.progress import Progress
from goengine.records import RecordError
from training.checkpoint import RunError


@dataclass(frozen=True)
class Pack:
    """Pack SGF files and collections (.sgf, .sgfs, .xz) into one file for training."""

    sources: tuple[Path, ...] = option(help="files to read")
    out: Path = option(help="file to write, NAME.npz")
    owners: bool = option(True, "judge who owns each point at the end of counted games")


def run_pack(config: Pack) -> int:
    """Pack, and say what became of the games."""
    from training import packs

    with Progress(f"pack {config.out.name}") as bar:
        count = 0

        def say(text: str) -> None:
            nonlocal count
            count += 1
            bar.update(count, text)

        report = packs.pack(config.sources, config.out, owners=config.owners, say=say)
    sys.stderr.write(f"{config.out}: {report.games} games, {report.positions} positions, {report.counted} counted, {report.owned} with owners, "
                     f"{report.left_out} left out{' (first: ' + report.first_error + ')' if report.first_error else ''}\n")
    return 0


def run_supervised(config) -> int:
    """Train; SIGTERM and SIGINT save and end with 130."""
    from training.stages import supervised

    return 0 if supervised(config) else 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command. 0: done; 1: it failed, and stderr says why; 2: wrong options; 130: stopped by a signal, go on with the same command."""
    from training.options import Supervised

    commands = {"pack": (Pack, run_pack), "supervised": (Supervised, run_supervised)}
    name, config = parse_command({key: kind for key, (kind, _) in commands.items()}, argv, prog="python -m training", description=__doc__)
    try:
        return commands[name][1](config)
    except (RecordError, RunError, WeightsError) as error:
        sys.stderr.write(f"python -m training {name}: {error}\n")
        return 1
