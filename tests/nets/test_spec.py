"""The description of a net: JSON both ways, and every way to get it wrong."""

import json
import subprocess
import sys

import pytest

from goengine.nets.architecture import PRESETS, parse
from goengine.nets.blocks import BLOCKS
from goengine.nets.spec import BLOCK_KINDS, NetSpec, NetSpecError

GOOD = parse("b4c64", "zero", 22, 14)


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip(name):
    spec = parse(name, "zero", 22, 14)
    assert NetSpec.from_json(spec.to_json()) == spec
    assert NetSpec.from_json(spec.to_json()).to_json() == spec.to_json()


def test_presets_are_what_their_names_say():
    for name in PRESETS:
        spec = parse(name, "zero", 22, 14)
        if name.startswith("lee-"):
            assert name == f"lee-{'policy' if 'policy' in spec.outputs else 'value'}-{spec.channels}" and len(spec.outputs) == 1
            assert {block.kind for block in spec.blocks} == {"conv"} and (
                spec.stem_kernel,
                spec.stem_norm,
                spec.activation,
            ) == (5, False, "relu")
        else:
            assert name == f"b{len(spec.blocks)}c{spec.channels}"
            assert "gpool" in {block.kind for block in spec.blocks}


def test_a_spec_from_before_there_were_other_heads():
    """Weights files keep what was written into them: every newer field has a default that means the old net."""
    data = GOOD.to_dict()
    for key in ("stem_norm", "policy_head", "value_head", "norm", "squeeze"):
        del data[key]
    assert NetSpec.from_dict(data) == GOOD and GOOD.outputs == {"policy", "opponent", "value", "score", "ownership"}


def test_registry_has_every_kind():
    assert tuple(sorted(BLOCKS)) == tuple(sorted(BLOCK_KINDS))


WRONG = [
    ({"chanels": 64}, "chanels"),
    ({"channels": "64"}, "channels"),
    ({"channels": 64.0}, "channels"),
    ({"channels": True}, "channels"),
    ({"channels": 0}, "channels"),
    ({"channels": 10**9}, "channels"),
    ({"planes": None}, "planes"),
    ({"globals": -1}, "globals"),
    ({"features": ""}, "features"),
    ({"features": 3}, "features"),
    ({"blocks": []}, "blocks"),
    ({"blocks": "residual"}, "blocks"),
    ({"blocks": ["residual", "resnet"]}, "blocks"),
    ({"blocks": [["residual"]]}, "blocks"),
    ({"blocks": ["residual"] * 1000}, "blocks"),
    ({"stem_kernel": 4}, "stem_kernel"),
    ({"activation": "gelu"}, "activation"),
    ({"activation": []}, "activation"),
    ({"pool_channels": 64}, "pool_channels"),
    ({"value_hidden": []}, "value_hidden"),
    ({"stem_norm": 0}, "stem_norm"),
    ({"policy_head": "fc"}, "policy_head"),
    ({"value_head": ["placed"]}, "value_head"),
    ({"policy_head": "none", "value_head": "none"}, "value_head"),
]


@pytest.mark.parametrize(("change", "key"), WRONG, ids=[json.dumps(change)[:40] for change, _ in WRONG])
def test_wrong_values_are_named(change, key):
    with pytest.raises(NetSpecError, match=f"^{key}: "):
        NetSpec.from_dict({**GOOD.to_dict(), **change})


@pytest.mark.parametrize("key", ["features", "planes", "globals", "channels", "blocks"])
def test_missing_keys_are_named(key):
    data = GOOD.to_dict()
    del data[key]
    with pytest.raises(NetSpecError, match=f"^{key}: missing"):
        NetSpec.from_dict(data)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 100_000])
def test_not_an_object(text):
    with pytest.raises(NetSpecError):
        NetSpec.from_json(text)


def test_unknown_preset_shows_what_is_meant():
    with pytest.raises(NetSpecError, match=r"b99.*b8c96"):
        parse("b99", "zero", 22, 14)


def test_reading_a_spec_does_not_import_torch():
    code = "import sys, goengine.nets.spec, goengine.nets.weights_file, goengine.nets.ship; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
