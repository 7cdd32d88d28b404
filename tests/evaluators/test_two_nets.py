"""Names of two nets: what they mean, what is loaded for them, and which nets are shipped for which part."""

import json
import shutil

import numpy as np
import pytest

from goengine.arena.players import left_out, parse_player
from goengine.evaluators import shipped_nets
from goengine.evaluators.base import Batch, EvaluatorError
from goengine.evaluators.load import load, parts, resolve, resolved
from goengine.nets import card as cards
from goengine.nets.architecture import parse
from goengine.nets.safetensors_file import WeightsError
from goengine.player.net_source import NetSource
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


ANY = "c8:rr/policy-none"  # a value net whose head has no places
FITTING = {  # net, sizes it has learned: boards of 6, 9, 13, 17, 19 and 25 that its head fits, y or n
    ("policy", POLICY, (9,)): "yynnnn",
    ("policy", POLICY, (13,)): "yyynnn",
    ("policy", POLICY, (19, 9)): "yyyyyy",
    ("value", VALUE, (9,)): "nynnnn",
    ("value", VALUE, (9, 19)): "nynyyn",
    ("value", VALUE, (5, 25)): "ynnnny",
    ("value", ANY, (9,)): "yyyyyy",
    ("policy", "c8:rr/value-none", (19,)): "yyyyyy",
    ("policy", "b2c16", (9,)): "yyyyyy",
}


def card(net, sizes=(9,), name="net", rank=0):
    """The card of a net that has no files."""
    results = cards.Results(sizes=tuple(sizes), rank=rank)
    return cards.Card(
        name=name, spec=parse(net, "lee49", 49, 0), parameters=1, step=1, config={}, data={}, results=results, files={}
    )


@pytest.mark.parametrize(("head", "net", "sizes", "expected"), [(*key, value) for key, value in FITTING.items()])
def test_a_head_with_places_fits_the_boards_that_it_has_learned(head, net, sizes, expected):
    known = card(net, sizes)
    assert "".join("ny"[shipped_nets.fits(known, head, size)] for size in (6, 9, 13, 17, 19, 25)) == expected


@pytest.mark.parametrize(
    ("head", "net", "sizes", "words"),
    [
        ("value", VALUE, (9,), "7x7 to 11x11"),
        ("value", VALUE, (19, 9), "7x7 to 11x11 and 17x17 to 21x21"),
        ("value", VALUE, (9, 12), "7x7 to 14x14"),
        ("value", VALUE, (2, 25), "2x2 to 4x4 and 23x23 to 25x25"),
        ("policy", POLICY, (9,), "2x2 to 11x11"),
    ],
)
def test_what_a_head_has_learned_in_words(head, net, sizes, words):
    assert shipped_nets.learned(card(net, sizes), head) == words


@pytest.mark.parametrize(("size", "chosen"), [(7, "placed"), (9, "placed"), (13, "pooled"), (19, "pooled"), (None, "placed")])
def test_a_net_that_fits_goes_before_one_of_a_nearer_size(monkeypatch, size, chosen):
    """13 is nearer to 9 than to 19, but a head with places that has learned 9 is of no use there."""
    monkeypatch.setattr(
        shipped_nets, "_cards", lambda folder: [card(VALUE, (9,), "placed", rank=2), card(ANY, (19,), "pooled", rank=1)]
    )
    assert shipped_nets.default(size, outputs=ONLY_VALUE) == chosen


def sentence(name, learned, size):
    return (
        f"{name} has learned {learned} only: on {size}x{size} it is left out, and rollouts, where they are played, give the "
        "values alone; --net POLICY+VALUE names others"
    )


BOTH = "7x7 to 11x11 and 17x17 to 21x21"


