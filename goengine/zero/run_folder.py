"""The folder in which self-play and learning meet: where everything lies, and how it gets there whole.

    RUN/config.json         what the run is: form, board sizes, feature set, the learner's options
    RUN/lock                held by the process that leads the run
    RUN/nets/000012/        a net that plays: net.safetensors; net.xml and net.bin where the run exports nets for OpenVINO;
                            play.json (how self-play plays with it)
    RUN/shards/NAME-000001.npz   games of the worker NAME, on one board size
    RUN/status/NAME.json    what that worker has done
    RUN/learner/            the learner's checkpoints
    RUN/learner-next/       those of a larger net that learns to take over; RUN/learner-b4c32/: of one that rests
    RUN/matches/ elo.json elo.png   ratings

Whatever is written is prepared beside its place and renamed, so that others see it whole or not at all, and may be killed
at any moment. Knows names of files and their JSON; what is in nets and shards is for others.
"""

import json
import re
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from goengine.core.files import read_outside, remove_parts, replacing
from goengine.zero.selfplay_params import SelfPlayParams, SelfPlayParamsError

FORM = "goengine zero run 2"
CONFIG, NETS, SHARDS, STATUS, LEARNER, MATCHES = "config.json", "nets", "shards", "status", "learner", "matches"
NEXT = "learner-next"
MAX_JSON = 64 << 20  # bytes
WEIGHTS = "net.safetensors"
GRAPH = ("net.xml", "net.bin")  # for OpenVINO
NET_FILES = (*GRAPH, WEIGHTS)
PLAY, LOCK = "play.json", "lock"
FRESH = 120.0  # seconds for which what a worker said of its speed counts
LAST = 4  # of the newest nets are never removed: somebody may be loading one of them
_NUMBER = re.compile(r"\d{6,9}")
_WORKER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")


class RunFolderError(Exception):
    """A run folder that cannot be used; the message says why and what to do."""


class SizeSettings(NamedTuple):
    """How self-play plays on one board size."""

    settings: SelfPlayParams
    share: float = 1.0  # of all evaluations that go to this size


class PublishedNet(NamedTuple):
    """A net of a run."""

    number: int
    folder: Path
    boards: tuple[SizeSettings, ...]  # how self-play plays with it, by board size; the first is the one that ratings are about
    samples: int = 0  # positions drawn for learning before it, by all learners of the run
    step: int = 0  # of the learner that made it
    made: str = ""  # time in ISO form

    @property
    def name(self) -> str:
        """As shards and ratings call it."""
        return self.folder.name

    @property
    def settings(self) -> SelfPlayParams:
        """Those of the first board size."""
        return self.boards[0].settings

    @property
    def sizes(self) -> tuple[int, ...]:
        """The board sizes, in order."""
        return tuple(board.settings.size for board in self.boards)

    def file_for(self, device: str) -> Path:
        """What is played on a device: the graph on 'cpu', which is OpenVINO, the weights on torch's devices.

        Raises RunFolderError if there is no graph.
        """
        if device != "cpu":
            return self.folder / WEIGHTS
        if not (self.folder / GRAPH[0]).exists():
            raise RunFolderError(
                f"{self.folder}: has no {GRAPH[0]}, as this run does not export its nets for OpenVINO: play them by torch with "
                "--device torch-cpu or cuda, or start the run with --export"
            )
        return self.folder / GRAPH[0]


@dataclass(frozen=True)
class Status:
    """What a worker has done, over all its processes."""

    games: int = 0
    positions: int = 0
    evaluations: int = 0
    seconds: float = 0.0  # of playing
    net_seconds: float = 0.0  # of these, with the net
    net: str = ""  # that it plays with
    device: str = ""
    given_up: int = 0  # games that were played out although a side would have given up
    falsely: int = 0  # of these, games that this side did not lose
    games_per_minute: float = 0.0  # lately, as the next two
    evaluations_per_second: float = 0.0
    busy: float = 0.0  # share of the time in which the net computed
    time: float = 0.0  # when this was written, seconds since the epoch


@dataclass(frozen=True)
class Pace:
    """What the workers that are at work do together."""

    workers: int
    games_per_minute: float
    evaluations_per_second: float
    busy: float  # mean share of the time in which their nets computed


def pace(statuses: Iterable[Status]) -> Pace:
    """The pace of those workers that have said something lately."""
    fresh = [status for status in statuses if time.time() - status.time < FRESH]
    return Pace(
        len(fresh),
        sum(status.games_per_minute for status in fresh),
        sum(status.evaluations_per_second for status in fresh),
        sum(status.busy for status in fresh) / max(len(fresh), 1),
    )


