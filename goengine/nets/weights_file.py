"""A net on the disk: weights with the spec that rebuilds them, where they come from, and a checksum over everything.

Knows the project's metadata inside a safetensors file. PyTorch is imported only when a module is handed over or wanted, so
that reading a file's metadata costs nothing. What a trainer keeps besides the net (optimizer, data position) is not known here.
"""

from __future__ import annotations

import hmac
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from goengine.nets.architecture import block_text, to_text
from goengine.nets.safetensors_file import WeightsError, digest, read_file, write_file
from goengine.nets.spec import NetSpec, NetSpecError

if TYPE_CHECKING:
    from torch import nn

    from goengine.nets.build import Net
    from goengine.nets.owners_head import OwnersHead

FORMAT: Final = "goengine-net"
OWNERS_FORMAT: Final = "goengine-owners"  # a head that divides the board (`owners_head`)
VERSION: Final = "1"
KEYS: Final = ("format", "version", "spec", "step", "config", "data", "sha256")


@dataclass(frozen=True)
class Meta:
    """What a weights file says about itself: training steps done, configuration and data card (JSON mappings), checksum."""

    spec: NetSpec
    step: int
    config: Mapping[str, object]
    data: Mapping[str, object]
    sha256: str


@dataclass(frozen=True)
class Checkpoint:
    """The content of a weights file; arrays by parameter name, float32 or float16, already checked against the spec."""

    spec: NetSpec
    arrays: Mapping[str, np.ndarray]
    meta: Meta

    def module(self) -> Net:
        """The net with these weights in float32, in evaluation mode."""
        from goengine.nets.build import skeleton

        net = skeleton(self.spec).to_empty(device="cpu")
        restore(net, self.arrays)
        return net.eval()

    def head(self) -> OwnersHead:
        """As `module`, for a file of the form OWNERS_FORMAT."""
        from goengine.nets.owners_head import skeleton

        head = skeleton(self.spec).to_empty(device="cpu")
        restore(head, self.arrays)
        return head.eval()


def arrays_of(module: nn.Module) -> dict[str, np.ndarray]:
    """All parameters and statistics of a module by name, float32, copied to the CPU."""
    state = module.state_dict()
    return {name: np.array(tensor.detach().float().cpu().numpy(), order="C") for name, tensor in state.items()}


