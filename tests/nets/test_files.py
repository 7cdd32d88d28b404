"""Weights files: the format against its reference implementation, and every damage refused with a reason."""

import json
import os

import numpy as np
import pytest
import safetensors.numpy
import torch

from goengine.nets import weights_file
from goengine.nets.safetensors_file import DTYPES, WeightsError, chunks, read_file, read_metadata, write_file
from goengine.nets.spec import NetSpec
from tests.nets.helpers import SPECS, lively, positions, tiny

SPEC = tiny(("residual", "gpool"), value_hidden=4)


def all_dtypes() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    arrays = {f"x.{name}": (rng.random((3, 5)) * 100).astype(dtype) for name, dtype in DTYPES.items()}
    odd = {"scalar": np.array(2.5, np.float32), "empty": np.zeros((0, 4), np.float16), "b": arrays["x.F32"] + np.float32(1)}
    return {**arrays, **odd}


def raw(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


# ------------------------------------------------------------------- the format


def test_bytes_equal_the_reference():
    arrays = all_dtypes()
    assert b"".join(chunks(arrays, {"one": "1"})) == safetensors.numpy.save(arrays, {"one": "1"})
    assert b"".join(chunks(arrays, {})) == safetensors.numpy.save(arrays)


def test_reads_what_the_reference_writes(tmp_path):
    arrays, path = all_dtypes(), tmp_path / "a.safetensors"
    safetensors.numpy.save_file(arrays, path, {"é": "ü", "b": "x"})
    found, metadata = read_file(path)
    assert metadata == {"é": "ü", "b": "x"} == read_metadata(path)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)


def test_reference_reads_what_we_write(tmp_path):
    arrays, path = all_dtypes(), tmp_path / "a.safetensors"
    write_file(path, arrays, {"note": '5路 "x"'})
    found = safetensors.numpy.load_file(path)
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())


