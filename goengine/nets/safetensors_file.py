"""The safetensors file format, with numpy alone: named arrays and text metadata, and no way to run code.

Knows the bytes: 8 bytes of header length (little endian), a JSON header with dtype, shape and offsets of each tensor, then
the data. Does not know what the arrays mean. Everything read is checked before it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from goengine.core.files import open_outside, replacing

MAX_HEADER: Final = 4 << 20  # bytes; that of a net has some 10 kB. The reference implementation takes 100 MB
MAX_FILE: Final = 2 << 30  # bytes
# In the order in which the reference implementation lays out a file: wide elements first, so that all data is aligned.
DTYPES: Final[dict[str, np.dtype]] = {
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F16": np.dtype("<f2"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_NAMES: Final = {dtype: name for name, dtype in DTYPES.items()}
_READABLE: Final = {**DTYPES, "BF16": np.dtype("<u2")}  # bfloat16 comes back as its bits: numpy has no such type


class WeightsError(Exception):
    """A weights file cannot be used; the message names the file and the reason."""


def header_bytes(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> tuple[bytes, list[str]]:
    """The JSON header, padded with spaces to 8 bytes, and the order in which the tensors' data follows.

    Tensors are laid out by dtype, in the order of DTYPES, and then by name.
    Raises ValueError if a dtype has no name in the format, or metadata is not text.
    """
    for name, array in arrays.items():
        if array.dtype.newbyteorder("<") not in _NAMES:
            raise ValueError(f"tensor {name}: dtype {array.dtype} has no place in a safetensors file")
    if not all(isinstance(text, str) for pair in metadata.items() for text in pair):
        raise ValueError("metadata keys and values must be text")
    order = sorted(arrays, key=lambda name: (_rank(arrays[name].dtype), name))
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    offset = 0
    for name in order:
        array = arrays[name]
        entry = {"dtype": _NAMES[array.dtype.newbyteorder("<")], "shape": list(array.shape)}
        header[name] = {**entry, "data_offsets": [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    return text + b" " * (-len(text) % 8), order


def _rank(dtype: np.dtype) -> int:
    return list(DTYPES).index(_NAMES[dtype.newbyteorder("<")])


def chunks(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> Iterator[bytes]:
    """The whole file, in pieces."""
    header, order = header_bytes(arrays, metadata)
    yield len(header).to_bytes(8, "little")
    yield header
    for name in order:
        array = arrays[name]
        yield np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()


def digest(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> str:
    """SHA-256 of the file that these arrays and this metadata make, in hexadecimal."""
    sha = hashlib.sha256()
    for chunk in chunks(arrays, metadata):
        sha.update(chunk)
    return sha.hexdigest()


def write_file(path: str | os.PathLike[str], arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> None:
    """Writes the file beside its place, flushes it to the disk and renames it: at no moment is there half a file.

    Raises OSError if the folder cannot be written, ValueError as `header_bytes` does.
    """
    with replacing(path) as beside, open(beside, "wb") as out:
        out.writelines(chunks(arrays, metadata))
        out.flush()
        os.fsync(out.fileno())


def read_file(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """(arrays by name, metadata). The arrays are read-only views of one buffer; BF16 comes as uint16 bits.

    Raises WeightsError if the file is missing, truncated, or breaks the format in any way.
    """
    try:
        with open_outside(path, MAX_FILE) as file:
            size = os.fstat(file.fileno()).st_size
            start = file.read(8)
            start += file.read(_header_length(start, size))
            _layout(start, size)  # before the data is read
            data = start + file.read()
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from error
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        return parse(data)
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from error


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """The metadata alone, without reading the tensors' data. Raises WeightsError as `read_file` does."""
    try:
        with open_outside(path, MAX_FILE) as file:
            size = os.fstat(file.fileno()).st_size
            length = _header_length(file.read(8), size)
            header = _header(file.read(length))
        return _metadata(header)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise WeightsError(f"{path}: {error}") from error


def parse(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The arrays and metadata in the bytes of a file. Raises ValueError naming what is wrong."""
    length, metadata, entries = _layout(data, len(data))
    arrays = {}
    for name, (dtype, shape, begin, end) in entries.items():
        flat = np.frombuffer(data, dtype, (end - begin) // dtype.itemsize, 8 + length + begin)
        arrays[name] = flat.reshape(shape)
    return arrays, metadata


def _layout(start: bytes, size: int) -> tuple[int, dict[str, str], dict[str, tuple[np.dtype, tuple[int, ...], int, int]]]:
    """(length of the header, metadata, tensors) of a file of that size, which begins so; checked against its size."""
    length = _header_length(start[:8], size)
    header = _header(start[8 : 8 + length])
    metadata = _metadata(header)
    header.pop("__metadata__", None)
    entries = {name: _entry(name, entry) for name, entry in header.items()}
    _check_layout(entries, size - 8 - length)
    return length, metadata, entries


def _header_length(start: bytes, size: int) -> int:
    if len(start) < 8:
        raise ValueError(f"too short for a safetensors file ({size} bytes)")
    length = int.from_bytes(start, "little")
    if MAX_HEADER < length <= size - 8:
        raise ValueError(f"the header is too long: {length} bytes, at most {MAX_HEADER} are read")
    if length > size - 8:
        raise ValueError(f"not a safetensors file, or truncated: header of {length} bytes in a file of {size}")
    return length


def _header(text: bytes) -> dict[str, object]:
    try:
        header = json.loads(text.decode(), object_pairs_hook=_no_repeats)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the header is not valid JSON: {error}") from error
    if not isinstance(header, dict):
        raise ValueError("the header is not a JSON object")
    return header


def _no_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _metadata(header: Mapping[str, object]) -> dict[str, str]:
    metadata = header.get("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("the metadata is not a mapping from text to text")
    return metadata


def _entry(name: str, entry: object) -> tuple[np.dtype, tuple[int, ...], int, int]:
    """(dtype, shape, begin, end) of one tensor, each checked by itself."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name}: expected dtype, shape and data_offsets")
    if not isinstance(entry["dtype"], str) or entry["dtype"] not in _READABLE:
        raise ValueError(f"tensor {name}: unknown dtype {entry['dtype']!r}")
    dtype, shape, offsets = _READABLE[entry["dtype"]], entry["shape"], entry["data_offsets"]
    for key, numbers in (("shape", shape), ("data_offsets", offsets)):
        if not isinstance(numbers, list) or not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError(f"tensor {name}: {key} is not a list of whole numbers")
    if len(offsets) != 2 or offsets[0] > offsets[1]:
        raise ValueError(f"tensor {name}: data_offsets {offsets} are not a range")
    size = dtype.itemsize
    for extent in shape:
        size *= extent
    if size != offsets[1] - offsets[0] or len(shape) > 32:
        raise ValueError(f"tensor {name}: {offsets[1] - offsets[0]} bytes do not hold shape {shape}")
    return dtype, tuple(shape), offsets[0], offsets[1]


def _check_layout(entries: Mapping[str, tuple[np.dtype, tuple[int, ...], int, int]], size: int) -> None:
    """The tensors must follow each other without gap or overlap and fill the data section."""
    position = 0
    for name, (_, _, begin, end) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if begin != position:
            raise ValueError(f"tensor {name}: {'overlaps another' if begin < position else 'a gap before it'}")
        position = end
    if position != size:
        reason = "truncated" if position > size else "has bytes after the last tensor"
        raise ValueError(f"the data section {reason}: {position} bytes described, {size} found")
