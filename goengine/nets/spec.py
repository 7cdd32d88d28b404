"""What a net looks like, as data: a frozen description that is stored inside every weights file.

Knows names and numbers only. It does not import PyTorch and does not know how a block computes: `blocks` does, and its
registry has exactly the names in BLOCK_KINDS.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Final

BLOCK_KINDS: Final = ("residual", "gpool", "preact", "preact_gpool", "bottleneck", "conv")
ACTIVATIONS: Final = ("relu", "silu")
# Kinds of heads, and what each of them tells; without a head, the answer is that of a uniform evaluator.
POLICY_HEADS: Final[dict[str, frozenset[str]]] = {
    "pooled": frozenset({"policy", "opponent"}),
    "placed": frozenset({"policy"}),
    "none": frozenset(),
}
VALUE_HEADS: Final[dict[str, frozenset[str]]] = {
    "pooled": frozenset({"value", "score", "ownership"}),
    "placed": frozenset({"value"}),
    "none": frozenset(),
}

# Smallest and largest value of every whole-number field.
LIMITS: Final[dict[str, tuple[int, int]]] = {
    "planes": (1, 512),
    "globals": (0, 512),
    "channels": (4, 1024),
    "stem_kernel": (1, 9),
    "pool_channels": (1, 512),
    "policy_channels": (1, 512),
    "value_channels": (1, 512),
    "value_hidden": (1, 2048),
}
MAX_BLOCKS: Final = 128


class NetSpecError(ValueError):
    """A net description is wrong; the message names the key and what it should be."""


@dataclass(frozen=True)
class NetSpec:
    """One architecture; two nets with equal specs can exchange weights.

    features: name of the feature set that fills the planes; planes, globals: how many it has. Plane 0 is 1 on the board.
    channels: width of the trunk; blocks: kinds from BLOCK_KINDS, from the input to the heads.
    pool_channels: channels of a 'gpool' block and of the policy head that are pooled (KataGo's c_pool).
    value_channels: 1x1 channels of the value head; value_hidden: its fully connected layer.
    stem_norm: whether the first convolution is normalised; each kind of block decides for its own.
    policy_head, value_head: kinds from POLICY_HEADS and VALUE_HEADS, not both 'none'.

    Raises NetSpecError if any field has the wrong type or is out of range.
    """

    features: str
    planes: int
    globals: int
    channels: int
    blocks: tuple[str, ...]
    stem_kernel: int = 5
    activation: str = "relu"
    pool_channels: int = 16
    policy_channels: int = 32
    value_channels: int = 32
    value_hidden: int = 64
    stem_norm: bool = True
    policy_head: str = "pooled"
    value_head: str = "pooled"

    def __post_init__(self) -> None:
        if not isinstance(self.features, str) or not self.features:
            raise NetSpecError(f"features: expected the name of a feature set, got {self.features!r}")
        for key, (low, high) in LIMITS.items():
            _check_int(key, getattr(self, key), low, high)
        if self.stem_kernel % 2 == 0:
            raise NetSpecError(f"stem_kernel: expected an odd number, got {self.stem_kernel}")
        for key, kinds in (("activation", ACTIVATIONS), ("policy_head", POLICY_HEADS), ("value_head", VALUE_HEADS)):
            if getattr(self, key) not in tuple(kinds):
                raise NetSpecError(f"{key}: expected one of {', '.join(kinds)}, got {getattr(self, key)!r}")
        if type(self.stem_norm) is not bool:
            raise NetSpecError(f"stem_norm: expected true or false, got {self.stem_norm!r}")
        if not self.outputs:
            raise NetSpecError("value_head: a net without a policy head needs one")
        _check_blocks(self.blocks)
        if self.pool_channels >= self.channels:
            raise NetSpecError(f"pool_channels: expected fewer than channels ({self.channels}), got {self.pool_channels}")

    @property
    def outputs(self) -> frozenset[str]:
        """What the net can learn to say, of policy, opponent (the reply), value, score and ownership."""
        return POLICY_HEADS[self.policy_head] | VALUE_HEADS[self.value_head]

    def to_dict(self) -> dict[str, object]:
        """The spec as a JSON-ready mapping, every field written out."""
        return {**asdict(self), "blocks": list(self.blocks)}

    def to_json(self) -> str:
        """The spec as one line of JSON with sorted keys: equal specs give equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_dict(data: object) -> NetSpec:
        """The spec that `to_dict` wrote. Raises NetSpecError if a key is unknown, missing or has a wrong value."""
        if not isinstance(data, dict):
            raise NetSpecError(f"a net spec is a JSON object, got {type(data).__name__}")
        known = {f.name: f for f in fields(NetSpec)}
        for key in data:
            if key not in known:
                raise NetSpecError(f"{key}: unknown key; known keys are {', '.join(known)}")
        for key, field in known.items():
            if key not in data and field.default is MISSING:
                raise NetSpecError(f"{key}: missing")
        values = dict(data)
        if not isinstance(values["blocks"], (list, tuple)):
            raise NetSpecError(f"blocks: expected a list of block kinds, got {type(values['blocks']).__name__}")
        values["blocks"] = tuple(values["blocks"])
        return NetSpec(**values)

    @staticmethod
    def from_json(text: str) -> NetSpec:
        """The spec that `to_json` wrote. Raises NetSpecError if the text is not JSON or not a valid spec."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise NetSpecError(f"a net spec is a JSON object: {error}") from error
        return NetSpec.from_dict(data)


def _check_int(key: str, value: object, low: int, high: int) -> None:
    if type(value) is not int:  # bool is an int for isinstance, and is wrong here
        raise NetSpecError(f"{key}: expected a whole number, got {value!r}")
    if not low <= value <= high:
        raise NetSpecError(f"{key}: expected {low} to {high}, got {value}")


def _check_blocks(blocks: object) -> None:
    if not isinstance(blocks, tuple):
        raise NetSpecError(f"blocks: expected a tuple of block kinds, got {type(blocks).__name__}")
    if not 1 <= len(blocks) <= MAX_BLOCKS:
        raise NetSpecError(f"blocks: expected 1 to {MAX_BLOCKS} blocks, got {len(blocks)}")
    for kind in blocks:
        if kind not in BLOCK_KINDS:
            raise NetSpecError(f"blocks: unknown kind {kind!r}; known kinds are {', '.join(BLOCK_KINDS)}")


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A named size of net: everything of a NetSpec but what the feature set decides. Tower: a letter for each block."""

    channels: int
    tower: str
    pool_channels: int = 1  # where no block and no head pools
    policy_channels: int = 1
    value_channels: int = 1
    value_hidden: int = 256
    stem_norm: bool = False
    policy_head: str = "none"
    value_head: str = "none"


def _zero(channels: int, tower: str, pool: int, policy: int, value: int, hidden: int) -> Preset:
    """A residual net with both heads, as AlphaGo Zero's descendants have them."""
    return Preset(
        channels=channels,
        tower=tower,
        pool_channels=pool,
        policy_channels=policy,
        value_channels=value,
        value_hidden=hidden,
        stem_norm=True,
        policy_head="pooled",
        value_head="pooled",
    )


# The first AlphaGo's nets (Silver et al. 2016, methods): a 5x5 convolution and 11 of 3x3, all of k channels with a rectifier,
# nothing normalised, nothing added. The paper's k is 192; it compared 128, 256 and 384. Its value net has the policy net's
# layers 1 to 11, another convolution, one channel of 1x1, 256 rectifiers and a tanh.
_LEE_WIDTHS: Final = (8, 16, 32, 64, 96, 128, 192, 256)
_LEE_TOWER: Final = "c" * 11

# About every third block pools globally (KataGo has 2 of 6 in b6c96; head widths 32/48 there, 32/64 in b10c128).
PRESETS: Final[dict[str, Preset]] = {
    "b2c16": _zero(16, "rg", 8, 8, 8, 16),
    "b3c32": _zero(32, "rgr", 16, 16, 16, 32),
    "b4c32": _zero(32, "rrgr", 16, 16, 16, 32),
    "b4c64": _zero(64, "rrgr", 16, 32, 32, 64),
    "b5c48": _zero(48, "rrgrr", 16, 32, 32, 64),
    "b6c64": _zero(64, "rrgrgr", 16, 32, 32, 64),
    "b6c96": _zero(96, "rrgrgr", 32, 32, 48, 96),
    "b8c96": _zero(96, "rrgrrgrr", 32, 32, 48, 96),
    "b10c128": _zero(128, "rrrgrrrgrr", 32, 32, 64, 128),
    "b15c192": _zero(192, "rrrrgrrrrgrrrgr", 64, 48, 80, 160),
    **{f"lee-policy-{k}": Preset(channels=k, tower=_LEE_TOWER, policy_head="placed") for k in _LEE_WIDTHS},
    **{f"lee-value-{k}": Preset(channels=k, tower=_LEE_TOWER, value_head="placed") for k in _LEE_WIDTHS},
}
_LETTERS: Final = {"r": "residual", "g": "gpool", "c": "conv"}


def preset(name: str, features: str, planes: int, globals: int) -> NetSpec:
    """The preset `name` for a feature set with that many planes and globals. Raises NetSpecError if there is no such preset."""
    if name not in PRESETS:
        raise NetSpecError(f"preset: unknown name {name!r}; known presets are {', '.join(PRESETS)}")
    size = asdict(PRESETS[name])
    blocks = tuple(_LETTERS[letter] for letter in size.pop("tower"))
    return NetSpec(features=features, planes=planes, globals=globals, blocks=blocks, **size)
