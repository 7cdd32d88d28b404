"""Architectures as text: both ways, what each sign means, and every way to get it wrong with the place named."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goengine.nets.architecture import PRESETS, ArchitectureError, file_name, grown, is_architecture, parse, to_text
from goengine.nets.spec import ACTIVATIONS, BLOCK_KINDS, KINDS, NORMS, BlockSpec, NetSpec
from tests.nets.helpers import SPECS


def spec_of(text):
    return parse(text, "zero", 22, 14)


def kinds(text):
    return "".join(KINDS[block.kind].letter for block in spec_of(text).blocks)


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("c96:rrgrrgrr", "b8c96"),
        ("b8c96:rrg", "b8c96"),
        ("b9c96", "b9c96"),
        ("c96:rrgrdgrr", "c96:rrgrdgrr"),
        ("c48-96:mmmmmm/k6/silu", "b6c48-96:mk6/silu"),
        ("c64x3,c128x3:rrgrrg", "c64x3,c128x3"),
        ("c64x0,c128x3:pqr", "c64x0,c128x3:pqr"),
        ("c96:ddddd2", "b5c96:d"),
        ("c96:d2dd8", "c96:d2dd8"),
        ("c96:r40g24i8di5m3i100ti64b7", "c96:r40g24i8di5mi100ti64b7"),
        ("c96:mi100m/k6", "c96:mi100mk6"),
        ("b12c64:m5k2e6k12tuv/mish/layer/se8/pool4", "b12c64:m5k2e6k12tuv/mish/layer/pool4/se8"),
        ("c32:c/plainstem/policy-placed/value-none", "c32:c/policy-placed/value-none/plainstem"),
        ("b8c96/se4", "b8c96/se"),
        ("b8c96/batch/relu", "b8c96"),
    ],
)
def test_text_both_ways(text, again):
    assert to_text(spec_of(text)) == again and spec_of(again) == spec_of(text)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_its_name(name):
    assert to_text(spec_of(name)) == name and spec_of(PRESETS[name]) == spec_of(name)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
def test_every_spec_has_a_text(spec):
    assert parse(to_text(spec), spec.features, spec.planes, spec.globals) == spec


@st.composite
def blocks(draw):
    kind = draw(st.sampled_from(BLOCK_KINDS))
    numbers = {
        key: draw(st.sampled_from((0, number.least, number.least + 2)))
        for key in ("size", "k", "inner")
        if (number := getattr(KINDS[kind], key))
    }
    if numbers.get("inner"):
        numbers.pop("k", None)  # an expansion and inner channels say the same
    width = 0 if kind == "squeeze" else draw(st.sampled_from((0, 16, 20, 64)))
    return BlockSpec(kind, width=width, **numbers)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(blocks(), min_size=1, max_size=9),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(NORMS),
    st.sampled_from((0, 4, 9)),
    st.sampled_from((1, 3, 8)),
)
def test_any_spec_survives_its_text_and_json(trunk, activation, norm, squeeze, pool):
    more = {"activation": activation, "norm": norm, "squeeze": squeeze, "pool_channels": pool}
    spec = NetSpec("zero", 22, 14, 16, tuple(trunk), **more)
    assert spec_of(to_text(spec)) == spec == NetSpec.from_json(spec.to_json())


def test_what_the_signs_mean():
    assert kinds("b7c32:rg") == "rgrgrgr" and kinds("b7c32") == "rrgrrgr"
    assert spec_of("c64x2,c128x1:rrr").widths == (64, 64, 64, 128)
    assert spec_of("b4c32-64:r").widths == (32, 40, 48, 56, 64)
    assert spec_of("b3c5-8:r").widths == (5, 6, 7, 8) and grown(64, 32, 2) == [48, 32]
    assert [block.size for block in spec_of("b7c32:d").blocks] == [1, 2, 4, 1, 2, 4, 1]
    assert [block.size for block in spec_of("c32:dd8dr9").blocks] == [1, 8, 2, 9]
    assert [(block.size, block.k) for block in spec_of("c32:mm5mk2er/k3").blocks] == [(3, 3), (5, 3), (3, 2), (4, 3), (0, 0)]
    spec = spec_of("b3c64/silu/group/se16/stem3/pool9/hidden10")
    assert (spec.activation, spec.norm, spec.squeeze, spec.stem_kernel) == ("silu", "group", 16, 3)
    assert (spec.pool_channels, spec.value_hidden) == (9, 10)


def test_an_old_spec_reads_as_before():
    """What weights files of before hold: kinds as words and no word of norms."""
    data = spec_of("b4c64").to_dict()
    assert data["blocks"] == ["residual", "residual", "gpool", "residual"]
    assert spec_of("c64:m5k2").to_dict()["blocks"] == [{"kind": "inverted", "size": 5, "k": 2}]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("c96:rrxr", 7, "no block 'x'"),
        ("c96:rr r", 7, "no block ' '"),
        ("c2:r", 2, "expected 4 to 1024 channels, got 2"),
        ("c64-2000:r", 5, "expected 4 to 1024"),
        ("c96", 4, "how many blocks"),
        ("c64,c128:rr", 1, "how many blocks have this width"),
        ("c64x3,96x2", 7, "expected a width"),
        ("c64x,c9x2", 5, "expected a number of blocks"),
        ("c64x100,c32x100", 9, "200 blocks in all"),
        ("b3c64x2,c12x2", 1, "b3 asks for 3 blocks, the widths have 4"),
        ("b1000c5", 2, "expected 1 to 128 blocks"),
        ("b" + "9" * 50 + "c4", 2, "expected 1 to 128 blocks"),
        ("c96:re24k200", 6, "are 4896, more than 1024"),
        ("c96:rr5k3", 8, "takes no k"),
        ("c96:rr5i3", 8, "takes no i"),
        ("c96:mk2i30", 8, "k and i both say"),
        ("c96:mi", 7, "expected a number of inner channels"),
        ("c96:rgi96", 6, "pooled channels: expected fewer"),
        ("c96:g5i2000", 8, "1 to 1024 pooled channels, got 2000"),
        ("c96:c4", 6, "takes no number"),
        ("c96:rm4", 6, "odd number, got 4"),
        ("c96:m11", 6, "expected 3 to 9 kernel"),
        ("c96:mk", 7, "expected a number of expansion"),
        ("c96:t0", 6, "heads, got 0"),
        ("c96:rr/k4", 8, "no block of this net takes a k"),
        ("c96:rm/k99", 6, "expansion: expected 1 to 8, got 99"),
        ("c96:rr/foo", 8, "no flag 'foo'"),
        ("c96:rr/", 8, "no flag ''"),
        ("c96:rr/silu/mish", 13, "second flag for activation"),
        ("c96:r/se/se8", 10, "second flag for squeeze"),
        ("c96:", 5, "expected blocks"),
        ("b2c96:rrrr", 9, "4 blocks, the net only 2"),
        ("c96:rr/pool96", 8, "pool_channels"),
        ("c96:r/stem4", 7, "odd number"),
        ("c64x2,c128x3:rrs", 16, "keeps its width"),
        ("c96:r/policy-none/value-none", 19, "needs one"),
        ("b8c96:rrg)", 10, "no block ')'"),
        ("b8c96rrg", 6, "expected ':'"),
        ("c٣:r", 2, "expected a number"),
        ("", 1, "expected a width"),
        ("B8C96", 1, "expected a width"),
    ],
)
def test_an_error_names_its_place(text, place, said):
    with pytest.raises(ArchitectureError) as error:
        spec_of(text)
    message = str(error.value)
    assert message.startswith(f"{text}: at character {place} (") and said in message


@settings(max_examples=300, deadline=None)
@given(st.text("bcxrgmek0123456789-,:/silu", max_size=24))
def test_no_text_breaks_the_reader(text):
    try:
        spec = spec_of(text)
    except ArchitectureError:
        return
    assert spec_of(to_text(spec)) == spec


def test_which_words_are_meant_as_architectures():
    assert all(map(is_architecture, ("b8c96", "c96:rrxr", "lee-policy-8", "b9000c1")))
    assert not any(map(is_architecture, ("net.safetensors", "b9000", "runs/c96", "c96.safetensors", "b8", "")))


def test_a_text_names_files():
    assert file_name("c48-96:mmk6/silu") == "c48-96-mmk6-silu" and file_name("b8c96") == "b8c96"