# -- what the run is --


def check(run: Path, sizes: Collection[int], features: str) -> bool:
    """Whether there is a run of these board sizes, in any order, and this feature set; False where there is none yet.

    Raises RunFolderError if the folder is of another version, other board sizes or another feature set, or holds something
    else.
    """
    if not (run / CONFIG).exists():
        if any(path.name != LOCK for path in run.glob("*")):
            raise RunFolderError(f"{run}: holds something, but no run (there is no {CONFIG}); take another --run folder")
        return False
    config = read_config(run)
    told = (("size", words(config["sizes"]), words(sizes)), ("features", config["features"], features))
    for name, found, wanted in told:
        if found != wanted:
            raise RunFolderError(f"{run}: a run with {name} {found}, not {wanted}; go on so, or take another --run folder")
    return True


def words(sizes: Collection[int]) -> str:
    """Board sizes in words, the smallest first: '9 and 19'."""
    return " and ".join(map(str, sorted(sizes)))


def create(run: Path, sizes: Sequence[int], features: str, options: Mapping[str, Any]) -> None:
    """Make a run folder, or go on with the one there is, and write down the options.

    Raises RunFolderError as `check`, and nothing is changed then; OSError if it cannot be written.
    """
    check(run, sizes, features)
    for name in (NETS, SHARDS, STATUS, LEARNER, MATCHES):
        (run / name).mkdir(parents=True, exist_ok=True)
    write_json(run / CONFIG, {"format": FORM, "sizes": list(sizes), "features": features, "options": dict(options)})


def read_config(run: Path) -> dict[str, Any]:
    """config.json. Raises RunFolderError if there is none that can be read, or it is of another version."""
    config = read_json(run / CONFIG)
    form = config.get("format")
    if form != FORM:
        raise RunFolderError(
            f"{run}: a run folder of form '{form}', this program reads '{FORM}'; use the version that made it, or take another "
            "folder"
        )
    sizes = config.get("sizes")
    known = isinstance(sizes, list) and sizes and all(type(size) is int for size in sizes)
    if not known or not isinstance(config.get("features"), str):
        raise RunFolderError(f"{run / CONFIG}: sizes or features are missing; the file was edited or is damaged")
    return config


# -- nets --


