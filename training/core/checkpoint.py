"""A run's folder: the net to play with, and everything that is needed to go on.

`net.safetensors` is the averaged net in the project's weights format; `state.safetensors` holds raw weights,
optimizer state, averages and counters; `config.json` and `log.jsonl` are for people. Every file is written beside
its place and renamed, so a run may be killed at any moment. Does not know how training works.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from goengine.core.files import replacing
from goengine.nets import safetensors_file

FORMAT = "goengine-training-state-1"
STATE = "state.safetensors"  # of a run's folder


class RunError(Exception):
    """A run that cannot start, go on or be saved; the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Counters:
    """Where a run stands."""

    step: int = 0
    samples: int = 0  # the next sample to draw
    seconds: float = 0.0  # of training with its measurements and checkpoints, over all processes
    overhead: float = 0.0  # seconds from the start of each process to the end of its first step
    reserve: float = 0.0  # seconds that a measurement and a checkpoint take, as known last


def plain(config: Any) -> Any:
    """A configuration of nested dataclasses as JSON values."""
    if dataclasses.is_dataclass(config):
        return {field.name: plain(getattr(config, field.name)) for field in dataclasses.fields(config)}
    if isinstance(config, (tuple, list)):
        return [plain(item) for item in config]
    return str(config) if isinstance(config, Path) else config


def what_is_left(folder: Path) -> str:
    """What a run still has when its folder takes no more, in words."""
    kept = (folder / STATE).exists()
    return "the last checkpoint stays valid" if kept else "nothing was saved, as there is no checkpoint yet"


def write_text(path: Path, text: str) -> None:
    """Write beside `path` and rename. Raises RunError if the disk does not take it."""
    try:
        with replacing(path) as beside, open(beside, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror or error}; {what_is_left(path.parent)}") from error


def save_state(path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, config: Any) -> None:
    """Write a training state. Raises RunError if the disk does not take it; the old file then stays as it was."""
    metadata = {"format": FORMAT, "counters": json.dumps(plain(counters)), "config": json.dumps(plain(config))}
    try:
        safetensors_file.write_file(path, arrays, metadata)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror or error}; {what_is_left(path.parent)}. "
            "Make room and start the same command again"
        ) from error


def load_state(path: Path) -> tuple[dict[str, np.ndarray], Counters, dict[str, Any]]:
    """(arrays, counters, configuration). Raises RunError if the file is broken or of another kind."""
    try:
        arrays, metadata = safetensors_file.read_file(path)
    except safetensors_file.WeightsError as error:
        raise RunError(f"cannot resume from {path}: {error}; delete the file to start anew") from error
    if metadata.get("format") != FORMAT:
        raise RunError(f"{path} is not a training state (format {metadata.get('format')!r})")
    return arrays, Counters(**json.loads(metadata["counters"])), json.loads(metadata["config"])