def test_not_contiguous_and_big_endian_arrays(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_file(tmp_path / "a", {"t": array.T, "big": array.astype(">f4")}, {})
    found, _ = read_file(tmp_path / "a")
    assert np.array_equal(found["t"], array.T) and np.array_equal(found["big"], array)


def test_bfloat16_comes_as_bits(tmp_path):
    header = {"x": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}
    (tmp_path / "a").write_bytes(raw(header, b"\x80\x3f\x00\x40"))
    assert read_file(tmp_path / "a")[0]["x"].tolist() == [0x3F80, 0x4000]


def test_unwritable_types_are_refused(tmp_path):
    with pytest.raises(ValueError, match="complex"):
        write_file(tmp_path / "a", {"x": np.zeros(2, complex)}, {})
    with pytest.raises(ValueError, match="metadata"):
        write_file(tmp_path / "a", {}, {"x": 3})
    assert list(tmp_path.iterdir()) == []


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


BAD_FILES = {
    "empty": (b"", "too short"),
    "seven bytes": (b"\0" * 7, "too short"),
    "huge header": (raw({}, length=2**63), "header of"),
    "header past the end": (raw({}, length=3), "header of"),
    "not JSON": (raw(b"{]"), "not valid JSON"),
    "not UTF-8": (raw(b"\xff\xfe{}"), "not valid JSON"),
    "deeply nested": (raw(b"[" * 100_000), "not valid JSON"),
    "a list": (raw([]), "not a JSON object"),
    "name twice": (raw(b'{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"x":3}'), "twice"),
    "metadata not text": (raw({"__metadata__": {"x": 3}}), "metadata"),
    "metadata a list": (raw({"__metadata__": []}), "metadata"),
    "entry not an object": (raw({"x": 3}), "expected dtype"),
    "key missing": (raw({"x": {"dtype": "F32", "shape": []}}), "expected dtype"),
    "unknown dtype": (raw({"x": entry([1], 0, 4, "F99")}, bytes(4)), "unknown dtype"),
    "dtype a list": (raw({"x": entry([1], 0, 4, ["F32"])}, bytes(4)), "unknown dtype"),
    "negative shape": (raw({"x": entry([-1], 0, 4)}, bytes(4)), "shape"),
    "fractional shape": (raw({"x": entry([1.0], 0, 4)}, bytes(4)), "shape"),
    "shape true": (raw({"x": entry([True], 0, 4)}, bytes(4)), "shape"),
    "shape too large": (raw({"x": entry([2**62, 2**62], 0, 4)}, bytes(4)), "do not hold"),
    "many dimensions": (raw({"x": entry([1] * 200, 0, 4)}, bytes(4)), "do not hold"),
    "backwards": (raw({"x": entry([1], 4, 0)}, bytes(4)), "not a range"),
    "negative offset": (raw({"x": entry([1], -4, 0)}, bytes(4)), "data_offsets"),
    "one offset": (raw({"x": {"dtype": "F32", "shape": [1], "data_offsets": [4]}}, bytes(4)), "not a range"),
    "overlap": (raw({"x": entry([2], 0, 8), "y": entry([2], 4, 12)}, bytes(12)), "overlaps"),
    "same place": (raw({"x": entry([2], 0, 8), "y": entry([2], 0, 8)}, bytes(8)), "overlaps"),
    "gap": (raw({"x": entry([1], 0, 4), "y": entry([1], 8, 12)}, bytes(12)), "gap"),
    "past the end": (raw({"x": entry([4], 0, 16)}, bytes(12)), "truncated"),
    "trailing bytes": (raw({"x": entry([1], 0, 4)}, bytes(5)), "after the last"),
}


@pytest.mark.parametrize(("content", "reason"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_broken_files_are_refused(tmp_path, content, reason):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=reason) as caught:
        read_file(path)
    assert "bad.safetensors" in str(caught.value)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none", tmp_path):
        for read in (read_file, read_metadata, weights_file.load):
            with pytest.raises(WeightsError, match="cannot be read"):
                read(path)


def test_what_is_too_long_is_refused_by_its_size(tmp_path):
    path = tmp_path / "long"
    cases = ((100 << 20, 90 << 20, "header is too long"), (4 << 30, 2, "is too long"), (1 << 30, 0, "JSON"))
    for length, header, reason in cases:
        path.write_bytes(header.to_bytes(8, "little"))
        with open(path, "r+b") as file:
            file.truncate(length)
        for read in (read_file, read_metadata):
            with pytest.raises(WeightsError, match=reason):
                read(path)


@pytest.mark.skipif(os.name != "posix", reason="there are no such files here")
def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        for read in (read_file, read_metadata, weights_file.load):
            with pytest.raises(WeightsError, match="not a file"):
                read(path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a"
    write_file(path, {"x": np.ones(3, np.float32)}, {})
    before = path.read_bytes()

    def full(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        write_file(path, {"x": np.zeros(3, np.float32)}, {})
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["a"]


# ------------------------------------------------------------------- checkpoints


@pytest.fixture
def saved(tmp_path):
    """(path, net) of a small saved net."""
    net, path = lively(SPEC).eval(), tmp_path / "net.safetensors"
    weights_file.save(path, net, SPEC, step=123, config={"lr": 0.05}, data={"games": "made up"})
    return path, net


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_round_trip(tmp_path, spec):
    net = lively(spec).eval()
    sha = weights_file.save(tmp_path / "n", net, spec, step=9, config={"a": [1, 2]}, data={"b": {"c": "d"}})
    again, meta = weights_file.load_module(tmp_path / "n")
    assert (meta.spec, meta.step, meta.config, meta.data, meta.sha256) == (spec, 9, {"a": [1, 2]}, {"b": {"c": "d"}}, sha)
    assert not again.training and again.spec == spec
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), again.state_dict().values(), strict=True))


def test_same_net_gives_same_bytes(saved, tmp_path):
    path, net = saved
    weights_file.save(tmp_path / "b", net, SPEC, step=123, config={"lr": 0.05}, data={"games": "made up"})
    assert (tmp_path / "b").read_bytes() == path.read_bytes()


def test_shipped_form_is_half_and_close(saved, tmp_path):
    path, net = saved
    weights_file.convert_to_half(path, tmp_path / "h")
    assert (tmp_path / "h").stat().st_size < 0.75 * path.stat().st_size
    small, meta = weights_file.load_module(tmp_path / "h")
    assert (meta.step, meta.config) == (123, {"lr": 0.05})
    planes, globals_ = positions(SPEC, 4, 9)
    assert (small(planes, globals_).value - net(planes, globals_).value).abs().max() < 0.02


def test_half_refuses_what_does_not_fit():
    with pytest.raises(WeightsError, match=r"^tensor w: "):
        weights_file.half({"w": np.full((2, 2), 1e6, np.float32)})


def test_truncated_anywhere(saved):
    path, _ = saved
    content = path.read_bytes()
    for length in [*range(0, 64, 7), *range(64, len(content), len(content) // 60), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(WeightsError, match=r"net\.safetensors"):
            weights_file.load(path)


def test_flipped_bits_anywhere(saved):
    """Every damaged byte of the file is noticed: length, header, metadata or data."""
    path, _ = saved
    content = path.read_bytes()
    rng = np.random.default_rng(11)
    header = int.from_bytes(content[:8], "little") + 8
    end = len(content[:header].rstrip(b" "))  # the padding after the header holds nothing
    places = [*range(8), *rng.integers(8, end, 150), *rng.integers(header, len(content), 60), len(content) - 1]
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with pytest.raises(WeightsError, match=r"net\.safetensors"):
            weights_file.load(path)


def change_metadata(path, **changes):
    arrays, metadata = read_file(path)
    metadata.update(changes)
    del metadata["sha256"]
    for key in [key for key, value in metadata.items() if value is None]:
        del metadata[key]
    write_file(path, arrays, {**metadata, "sha256": weights_file.digest(arrays, metadata)})


BAD_METADATA = [
    ({"format": "other"}, "not a net of this project"),
    ({"format": None}, "not a net of this project"),
    ({"version": "2"}, "version '2'"),
    ({"step": None}, "no 'step'"),
    ({"step": "many"}, "damaged"),
    ({"config": "[]"}, "JSON objects"),
    ({"data": "{"}, "damaged"),
    ({"spec": "{}"}, "spec is wrong: features: missing"),
    ({"spec": SPEC.to_json().replace('"channels":16', '"channels":24')}, "shape"),
    ({"spec": tiny(("residual", "gpool", "residual"), value_hidden=4).to_json()}, "missing"),
    ({"spec": tiny(("gpool",), value_hidden=4).to_json()}, "missing|do not belong"),
]


@pytest.mark.parametrize(("changes", "reason"), BAD_METADATA, ids=[str(i) for i in range(len(BAD_METADATA))])
def test_wrong_metadata_is_refused(saved, changes, reason):
    path, _ = saved
    change_metadata(path, **changes)
    with pytest.raises(WeightsError, match=reason):
        weights_file.load(path)


def test_a_plain_tensor_file_is_refused(tmp_path):
    write_file(tmp_path / "a", {"x": np.ones(3, np.float32)}, {})
    with pytest.raises(WeightsError, match="not a net"):
        weights_file.load(tmp_path / "a")


def test_save_refuses_foreign_arrays(saved, tmp_path):
    _, net = saved
    arrays = weights_file.arrays_of(net)
    first = next(iter(arrays))
    wrong = {
        "missing": {name: array for name, array in arrays.items() if name != first},
        "do not belong": {**arrays, "more": np.ones(2, np.float32)},
        "shape": {**arrays, first: arrays[first][:1]},
        "dtype": {**arrays, first: arrays[first].astype(np.float64)},
    }
    for reason, bad in wrong.items():
        with pytest.raises(WeightsError, match=reason):
            weights_file.save(tmp_path / "b", bad, SPEC)
    assert not (tmp_path / "b").exists()
    with pytest.raises(ValueError, match="JSON"):
        weights_file.save(tmp_path / "b", arrays, SPEC, config={"x": object()})


def test_restore_into_another_net_is_refused(saved):
    _, net = saved
    other = lively(NetSpec.from_dict({**SPEC.to_dict(), "value_channels": 9}))
    with pytest.raises(WeightsError, match="shape"):
        weights_file.restore(other, weights_file.arrays_of(net))
