"""Nets in files: the backends agree, damaged files are refused, and a CPU player does without torch."""

import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from goengine.evaluators import shipped_nets
from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.load import load
from goengine.nets import card as cards
from tests.evaluators.conftest import NAME
from tests.evaluators.helpers import assert_close, batch_of


@pytest.fixture
def copy(net_folder, tmp_path):
    """A folder of the tiny net that a test may damage."""
    return shutil.copytree(net_folder, tmp_path / NAME)


@pytest.mark.parametrize("size", [2, 9, 19, 25])
def test_openvino_and_torch_agree(net_folder, size):
    batch = batch_of(3, size)
    with load(net_folder, device="cpu", precision="f32") as one:
        expected = one.evaluate(batch)
    with load(net_folder, device="torch-cpu", precision="f32") as other:
        assert_close(expected, other.evaluate(batch), 2e-3)


def test_low_precision_is_near(net_folder):
    batch = batch_of(16, 9)
    with load(net_folder, device="cpu", precision="f32") as exact, load(net_folder, device="cpu") as fast:
        expected, found = exact.evaluate(batch), fast.evaluate(batch)
    assert np.abs(expected.value - found.value).max() < 0.05
    assert np.abs(expected.policy - found.policy).max() < 0.1 * np.abs(expected.policy).max()


def test_a_checkpoint_and_a_bare_pair_are_played(net_folder):
    batch = batch_of(2, 9)
    answers = []
    for path in (net_folder, net_folder / "net.safetensors", net_folder / f"{NAME}.xml"):
        with load(path, precision="f32", threads=1) as evaluator:
            assert evaluator.features == "zero"
            answers.append(evaluator.evaluate(batch))
    assert_close(answers[0], answers[1], 2e-3)
    assert_close(answers[0], answers[2], 1e-6)


CHANGE = """
import os, signal, sys
from goengine.evaluators.load import load
heard = []
signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
older, newer = (load(sys.argv[1], device="cpu", threads=1) for _ in range(2))
older.close()
del older
newer.close()
del newer
os.kill(os.getpid(), signal.SIGTERM)
print(heard == [signal.SIGTERM])
"""


def test_signals_are_heard_after_a_change_of_nets(net_folder):
    """The older net goes first, as where a newer one takes over."""
    done = subprocess.run([sys.executable, "-c", CHANGE, net_folder], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True\n")


def test_traits_come_from_the_card(net_folder):
    with load(net_folder, device="cpu") as evaluator:
        traits = evaluator.traits
    assert (traits.name, traits.value_proven, traits.score_proven, traits.ownership_proven) == (NAME, True, False, False)


def test_nobody_believes_a_head_that_is_not_there(net_folders):
    """Whatever the card says of it, and where there is no card."""
    for net in ("lee-policy-8", "lee-value-8"):
        for place in ("", "net.safetensors", f"{net}.xml"):
            with load(net_folders[net] / place if place else net_folders[net], device="auto" if place else "cpu") as evaluator:
                assert evaluator.traits.value_proven == (net == "lee-value-8")


def _cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def _flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _edit(path):
    path.write_text(path.read_text().replace('"step": 0', '"step": "many"'))


DAMAGES = [
    (f"{NAME}.bin", _flip, "cpu", "checksum"),
    (f"{NAME}.bin", _cut, "cpu", "checksum"),
    (f"{NAME}.bin", lambda path: path.unlink(), "cpu", "cannot be read"),
    (f"{NAME}.xml", _flip, "cpu", "checksum"),
    ("net.safetensors", _flip, "torch-cpu", "checksum"),
    ("card.json", _edit, "cpu", "step: "),
    ("card.json", _cut, "cpu", "card.json"),
    ("card.json", lambda path: path.write_text("[]"), "cpu", "not the card"),
    ("card.json", lambda path: path.unlink(), "cpu", "cannot be read"),
]


@pytest.mark.parametrize(("file", "damage", "device", "words"), DAMAGES)
def test_damaged_files_are_refused(copy, file, damage, device, words):
    damage(copy / file)
    with pytest.raises(EvaluatorError, match=words) as caught:
        load(copy, device=device)
    assert file in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<net><layers>", "well-formed"),
        ("<other/>", "not an OpenVINO net"),
        ('<net name="x" version="11"/>', "export it"),
    ],
)
def test_a_wrong_graph_is_refused(copy, text, words):
    (copy / f"{NAME}.xml").write_text(text)
    with pytest.raises(EvaluatorError, match=words):
        load(copy / f"{NAME}.xml")