@pytest.mark.parametrize(
    ("name", "size", "expected", "missing"),
    [
        *((name, size, f"{POLICY}+{VALUE}", ()) for name in ("lee", f"{POLICY}+{VALUE}") for size in (7, 9, 11, 17, 19, None)),
        *((name, size, f"{POLICY}+", (VALUE,)) for name in ("lee", f"{POLICY}+{VALUE}") for size in (6, 13, 25)),
        ("+lee", 13, "+", (VALUE,)),
        ("lee+", 13, f"{POLICY}+", ()),
        (f"lee+{NAME}", 13, f"{POLICY}+{NAME}", ()),
        ("lee+{folder}/lee-value-8", 13, f"{POLICY}+", (VALUE,)),
        ("lee+{folder}/lee-value-8/lee-value-8.xml", 13, f"{POLICY}+{{folder}}/lee-value-8/lee-value-8.xml", ()),
        (VALUE, 13, VALUE, ()),
        ("", 13, NAME, ()),
    ],
)
def test_a_net_of_other_boards_is_left_out_of_two_and_said(weights, name, size, expected, missing):
    """Whether it was named or not; a net alone and a file without a card always play."""
    name, expected = name.format(folder=weights), expected.format(folder=weights)
    assert resolve(name, size) == (expected, tuple(sentence(one, BOTH, size) for one in missing))


def test_a_policy_is_left_out_as_well(weights):
    _learned(weights / POLICY, [9])
    policy, value = resolve("lee", 19), resolve("lee", 13)
    assert policy.name == f"+{VALUE}" and value.name == "+"
    assert policy.left_out == (
        f"{POLICY} has learned 2x2 to 11x11 only: on 19x19 it is left out, and the tree policy gives the priors; "
        "--net POLICY+VALUE names others",
    )
    assert [text.split()[0] for text in value.left_out] == [POLICY, VALUE]


def _learned(folder, sizes):
    """Write other board sizes into a card."""
    told = json.loads((folder / cards.FILE).read_text())
    (folder / cards.FILE).write_text(json.dumps(told | {"results": told["results"] | {"sizes": sizes}}))


def test_each_board_size_is_warned_of_once(weights, caplog):
    nets = NetSource("lee", threads=1, precision="f32")
    for size in (9, 13, 9, 13, 15, 13, 15):
        assert nets.get(size).name == (f"{POLICY}+{VALUE}" if size == 9 else f"{POLICY}+")
    assert [record.getMessage() for record in caplog.records] == [sentence(VALUE, BOTH, size) for size in (13, 15)]
    caplog.clear()
    with load("lee", size=13, **CPU), load("lee", size=19, **CPU):
        assert [record.getMessage() for record in caplog.records] == [sentence(VALUE, BOTH, 13)]


def test_a_match_says_once_what_is_left_out(weights, caplog):
    """The processes that load the nets do not repeat it."""
    players = [parse_player("lee"), parse_player("lee", "visits=3"), parse_player("lee+"), parse_player(NAME)]
    assert left_out(players, 13) == [sentence(VALUE, BOTH, 13)] and not left_out(players, 19)
    with players[0].load(13) as pair:
        assert pair.name == f"{POLICY}+" and not caplog.records


def test_nets_without_places_play_every_board_together(tmp_path, monkeypatch, caplog):
    """Each sees its own planes of one encoding, and answers as it does alone."""
    monkeypatch.setattr(shipped_nets, "FOLDER", tmp_path)
    for name, net, planes in (("p", "c8:rg/value-none", 48), ("v", ANY, 49)):
        shipped(tmp_path, net, name, (f"lee{planes}", planes, 0), sizes=(9,))
    for size in (5, 13, 19):
        with load("lee", size=size, **CPU) as pair, load("p", **CPU) as policy, load("v", **CPU) as value:
            assert (pair.name, pair.features) == ("p+v", "lee49")
            planes = np.random.default_rng(size).random((2, 49, size, size)).astype(np.float32)
            planes[:, 0] = 1
            batch = Batch(planes, np.zeros((2, 0), np.float32), np.arange(1, 3, dtype=np.uint64))
            answer, shorter = pair.evaluate(batch), batch._replace(planes=np.ascontiguousarray(planes[:, :48]))
            np.testing.assert_allclose(answer.policy, policy.evaluate(shorter).policy, atol=1e-5)
            np.testing.assert_allclose(answer.value, value.evaluate(batch).value, atol=1e-5)
    assert not caplog.records
