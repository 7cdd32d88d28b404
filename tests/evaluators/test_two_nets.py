"""Names of two nets: what they mean, what is loaded for them, and which nets are shipped for which part."""

import json
import shutil

import numpy as np
import pytest

from goengine.arena.players import parse_player
from goengine.evaluators import shipped_nets
from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.load import _tell_left_out, load, parts, resolved
from goengine.nets import card as cards
from goengine.nets.safetensors_file import WeightsError
from tests.evaluators.conftest import NAME, shipped
from tests.evaluators.helpers import assert_close, batch_of

POLICY, VALUE = "lee-policy-8", "lee-value-8"
CPU = {"device": "cpu", "precision": "f32", "threads": 1}


@pytest.fixture
def weights(net_folders, tmp_path, monkeypatch):
    """What is shipped: a net with both heads and two with one each."""
    folder = tmp_path / "weights"
    for net, name in (("b2c16", NAME), (POLICY, POLICY), (VALUE, VALUE)):
        shutil.copytree(net_folders[net], folder / name)
    monkeypatch.setattr(shipped_nets, "FOLDER", folder)
    return folder


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("A+B", ("A", "B")),
        ("A+", ("A", "")),
        ("+B", ("", "B")),
        ("+", ("", "")),
        ("lee", ("lee", "lee")),
        ("lee+", ("lee", "")),
        ("/nets/A.xml+~/B", ("/nets/A.xml", "~/B")),
        ("A", None),
        ("", None),
        ("uniform", None),
        ("leela", None),
    ],
)
def test_the_parts_of_a_name(name, expected):
    assert parts(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("", NAME),
        (NAME, NAME),
        ("uniform", "uniform"),
        ("lee", f"{POLICY}+{VALUE}"),
        ("lee+lee", f"{POLICY}+{VALUE}"),
        ("lee+", f"{POLICY}+"),
        ("+lee", f"+{VALUE}"),
        ("+", "+"),
        (f"{NAME}+lee", f"{NAME}+{VALUE}"),
        ("lee+no-such-net", f"{POLICY}+no-such-net"),
    ],
)
def test_shipped_nets_stand_in_for_no_name_and_for_lee(weights, name, expected):
    """The name that comes of it means the same, so that nets can be kept by it."""
    assert resolved(name, 9) == expected == resolved(expected, 9)


@pytest.mark.parametrize(
    ("name", "policy", "value"),
    [
        ("lee", POLICY, VALUE),
        (f"{POLICY}+{VALUE}", POLICY, VALUE),
        ("lee+", POLICY, None),
        ("+lee", None, VALUE),
        (f"{NAME}+lee", NAME, VALUE),
        (f"{POLICY}+{NAME}", POLICY, NAME),
        ("+", None, None),
        (f"+{NAME}", None, NAME),
        ("lee+uniform", POLICY, "uniform"),
        ("{folder}/lee-policy-8+{folder}/lee-value-8", POLICY, VALUE),
        ("{folder}/lee-policy-8/lee-policy-8.xml+", POLICY, None),
        ("+{folder}/lee-value-8/lee-value-8.xml", None, VALUE),
    ],
)
def test_two_nets_are_loaded_for_a_name_of_two(weights, name, policy, value):
    """Each answers as it does alone, and the name of both is made of theirs."""
    batch = batch_of(3, 9)
    with load(name.format(folder=weights), size=9, **CPU) as pair:
        answer, traits = pair.evaluate(batch), pair.traits
    assert traits.name == f"{policy or ''}+{value or ''}"
    assert traits.policy_proven == (policy is not None) and traits.value_proven == (value in (VALUE, NAME))
    for part, net in (("policy", policy), ("value", value)):
        with load("uniform" if net is None else net, **CPU) as alone:
            np.testing.assert_allclose(getattr(answer, part), getattr(alone.evaluate(batch), part), atol=1e-5)


def test_two_nets_may_be_of_two_kinds_of_files(net_folders):
    """A checkpoint is played by torch, a folder on the CPU by OpenVINO: together they answer as two folders do."""
    batch, (policy, value) = batch_of(2, 9), (net_folders[name] for name in (POLICY, VALUE))
    with load(f"{policy}+{value}", **CPU) as expected:
        answer = expected.evaluate(batch)
    with load(f"{policy / 'net.safetensors'}+{value / f'{VALUE}.xml'}", precision="f32", threads=1) as mixed:
        assert_close(mixed.evaluate(batch), answer, 2e-3)


@pytest.mark.parametrize("called", ["a+b", "+", "c++"])
def test_a_plus_in_the_name_of_a_file_joins_nothing(net_folders, tmp_path, called):
    """Where there is such a file or folder, the name is one net's."""
    folder = shutil.copytree(net_folders["b2c16"], tmp_path / called)
    assert parts(str(folder)) is None and resolved(str(folder), 9) == str(folder)
    with load(folder, **CPU) as one:
        assert one.name == NAME
    assert parts(f"{folder}.xml") == tuple(f"{folder}.xml".split("+", 1))


def test_a_file_with_a_plus_may_lie_where_one_works(net_folders, tmp_path, monkeypatch):
    shutil.copytree(net_folders["b2c16"], tmp_path / "a+b")
    assert parts("a+b") == ("a", "b")
    monkeypatch.chdir(tmp_path)
    assert parts("a+b") is None
    with load("a+b", **CPU) as one:
        assert one.name == NAME


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("no-such+lee", "no net or file 'no-such'"),
        ("lee+no-such", "no net or file 'no-such'"),
        ("+no-such.xml", r"no net or file 'no-such\.xml'"),
        ("no-such+", "no net or file 'no-such'"),
    ],
)
def test_a_part_that_is_not_there_is_named(weights, name, missing):
    with pytest.raises(EvaluatorError, match=missing):
        load(name, **CPU)