def restore(module: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Copies arrays into the module's parameters, converting dtypes. Raises WeightsError if names or shapes differ."""
    import torch

    state = module.state_dict()
    _check_arrays({name: tuple(tensor.shape) for name, tensor in state.items()}, arrays)
    with torch.no_grad():
        for name, tensor in state.items():
            tensor.copy_(torch.from_numpy(np.array(arrays[name], dtype=np.float32)))


def half(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays as they are shipped: matrices and kernels in float16, vectors (norms, biases) in float32.

    Raises WeightsError if a weight does not fit into float16.
    """
    shipped = {}
    for name, array in arrays.items():
        with np.errstate(over="ignore"):  # an overflow is reported below, by name
            small = array if array.ndim < 2 else array.astype(np.float16)
        if not np.isfinite(small).all():
            raise WeightsError(f"tensor {name}: not finite in float16")
        shipped[name] = small
    return shipped


def save(
    path: str | os.PathLike[str],
    weights: nn.Module | Mapping[str, np.ndarray],
    spec: NetSpec,
    *,
    step: int = 0,
    config: Mapping[str, object] | None = None,
    data: Mapping[str, object] | None = None,
    form: str = FORMAT,
) -> str:
    """Writes a weights file in one stroke (beside its place, then renamed) and returns its checksum.

    weights: a module, or arrays as from `arrays_of` or `half`. config: the training configuration; data: the data card.
    form: FORMAT for a net, OWNERS_FORMAT for a head.
    Raises WeightsError if the arrays do not belong to the spec, ValueError if config or data cannot be written as JSON.
    """
    arrays = dict(weights) if isinstance(weights, Mapping) else arrays_of(weights)
    _check_belongs(spec, arrays, str(path), form)
    metadata = {"format": form, "version": VERSION, "spec": spec.to_json(), "step": str(step)}
    metadata["config"] = _to_json(config)
    metadata["data"] = _to_json(data)
    metadata["sha256"] = digest(arrays, metadata)
    write_file(path, arrays, metadata)
    return metadata["sha256"]


def load(path: str | os.PathLike[str], form: str = FORMAT) -> Checkpoint:
    """Reads a weights file of a net, or of another form, and checks all of it.

    Raises WeightsError if the file is truncated or corrupt, is not a net of this project, is of a newer version, or if a tensor
    is missing, superfluous or misshapen for its spec.
    """
    arrays, metadata = read_file(path)
    meta = _meta(str(path), metadata, form)
    rest = {key: value for key, value in metadata.items() if key != "sha256"}
    if not hmac.compare_digest(digest(arrays, rest).encode(), meta.sha256.encode()):
        raise WeightsError(f"{path}: the checksum does not match; the file is damaged or was edited: get it again")
    _check_belongs(meta.spec, arrays, str(path), form)
    return Checkpoint(meta.spec, arrays, meta)


def load_module(path: str | os.PathLike[str]) -> tuple[Net, Meta]:
    """The net in a weights file, in evaluation mode, and what the file says about it. Raises WeightsError as `load` does."""
    checkpoint = load(path)
    return checkpoint.module(), checkpoint.meta


def convert_to_half(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> str:
    """Writes the shipped (float16) form of a weights file; returns the new checksum."""
    checkpoint = load(source)
    meta = checkpoint.meta
    return save(target, half(checkpoint.arrays), meta.spec, step=meta.step, config=meta.config, data=meta.data)


def _to_json(value: Mapping[str, object] | None) -> str:
    try:
        return json.dumps({} if value is None else dict(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except TypeError as error:
        raise ValueError(f"config and data cards must be JSON: {error}") from error


def _meta(path: str, metadata: Mapping[str, str], form: str) -> Meta:
    if metadata.get("format") != form:
        wanted = "a net" if form == FORMAT else "a head that divides the board"
        raise WeightsError(f"{path}: not {wanted} of this project (format {metadata.get('format')!r})")
    if metadata.get("version") != VERSION:
        raise WeightsError(f"{path}: version {metadata.get('version')!r} of the format; this program reads {VERSION}")
    for key in KEYS:
        if key not in metadata:
            raise WeightsError(f"{path}: the metadata has no {key!r}")
    try:
        spec = NetSpec.from_json(metadata["spec"])
        step, config, data = int(metadata["step"]), json.loads(metadata["config"]), json.loads(metadata["data"])
    except NetSpecError as error:
        raise WeightsError(f"{path}: the net's spec is wrong: {error}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: the metadata is damaged: {error}") from error
    if not isinstance(config, dict) or not isinstance(data, dict):
        raise WeightsError(f"{path}: the metadata is damaged: config and data must be JSON objects")
    return Meta(spec, step, config, data, metadata["sha256"])


def _check_belongs(spec: NetSpec, arrays: Mapping[str, np.ndarray], path: str, form: str) -> None:
    from goengine.nets import build, owners_head

    module = build.skeleton(spec) if form == FORMAT else owners_head.skeleton(spec)
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    try:
        _check_arrays(expected, arrays)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}{_place(spec, str(error))}") from error


def _place(spec: NetSpec, problem: str) -> str:
    """Which block of the spec a problem with a tensor is about, in words; empty if it is about none."""
    found = re.search(r"trunk[.]blocks[.]([0-9]+)[.]", problem)
    if not found or int(found[1]) >= len(spec.blocks):
        return ""
    number = int(found[1])
    return f"; block {number + 1} of the spec is {block_text(spec, number)}, of {to_text(spec)}"


def _check_arrays(expected: Mapping[str, tuple[int, ...]], arrays: Mapping[str, np.ndarray]) -> None:
    missing, extra = sorted(expected.keys() - arrays.keys()), sorted(arrays.keys() - expected.keys())
    if missing:
        raise WeightsError(f"{len(missing)} tensors of the spec are missing, the first is {missing[0]}")
    if extra:
        raise WeightsError(f"{len(extra)} tensors do not belong to the spec, the first is {extra[0]}")
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise WeightsError(f"tensor {name}: shape {list(arrays[name].shape)}, the spec has {list(shape)}")
        if arrays[name].dtype not in (np.float32, np.float16):
            raise WeightsError(f"tensor {name}: dtype {arrays[name].dtype}, expected float32 or float16")