def publish(
    run: Path, write: Callable[[Path], None], boards: Sequence[SizeSettings], *, samples: int, step: int
) -> PublishedNet:
    """Publish the next net. write: puts WEIGHTS into the folder that it is given, and both files of GRAPH or none.

    boards: one of each size. One process at a time: the learner's lock sees to that. Raises RunFolderError if a file was not
    written.
    """
    folders = _net_folders(run)
    number = folders[-1][0] + 1 if folders else 0
    name = f"{number:06d}"
    beside = run / NETS / f".{name}.part"
    shutil.rmtree(beside, ignore_errors=True)  # of a process that was killed
    beside.mkdir(parents=True)
    try:
        write(beside)
        needed = NET_FILES if any((beside / file).is_file() for file in GRAPH) else (WEIGHTS,)
        if missing := [file for file in needed if not (beside / file).is_file()]:
            raise RunFolderError(f"{beside}: {', '.join(missing)} was not written; the net is not published")
        made = datetime.now(UTC).isoformat(timespec="seconds")
        told = [{"share": board.share, "settings": board.settings.to_json()} for board in boards]
        write_json(beside / PLAY, {"boards": told, "samples": samples, "step": step, "made": made})
        beside.rename(run / NETS / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return PublishedNet(number, run / NETS / name, tuple(boards), samples, step, made)


def newest(run: Path) -> PublishedNet | None:
    """The net to play with, None if there is none yet. Raises RunFolderError if its play.json is damaged."""
    folders = _net_folders(run)
    return _read_net(*folders[-1]) if folders else None


def nets(run: Path) -> list[PublishedNet]:
    """All nets that are there, in order. Raises RunFolderError as `newest`."""
    found = []
    for number, folder in _net_folders(run):
        try:
            found.append(_read_net(number, folder))
        except RunFolderError:
            if folder.exists():  # else it was removed while we looked
                raise
    return found


def prune(run: Path, keep: Collection[int]) -> None:
    """Remove nets but the first, those in ``keep`` and the last few; and what an earlier call left half removed."""
    for leftover in (run / NETS).glob(".*.old"):
        shutil.rmtree(leftover, ignore_errors=True)
    for number, folder in _net_folders(run)[1:-LAST]:
        if number not in keep:
            beside = folder.with_name(f".{folder.name}.old")
            folder.rename(beside)  # in one stroke, so that nobody finds half of it
            shutil.rmtree(beside, ignore_errors=True)


def _net_folders(run: Path) -> list[tuple[int, Path]]:
    folder = run / NETS
    if not folder.is_dir():
        return []
    return sorted((int(path.name), path) for path in folder.iterdir() if _NUMBER.fullmatch(path.name))


def _read_net(number: int, folder: Path) -> PublishedNet:
    play = read_json(folder / PLAY)
    try:
        boards = tuple(
            SizeSettings(SelfPlayParams.from_json(board["settings"]), float(board["share"])) for board in play["boards"]
        )
        found = PublishedNet(number, folder, boards, int(play["samples"]), int(play["step"]), str(play["made"]))
        if not boards or len(set(found.sizes)) < len(boards) or not all(board.share > 0 for board in boards):
            raise ValueError("boards: one of each size is needed, with a share above 0")
        return found
    except SelfPlayParamsError as error:
        raise RunFolderError(f"{folder / PLAY}: {error}; use the version of the program that the run was begun with") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFolderError(f"{folder / PLAY}: damaged ({error!r}); remove the folder, the net before it is good") from error


# -- shards --


def shard_paths(run: Path) -> list[Path]:
    """All shards, the oldest first; of the same moment by name."""
    found = []
    for path in (run / SHARDS).glob("[!.]*.npz"):
        try:
            found.append((path.stat().st_mtime_ns, path.name, path))
        except FileNotFoundError:
            continue  # removed while we looked
    return [path for _, _, path in sorted(found)]


def next_shard_path(run: Path, worker: str) -> Path:
    """Where this worker's next shard belongs: its counter goes on where an earlier process of that name stopped.

    Raises RunFolderError if the name cannot be part of a file's name.
    """
    if not _WORKER.fullmatch(worker):
        raise RunFolderError(f"'{worker}' cannot name a worker: letters, digits and . _ - only, 100 at most")
    pattern = re.compile(re.escape(worker) + r"-(\d+)\.npz")
    matches = (pattern.fullmatch(path.name) for path in (run / SHARDS).glob("*.npz"))
    last = max((int(match[1]) for match in matches if match), default=0)
    return run / SHARDS / f"{worker}-{last + 1:06d}.npz"


def remove_leftovers(run: Path) -> None:
    """Remove what the process that led the run was writing when it was killed. To be called with the run's lock in hand."""
    for folder in (run, run / MATCHES):
        remove_parts(folder)
    for half in (run / NETS).glob(".*.part"):
        if _NUMBER.fullmatch(half.name[1:-5]):
            shutil.rmtree(half, ignore_errors=True)


def remove_halves(run: Path, worker: str) -> None:
    """Remove shards and the status that this worker was writing when it was killed. Nobody else may have its name meanwhile."""
    remove_parts(run / STATUS, f"{worker}.json")
    pattern = re.compile(rf"\.{re.escape(worker)}-\d+\.npz\.\d+\.part")
    for half in (run / SHARDS).glob(".*.part"):
        if pattern.fullmatch(half.name):
            half.unlink(missing_ok=True)


# -- what workers have done --


def write_status(run: Path, worker: str, status: Status) -> None:
    """Say what a worker has done."""
    write_json(run / STATUS / f"{worker}.json", asdict(status))


def read_status(run: Path, worker: str) -> Status:
    """What a worker has done; nothing if it has not said, or not in words that we know."""
    try:
        return Status(**read_json(run / STATUS / f"{worker}.json"))
    except (RunFolderError, TypeError):
        return Status()


def statuses(run: Path) -> dict[str, Status]:
    """What each worker has done, by name."""
    return {path.stem: read_status(run, path.stem) for path in sorted((run / STATUS).glob("[!.]*.json"))}


# -- JSON --


def write_json(path: Path, value: Any) -> None:
    """Write beside the place and rename."""
    with replacing(path) as beside:
        beside.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises RunFolderError if there is none that can be read."""
    try:
        value = json.loads(read_outside(path, MAX_JSON))
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be read: {error.strerror}; is this the folder of a run?") from error
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"{path}: damaged ({error}); put back a copy of it, or take another folder") from error
    if not isinstance(value, dict):
        raise RunFolderError(f"{path}: damaged (not a JSON object); put back a copy of it, or take another folder")
    return value