@pytest.mark.parametrize(
    ("left", "name", "words"),
    [
        ((NAME,), "lee", "no net that tells policy in"),
        ((NAME,), "+lee", "no net that tells value in"),
        ((NAME, POLICY), "lee", "no net that tells value in"),
        ((POLICY, VALUE), "", "no net that tells policy and value in"),
    ],
)
def test_what_is_not_shipped_is_said(weights, left, name, words):
    for other in set(shipped_nets.names()) - set(left):
        shutil.rmtree(weights / other)
    with pytest.raises(EvaluatorError, match=words):
        load(name, size=9, **CPU)
    with pytest.raises(EvaluatorError, match=words):
        resolved(name, 9)


WHOLE, ONLY_POLICY, ONLY_VALUE = shipped_nets.WHOLE, frozenset({"policy"}), frozenset({"value"})
SHIPPED = {  # name: net, board sizes, rank
    "small": ("b2c16", (9,), 1),
    "large": ("b2c16", (19,), 2),
    "p9": (POLICY, (9,), 8),
    "p19": (POLICY, (19,), 9),
    "p19-older": (POLICY, (13, 19), 3),
    "v13": (VALUE, (13,), 7),
}


@pytest.mark.parametrize(
    ("size", "outputs", "chosen"),
    [
        (9, WHOLE, "small"),
        (13, WHOLE, "small"),
        (19, WHOLE, "large"),
        (None, WHOLE, "large"),
        (9, ONLY_POLICY, "p9"),
        (5, ONLY_POLICY, "p9"),
        (13, ONLY_POLICY, "p19-older"),
        (19, ONLY_POLICY, "p19"),
        (25, ONLY_POLICY, "p19"),
        (None, ONLY_POLICY, "p19"),
        (9, ONLY_VALUE, "v13"),
        (None, ONLY_VALUE, "v13"),
    ],
)
def test_nets_are_chosen_by_what_they_tell_and_then_by_board_size(net_folders, tmp_path, size, outputs, chosen):
    """A net with one head never plays alone, whatever its rank."""
    for name, (net, sizes, rank) in SHIPPED.items():
        told = json.loads((net_folders[net] / cards.FILE).read_text())
        (tmp_path / name).mkdir()
        results = told["results"] | {"sizes": sizes, "rank": rank}
        (tmp_path / name / cards.FILE).write_text(json.dumps(told | {"name": name, "results": results}))
    assert shipped_nets.default(size, tmp_path, outputs) == chosen
    if outputs == WHOLE:
        assert shipped_nets.default(size, tmp_path) == chosen


def test_a_net_with_one_head_is_not_taken_where_there_is_no_other(net_folders):
    folder = net_folders[POLICY].parent
    assert set(shipped_nets.names(folder)) == {POLICY, VALUE}
    with pytest.raises(WeightsError, match="no net that tells policy and value in"):
        shipped_nets.default(9, folder)


def test_a_pair_in_a_folder_with_a_plus(tmp_path, monkeypatch):
    """Of several ways to divide a name that one counts whose parts are there; names are those of the files."""
    folder = tmp_path / "pp+q"
    folder.mkdir()
    for name in ("p.xml", "v+w.xml"):
        (folder / name).write_text("")
    monkeypatch.chdir(folder)
    player = parse_player("p.xml+v+w.xml")
    assert parts(player.net) == (str(folder / "p.xml"), str(folder / "v+w.xml"))
    assert player.name == "p+v+w" and parse_player(str(folder / "p.xml")).name == "p"


def test_more_than_two_nets_are_refused():
    with pytest.raises(EvaluatorError, match="'uniform\\+uniform'"):
        load("uniform+uniform+uniform")


@pytest.mark.parametrize(
    ("size", "value"), [(6, ""), (7, VALUE), (9, VALUE), (11, VALUE), (13, ""), (17, VALUE), (19, VALUE), (None, VALUE)]
)
def test_a_value_net_of_other_boards_is_none(weights, size, value):
    """The shipped value net stands for 'lee' on boards of about the sizes of its card alone; by its own name on all."""
    assert resolved("lee", size) == f"{POLICY}+{value}"
    assert resolved(f"{POLICY}+{VALUE}", size) == f"{POLICY}+{VALUE}"


def test_a_value_net_that_is_left_out_is_told_once_for_a_size(weights, capsys):
    _tell_left_out.cache_clear()
    for size in (9, 13, 13, 15, 13):
        resolved("lee", size)
        resolved(f"{POLICY}+{VALUE}", size)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 and "13x13" in told[0] and "15x15" in told[1]
    assert told[0].startswith(f"warning: {VALUE} has learned 9x9, 19x19") and "rollouts alone" in told[0]


def test_heads_that_see_all_points_alike_know_every_size(weights, capsys):
    shutil.rmtree(weights / VALUE)
    shipped(weights, "c16:rg/policy-none", "pooled")
    _tell_left_out.cache_clear()
    for size in (2, 7, 13, 25):
        assert resolved("lee", size) == f"{POLICY}+pooled"
    assert capsys.readouterr().err == ""
    with load("lee", size=13, device="cpu", threads=1) as pair:
        assert pair.value.name == "pooled" and pair.traits.value_proven
