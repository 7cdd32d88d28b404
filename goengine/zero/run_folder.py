"""The folder in which self-play and learning meet: where everything lies, and how it gets there whole.

    RUN/config.json         what the run is: form, board size, feature set, the learner's options
    RUN/lock                held by the process that leads the run
    RUN/nets/000012/        a net that plays: net.xml, net.bin, net.safetensors, play.json (settings of self-play with it)
    RUN/shards/NAME-000001.npz   games of the worker NAME
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
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from goengine.files import replacing
from goengine.zero.settings import SelfPlay, SettingsError

FORM = "goengine zero run 1"
CONFIG, NETS, SHARDS, STATUS, LEARNER, MATCHES = "config.json", "nets", "shards", "status", "learner", "matches"
NEXT = "learner-next"
NET_FILES = ("net.xml", "net.bin", "net.safetensors")
PLAY, LOCK = "play.json", "lock"
LAST = 4  # of the newest nets are never removed: somebody may be loading one of them
_NUMBER = re.compile(r"\d{6,9}")
_WORKER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]{0,99}")


class RunFolderError(Exception):
    """A run folder that cannot be used; the message says why and what to do."""


class PublishedNet(NamedTuple):
    """A net of a run."""

    number: int
    folder: Path
    settings: SelfPlay  # how self-play plays with it
    samples: int = 0  # positions drawn for learning before it
    step: int = 0
    made: str = ""  # time in ISO form

    @property
    def name(self) -> str:
        """As shards and ratings call it."""
        return self.folder.name


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


# -- what the run is --


def check(run: Path, size: int, features: str) -> bool:
    """Whether there is a run of this size and feature set; False where there is none yet.

    Raises RunFolderError if the folder is of another version, board size or feature set, or holds something else.
    """
    if not (run / CONFIG).exists():
        if any(path.name != LOCK for path in run.glob("*")):
            raise RunFolderError(f"{run}: holds something, but no run (there is no {CONFIG}); take another --run folder")
        return False
    config = read_config(run)
    for name, wanted in (("size", size), ("features", features)):
        if config[name] != wanted:
            raise RunFolderError(
                f"{run}: a run with {name} {config[name]}, not {wanted}; go on so, or take another --run folder"
            )
    return True


def create(run: Path, size: int, features: str, options: Mapping[str, Any]) -> None:
    """Make a run folder, or go on with the one there is, and write down the options.

    Raises RunFolderError as `check`, and nothing is changed then; OSError if it cannot be written.
    """
    check(run, size, features)
    for name in (NETS, SHARDS, STATUS, LEARNER, MATCHES):
        (run / name).mkdir(parents=True, exist_ok=True)
    write_json(run / CONFIG, {"format": FORM, "size": size, "features": features, "options": dict(options)})


def read_config(run: Path) -> dict[str, Any]:
    """config.json. Raises RunFolderError if there is none that can be read, or it is of another version."""
    config = read_json(run / CONFIG)
    form = config.get("format")
    if form != FORM:
        raise RunFolderError(
            f"{run}: a run folder of form '{form}', this program reads '{FORM}'; use the version that made it, or take another "
            "folder"
        )
    if not isinstance(config.get("size"), int) or not isinstance(config.get("features"), str):
        raise RunFolderError(f"{run / CONFIG}: size or features are missing; the file was edited or is damaged")
    return config


# -- nets --


def publish(run: Path, write: Callable[[Path], None], settings: SelfPlay, *, samples: int, step: int) -> PublishedNet:
    """Publish the next net. write: puts the files of NET_FILES into the folder that it is given.

    One process at a time: the learner's lock sees to that. Raises RunFolderError if a file was not written.
    """
    folders = _net_folders(run)
    number = folders[-1][0] + 1 if folders else 0
    name = f"{number:06d}"
    beside = run / NETS / f".{name}.part"
    shutil.rmtree(beside, ignore_errors=True)  # of a process that was killed
    beside.mkdir(parents=True)
    try:
        write(beside)
        if missing := [file for file in NET_FILES if not (beside / file).is_file()]:
            raise RunFolderError(f"{beside}: {', '.join(missing)} was not written; the net is not published")
        made = datetime.now(UTC).isoformat(timespec="seconds")
        play = {"settings": settings.to_json(), "samples": samples, "step": step, "made": made}
        write_json(beside / PLAY, play)
        beside.rename(run / NETS / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return PublishedNet(number, run / NETS / name, settings, samples, step, made)


def newest(run: Path) -> PublishedNet | None:
    """The net to play with, None if there is none yet. Raises RunFolderError if its play.json is damaged."""
    folders = _net_folders(run)
    return _read_net(*folders[-1]) if folders else None


def nets(run: Path) -> list[PublishedNet]:
    """All nets that are there, in order. Raises RunFolderError as `newest`."""
    return [_read_net(*found) for found in _net_folders(run)]


def prune(run: Path, keep: Collection[int]) -> None:
    """Remove nets but the first, those in ``keep`` and the last few."""
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
        settings = SelfPlay.from_json(play["settings"])
        return PublishedNet(number, folder, settings, int(play["samples"]), int(play["step"]), str(play["made"]))
    except SettingsError as error:
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
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be read: {error.strerror}; is this the folder of a run?") from error
    except (ValueError, RecursionError) as error:
        raise RunFolderError(f"{path}: damaged ({error}); put back a copy of it, or take another folder") from error
    if not isinstance(value, dict):
        raise RunFolderError(f"{path}: damaged (not a JSON object); put back a copy of it, or take another folder")
    return value
