"""A sequence model on the disk: weights with the spec that rebuilds them, and a checksum over everything.

As `weights_file` for nets; the format is `goengine-sequence`. Torch is imported only when a model is wanted.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from goengine.nets.safetensors_file import WeightsError, digest, read_file, read_metadata, write_file
from goengine.nets.sequence.sequence_spec import SequenceSpec, SequenceSpecError

if TYPE_CHECKING:
    from torch import nn

FORMAT: Final = "goengine-sequence"
VERSION: Final = "1"
_KEYS: Final = ("format", "version", "spec", "step", "config", "data", "sha256")


@dataclass(frozen=True)
class SequenceFile:
    """The content of a file, checked: spec, arrays by parameter name, steps of training, data card and checksum."""

    spec: SequenceSpec
    arrays: Mapping[str, np.ndarray]
    step: int
    data: Mapping[str, object]
    sha256: str

    def model(self) -> nn.Module:
        """The model with these weights in float32, in evaluation mode. Raises WeightsError if they belong to another spec."""
        import torch

        from goengine.nets.sequence.sequence_model import build

        model = build(self.spec)
        state = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in self.arrays.items()}
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            what = str(error).splitlines()[-1].strip()
            raise WeightsError(f"the weights do not belong to the model's spec: {what}") from error
        return model.eval()


def save(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    spec: SequenceSpec,
    *,
    step: int = 0,
    config: Mapping[str, object] | None = None,
    data: Mapping[str, object] | None = None,
) -> None:
    """Write a file beside its place and rename it."""
    metadata = {"format": FORMAT, "version": VERSION, "spec": spec.to_json(), "step": str(step)}
    metadata["config"], metadata["data"] = json.dumps(dict(config or {})), json.dumps(dict(data or {}))
    metadata["sha256"] = digest(arrays, metadata)
    write_file(path, arrays, metadata)


def is_sequence(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one of a sequence model; False if it cannot be read."""
    try:
        return read_metadata(path).get("format") == FORMAT
    except WeightsError:
        return False


def load(path: str | os.PathLike[str]) -> SequenceFile:
    """Read and check a file. Raises WeightsError if it is damaged, of another format or of a newer version."""
    arrays, metadata = read_file(path)
    if metadata.get("format") != FORMAT or metadata.get("version") != VERSION:
        raise WeightsError(f"{path}: not a sequence model of version {VERSION} (format {metadata.get('format')!r})")
    if missing := [key for key in _KEYS if key not in metadata]:
        raise WeightsError(f"{path}: the metadata has no {missing[0]!r}")
    rest = {key: value for key, value in metadata.items() if key != "sha256"}
    if not hmac.compare_digest(digest(arrays, rest).encode(), metadata["sha256"].encode()):
        raise WeightsError(f"{path}: the checksum does not match; the file is damaged or was edited: get it again")
    try:
        spec, step, data = SequenceSpec.from_json(metadata["spec"]), int(metadata["step"]), json.loads(metadata["data"])
    except (SequenceSpecError, ValueError) as error:
        raise WeightsError(f"{path}: the model's spec is wrong: {error}") from error
    return SequenceFile(spec, arrays, step, data, metadata["sha256"])
