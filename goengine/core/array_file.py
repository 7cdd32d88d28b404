"""One file for some numpy arrays and a JSON object: the zip layout of `.npz`, compressed, versioned, nothing pickled.

Knows how such a file is written (beside its place, then renamed: a reader never meets half a file) and how a damaged or
foreign one is refused. Does not know what the arrays mean.
"""

from __future__ import annotations

import io
import json
import math
import os
import zipfile
import zlib

import numpy as np

from goengine.core.files import replacing


class RecordError(ValueError):
    """A file of records that cannot be used; the message names the file and the reason."""


def write_arrays(path: str | os.PathLike, arrays: dict[str, np.ndarray], meta: dict) -> None:
    """Write arrays and a JSON object as one compressed `.npz`, beside its place, and rename it."""
    with replacing(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as target:
        text = np.frombuffer(json.dumps(meta).encode(), np.uint8)
        for name, values in {"meta": text, **arrays}.items():
            with target.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)


def read_arrays(path: str | os.PathLike, form: str, version: int) -> tuple[dict[str, np.ndarray], dict]:
    """Arrays and JSON object of a file that `write_arrays` wrote.

    Raises RecordError if the file is missing, damaged, of another format or of a newer version.
    """
    try:
        with zipfile.ZipFile(path) as source:
            arrays = {info.filename.removesuffix(".npy"): _read_member(source, info) for info in source.infolist()}
        meta = json.loads(arrays.pop("meta").tobytes())
        if not isinstance(meta, dict) or meta.get("format") != form:
            raise ValueError(f"it is not of the format '{form}'")
        if not isinstance(meta.get("version"), int) or not 1 <= meta["version"] <= version:
            raise ValueError(f"version {meta.get('version')} is unknown to this program, which knows up to {version}")
        return arrays, meta
    except KeyError:
        raise RecordError(f"{path}: it has no description (member 'meta')") from None
    except (OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise RecordError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _read_member(source: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """One array; its header must agree with the member's length, so that a damaged header cannot ask for all memory."""
    with source.open(info) as member:
        stream = io.BufferedReader(member)
        version = np.lib.format.read_magic(stream)
        if version != (1, 0):
            raise ValueError(f"member '{info.filename}' has another version of numpy's format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        if dtype.hasobject or math.prod(shape) * dtype.itemsize > info.file_size:
            raise ValueError(f"member '{info.filename}' does not hold what its header says")
        data = stream.read()
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"member '{info.filename}' is cut short")
    return np.frombuffer(data, dtype).reshape(shape)
