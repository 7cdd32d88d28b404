"""The command line of `goengine analysis`: its own options, and KataGo's, which have one dash. Imports nothing slow."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from goengine.core.options import MOST_THREADS, option

_AS_OURS: Final = {  # KataGo's options and ours
    "-model": "--model",
    "-config": "--katago-config",
    "-override-config": "--override-config",
    "-analysis-threads": "--analysis-threads",
    "-human-model": "--human-model",
    "-model-dir": "--model-dir",
    "-quit-without-waiting": "--quit-without-waiting",
}


@dataclass(frozen=True)
class AnalysisOptions:
    """Analyse many positions at once: KataGo's JSON analysis engine on stdin and stdout.

    KataGo's own options are taken with one dash, too: -model, -config, -override-config, -analysis-threads,
    -quit-without-waiting.
    """

    model: str | None = option(None, "a net: a shipped one's name or a path; the best for each board size if not given")
    katago_config: str | None = option(None, "settings in a file of KataGo's; also -config FILE")
    override_config: str = option("", "settings such as maxVisits=200,reportAnalysisWinratesAs=BLACK")
    analysis_threads: int | None = option(None, "positions that are searched at once", least=1, most=16384)
    human_model: str | None = option(None, "KataGo's net of human play; none is used here")
    model_dir: str | None = option(None, "a folder of nets of KataGo's; none is used here")
    quit_without_waiting: bool = option(False, "end at once when stdin is closed, whatever is under way")
    threads: int | None = option(None, "CPU threads for the net; all cores if not given", least=1, most=MOST_THREADS)
    precision: Literal["auto", "f32", "bf16", "f16", "int8"] = option("auto", "number format of the net on a CPU")
    symmetries: int = option(1, "views of each position that are averaged", least=1, most=8)
    megabytes: int = option(2048, "memory for the trees of all positions at once", least=64, most=1 << 20)
    reuse: bool = option(True, "go on with the tree of the turn before where the next one is wanted, too")
    quiet: bool = option(False, "nothing on stderr but errors")


def as_ours(arguments: Sequence[str]) -> list[str]:
    """The arguments with KataGo's spellings in ours; several -override-config become one."""
    found: list[str] = []
    overrides: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        name, equals, value = argument.partition("=")
        name = _AS_OURS.get(name, name)
        if name == "--override-config":
            overrides.append(value if equals else next(waiting, ""))
        else:
            found.append(name + equals + value)
    return found + (["--override-config=" + ",".join(overrides)] if overrides else [])


def arguments_of(argv: Sequence[str] | None) -> list[str]:
    """What the process was called with, in our spelling."""
    return as_ours(sys.argv[1:] if argv is None else argv)
