"""One file for some numpy arrays and a JSON object: the zip layout of `.npz`, compressed, versioned, nothing pickled.

Knows how such a file is written (beside its place, then renamed: a reader never meets half a file) and how a damaged or
foreign one is refused. Does not know what the arrays mean.
"""

from __future__ import annotations

import io
import json
import math
import os
import struct
import zipfile
import zlib
from typing import BinaryIO

import numpy as np

from goengine.core.files import open_outside, replacing

MAX_FILE = 2 << 30  # bytes
MAX_UNPACKED = 256 << 20  # bytes of all members of a small file; a larger one may hold up to a hundred times its length
MAX_DIRECTORY = 1 << 20  # bytes of the list of members
_END = struct.Struct("<4s4H2LH")  # what ends a zip file: its mark, ..., length and place of the directory, ...


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

    Raises RecordError if the file is missing, damaged, of another format or of a newer version, or if it is no file or too
    long: sizes are looked at before content is read.
    """
    try:
        with open_outside(path, MAX_FILE) as file, zipfile.ZipFile(_with_short_directory(file)) as source:
            _check_sizes(source, os.fstat(file.fileno()).st_size)
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


def _with_short_directory(file: BinaryIO) -> BinaryIO:
    """The file, if its list of members is not so long that to read it would take all time and memory."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - 65_557))  # the end of a zip file with the longest comment
    tail = file.read()
    place = tail.rfind(b"PK\5\6")
    if 0 <= place <= len(tail) - _END.size and _END.unpack_from(tail, place)[5] > MAX_DIRECTORY:
        raise ValueError("its list of members is too long")
    file.seek(0)
    return file


def _check_sizes(source: zipfile.ZipFile, length: int) -> None:
    """Raises ValueError if the members are longer, as the directory lists them, than a file of this length may hold."""
    total, most = sum(info.file_size for info in source.infolist()), max(MAX_UNPACKED, 100 * length)
    if total > most:
        raise ValueError(f"its members are too long: {total} bytes, at most {most} in a file of {length}")
    names = [info.filename for info in source.infolist()]
    if len(set(names)) != len(names):
        raise ValueError("a member is there twice")


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