def test_a_pair_needs_both_files_whole(copy):
    _cut(copy / f"{NAME}.bin")
    with pytest.raises(EvaluatorError, match="checksum"):
        load(copy / f"{NAME}.xml")
    _forget_checksum(copy / f"{NAME}.xml")
    with pytest.raises(EvaluatorError, match="OpenVINO cannot load"):
        load(copy / f"{NAME}.xml")
    (copy / f"{NAME}.bin").unlink()
    with pytest.raises(EvaluatorError, match="bin: cannot be read"):
        load(copy / f"{NAME}.xml")


def _forget_checksum(xml):
    """The graph as exports of older versions wrote it."""
    text, count = re.subn(r"\s*<bin_sha256 [^>]*/>", "", xml.read_text())
    assert count == 1
    xml.write_text(text)


def test_weights_that_were_changed_are_refused_without_a_card(copy):
    (copy / "card.json").unlink()
    _flip(copy / f"{NAME}.bin")
    with pytest.raises(EvaluatorError, match=rf"{NAME}\.bin: the checksum is not the one in {NAME}\.xml"):
        load(copy / f"{NAME}.xml")


@pytest.mark.parametrize("form", ["", "-int8"])
def test_weights_of_a_shipped_net_that_were_changed_are_refused_without_their_card(tmp_path, form):
    """Its files are older than checksums in exports: the card of the net in the engine's folder knows them."""
    name = "b8c96"
    for suffix in ("xml", "bin"):
        shutil.copy(shipped_nets.place(name) / f"{name}{form}.{suffix}", tmp_path / f"own.{suffix}")
    with load(tmp_path / "own.xml", device="cpu") as evaluator:
        assert evaluator.features == "zero"
    _flip(tmp_path / "own.bin")
    with pytest.raises(EvaluatorError, match=r"own\.bin: the checksum is not the one on the net's card"):
        load(tmp_path / "own.xml")


def test_an_older_export_without_a_checksum_is_played(copy):
    _forget_checksum(copy / f"{NAME}.xml")
    with load(copy / f"{NAME}.xml") as evaluator:
        assert evaluator.features == "zero"


@pytest.mark.parametrize(("file", "length"), [(f"{NAME}.xml", 62 << 20), (f"{NAME}.bin", 4 << 30), ("card.json", 2 << 20)])
def test_files_that_are_too_long_are_refused_by_their_size(copy, file, length):
    with open(copy / file, "r+b") as damaged:
        damaged.truncate(length)
    names = {f"{NAME}.xml": copy / f"{NAME}.xml", f"{NAME}.bin": copy / f"{NAME}.xml", "card.json": copy}
    with pytest.raises(EvaluatorError, match=rf"{file}: cannot be read: is too long"):
        load(names[file], device="cpu")


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("no-such-net", {}, "no net or file 'no-such-net'.*uniform"),
        ("pyproject.toml", {}, "expected a net's folder"),
        ("uniform.safetensors", {}, "no net or file"),
    ],
)
def test_wrong_names(name, settings, words):
    with pytest.raises(EvaluatorError, match=words):
        load(name, **settings)


def test_wrong_settings(net_folder):
    for settings, words in (
        ({"device": "tpu"}, "device: expected auto"),
        ({"device": "cpu", "precision": "f8"}, "precision: expected"),
        ({"device": "cpu", "precision": "int8"}, "not on the card"),
    ):
        with pytest.raises(EvaluatorError, match=words):
            load(net_folder, **settings)


def test_wrong_planes_are_named(net_folder):
    batch = batch_of(2, 9)
    for device in ("cpu", "torch-cpu"):
        evaluator = load(net_folder, device=device)
        with pytest.raises(EvaluatorError, match="expects 5 planes and 3 globals, got 4 and 3"):
            evaluator.evaluate(batch._replace(planes=batch.planes[:, :4]))
        evaluator.close()
        with pytest.raises(EvaluatorError, match="closed"):
            evaluator.evaluate(batch)


def test_a_card_says_what_was_shipped(net_folder):
    card = cards.read(net_folder)
    assert (card.name, card.results.description, card.results.sizes) == (NAME, "random weights", (9, 19))
    assert card.results.numbers == {"top1": 0.1}
    assert set(card.files) == {"net.safetensors", f"{NAME}.xml", f"{NAME}.bin"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "colour: unknown key"),
        ({"format": "other"}, "not the card"),
        ({"results": {"proven": ["luck"]}}, "results.proven"),
        ({"results": {"sizes": [19, 26]}}, "results.sizes"),
        ({"files": {"../x": {"sha256": "0" * 64}}}, "not the name of a file"),
        ({"files": {"x": {"sha256": "0"}}}, "sha256"),
        ({"spec": {}}, "spec"),
        ({"name": None}, "name"),
    ],
)
def test_a_wrong_card_names_the_key(net_folder, change, words):
    data = json.loads((net_folder / cards.FILE).read_text()) | change
    with pytest.raises(ValueError, match=words):
        cards.Card.from_json(json.dumps(data))


def test_shipped_nets(net_folder, copy):
    folder = copy.parent
    assert shipped_nets.names(folder) == (NAME,)
    assert shipped_nets.default(19, folder) == shipped_nets.default(9, folder) == NAME
    assert shipped_nets.problems(NAME, folder) == []
    _flip(copy / f"{NAME}.bin")
    assert len(shipped_nets.problems(NAME, folder)) == 1
    assert shipped_nets.names(folder / "nowhere") == ()


@pytest.mark.parametrize(
    ("trained", "size", "chosen"),
    [
        ({"a": ((9, 13), 1), "b": ((19,), 2)}, 5, "a"),
        ({"a": ((9, 13), 1), "b": ((19,), 2)}, 15, "a"),
        ({"a": ((9, 13), 1), "b": ((19,), 2)}, 17, "b"),
        ({"a": ((9, 13), 1), "b": ((19,), 2)}, None, "b"),
        ({"a": ((9, 19), 1), "b": ((19,), 2)}, 19, "b"),
    ],
)
def test_the_default_net_knows_boards_of_about_that_size(net_folder, tmp_path, trained, size, chosen):
    told = json.loads((net_folder / cards.FILE).read_text())
    for name, (sizes, rank) in trained.items():
        (tmp_path / name).mkdir()
        results = told["results"] | {"sizes": sizes, "rank": rank}
        (tmp_path / name / cards.FILE).write_text(json.dumps(told | {"name": name, "results": results}))
    assert shipped_nets.default(size, tmp_path) == chosen


def test_a_net_in_the_users_folder_is_known_by_name(copy, monkeypatch):
    monkeypatch.setenv("GOENGINE_NETS", str(copy.parent))
    others = set(shipped_nets.names(shipped_nets.FOLDER))
    assert set(shipped_nets.names()) == others | {NAME} and shipped_nets.place(NAME) == copy
    with load(NAME) as evaluator:
        assert evaluator.features
    before = shipped_nets.default(19, shipped_nets.FOLDER)
    (copy / cards.FILE).write_text("{")
    assert shipped_nets.default(19) == before  # a wrong card of the user's own keeps no other net from playing
    assert len(shipped_nets.problems(NAME)) == 1


@pytest.mark.parametrize("name", shipped_nets.names())
def test_every_shipped_net_is_whole(name):
    assert shipped_nets.problems(name) == []


ALONE = """
import sys
import goengine.evaluators.base
import goengine.board.symmetry
assert not {{"numba", "openvino", "torch"}} & set(sys.modules), "base"
from goengine.evaluators.load import load
from tests.evaluators.helpers import batch_of
assert not {{"openvino", "torch"}} & set(sys.modules), "load"
with load({folder!r}, device="cpu", threads=1) as evaluator:
    assert evaluator.evaluate(batch_of(1, 9)).policy.shape == (1, 82)
assert not {{"torch", "nncf", "onnx"}} & set(sys.modules), "play"
"""


def test_playing_on_a_cpu_imports_no_torch(net_folder):
    code = ALONE.format(folder=str(net_folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
