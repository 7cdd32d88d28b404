"""What a net looks like, as data: a frozen description that is stored inside every weights file.

Knows names and numbers only. It does not import PyTorch and does not know how a block computes: `blocks` does, and its
registry has exactly the names in BLOCK_KINDS. `architecture` writes and reads the same as a short text.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import Final, NamedTuple


class Number(NamedTuple):
    """A number that a kind of block takes: least, most, what it is without one (0: the block derives it from its width)."""

    what: str
    least: int
    most: int
    default: int


class Kind(NamedTuple):
    """A kind of block: its letter in an architecture text, and the numbers behind the letter; None where it takes none.

    inner: channels inside it, where `size` does not say them already.
    """

    letter: str
    size: Number | None = None
    k: Number | None = None
    inner: Number | None = None


MAX_WIDTH: Final = 1024
MAX_INNER: Final = 8 * MAX_WIDTH  # the widest that an expansion makes
_INNER: Final = Number("inner channels", 1, MAX_WIDTH, 0)
_WIDE: Final = Number("inner channels", 1, MAX_INNER, 0)
_POOLED: Final = Number("pooled channels", 1, MAX_WIDTH, 0)
KINDS: Final[dict[str, Kind]] = {
    "residual": Kind("r", _INNER),
    "gpool": Kind("g", _INNER, None, _POOLED),
    "preact": Kind("p", _INNER),
    "preact_gpool": Kind("q", _INNER, None, _POOLED),
    "bottleneck": Kind("b", _INNER),
    "conv": Kind("c"),
    "nested": Kind("n", _INNER),
    "dilated": Kind("d", Number("rate", 1, 8, 1), None, _INNER),
    "inverted": Kind("m", Number("kernel", 3, 9, 3), Number("expansion", 1, 8, 4), _WIDE),
    "dense": Kind("e", Number("layers", 1, 24, 4), Number("growth", 1, 256, 16)),
    "transformer": Kind("t", Number("heads", 1, 64, 0), Number("expansion of the MLP", 1, 8, 2), _WIDE),
    "down_up": Kind("u", _INNER),
    "down_up_linear": Kind("v", _INNER),
    "squeeze": Kind("s", Number("reduction", 1, 64, 4)),
}
BLOCK_KINDS: Final = tuple(KINDS)
NUMBERS: Final = ("size", "k", "inner")  # of a block, by their names in Kind and BlockSpec
ACTIVATIONS: Final = ("relu", "silu", "mish")
NORMS: Final = ("batch", "layer", "instance", "group", "fixed")
PLACED: Final = "placed"  # the kind of head that knows the points of the board by their places
# Kinds of heads, and what each of them tells; without a head, the answer is that of a uniform evaluator.
POLICY_HEADS: Final[dict[str, frozenset[str]]] = {
    "pooled": frozenset({"policy", "opponent"}),
    PLACED: frozenset({"policy"}),
    "none": frozenset(),
}
VALUE_HEADS: Final[dict[str, frozenset[str]]] = {
    "pooled": frozenset({"value", "score", "ownership"}),
    PLACED: frozenset({"value"}),
    "none": frozenset(),
}

# Smallest and largest value of every whole-number field.
LIMITS: Final[dict[str, tuple[int, int]]] = {
    "planes": (1, 512),
    "globals": (0, 512),
    "channels": (4, MAX_WIDTH),
    "stem_kernel": (1, 9),
    "pool_channels": (1, 512),
    "policy_channels": (1, 512),
    "value_channels": (1, 512),
    "value_hidden": (1, 2048),
    "squeeze": (0, 64),
}
MAX_BLOCKS: Final = 128


class NetSpecError(ValueError):
    """A net description is wrong; the message names the key and what it should be."""


@dataclass(frozen=True)
class BlockSpec:
    """One block of a trunk. width: channels that it gives, 0: as many as it gets; size, k and inner: see KINDS, 0 where the
    kind takes no such number or derives it. Inner channels go before an expansion, which then keeps its default.

    Raises NetSpecError if the kind is unknown or a number out of range.
    """

    kind: str
    width: int = 0
    size: int = 0
    k: int = 0
    inner: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.kind, str) or self.kind not in KINDS:
            raise NetSpecError(f"blocks: unknown kind {self.kind!r}; known kinds are {', '.join(BLOCK_KINDS)}")
        _check_int("blocks: width", self.width, 0, MAX_WIDTH)
        for key in NUMBERS:
            number, value = getattr(KINDS[self.kind], key), getattr(self, key)
            if value == 0 and number is not None:  # a default is written out: files stay what they are if it ever changes
                object.__setattr__(self, key, number.default)
            elif number is None or number.default != value:
                low, high = (0, 0) if number is None else (number.least, number.most)
                what = "number" if number is None else number.what
                _check_int(f"blocks: {key} ({what}) of a block {self.kind!r}", value, low, high)
        if self.kind == "inverted" and self.size % 2 == 0:
            raise NetSpecError(f"blocks: size (kernel) of a block 'inverted': expected an odd number, got {self.size}")
        expansion = KINDS[self.kind].k
        if self.inner and expansion is not None and self.k != expansion.default:
            raise NetSpecError(f"blocks: a block {self.kind!r} has inner channels ({self.inner}) or an expansion, not both")

    @staticmethod
    def from_json(data: object) -> BlockSpec:
        """The block of a kind's name or of a mapping with `kind` and the numbers. Raises NetSpecError if it is neither."""
        if isinstance(data, BlockSpec):
            return data
        if isinstance(data, str):
            return BlockSpec(data)
        if not isinstance(data, dict) or "kind" not in data or not data.keys() <= {"kind", "width", *NUMBERS}:
            raise NetSpecError(f"blocks: expected a kind, or an object of kind, width, size, k and inner, got {data!r}")
        return BlockSpec(**data)

    def to_json(self) -> str | dict[str, object]:
        """A kind's name where no number is set, else a mapping."""
        numbers = {key: value for key in ("width", *NUMBERS) if (value := getattr(self, key))}
        return {"kind": self.kind, **numbers} if numbers else self.kind

    def __str__(self) -> str:
        data = self.to_json()
        return data if isinstance(data, str) else " ".join([self.kind, *(f"{k}={v}" for k, v in data.items() if k != "kind")])


@dataclass(frozen=True)
class NetSpec:
    """One architecture; two nets with equal specs can exchange weights.

    features: name of the feature set that fills the planes; planes, globals: how many it has. Plane 0 is 1 on the board.
    channels: width of the stem, and of the trunk where no block says otherwise; blocks: from the input to the heads.
    pool_channels: channels of a 'gpool' block and of the policy head that are pooled (KataGo's c_pool).
    value_channels: 1x1 channels of the value head; value_hidden: its fully connected layer.
    stem_norm: whether the first convolution is normalised; each kind of block decides for its own.
    policy_head, value_head: kinds from POLICY_HEADS and VALUE_HEADS, not both 'none'.
    norm: from NORMS, of all layers that normalise; squeeze: reduction of squeeze-and-excite in every branch that is added
    to its input, 0 for none.

    Raises NetSpecError if any field has the wrong type or is out of range.
    """

    features: str
    planes: int
    globals: int
    channels: int
    blocks: tuple[BlockSpec, ...]
    stem_kernel: int = 5
    activation: str = "relu"
    pool_channels: int = 16
    policy_channels: int = 32
    value_channels: int = 32
    value_hidden: int = 64
    stem_norm: bool = True
    policy_head: str = "pooled"
    value_head: str = "pooled"
    norm: str = "batch"
    squeeze: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.features, str) or not self.features:
            raise NetSpecError(f"features: expected the name of a feature set, got {self.features!r}")
        for key, (low, high) in LIMITS.items():
            _check_int(key, getattr(self, key), low, high)
        if self.stem_kernel % 2 == 0:
            raise NetSpecError(f"stem_kernel: expected an odd number, got {self.stem_kernel}")
        named = {"activation": ACTIVATIONS, "norm": NORMS, "policy_head": POLICY_HEADS, "value_head": VALUE_HEADS}
        for key, kinds in named.items():
            if getattr(self, key) not in tuple(kinds):
                raise NetSpecError(f"{key}: expected one of {', '.join(kinds)}, got {getattr(self, key)!r}")
        if type(self.stem_norm) is not bool:
            raise NetSpecError(f"stem_norm: expected true or false, got {self.stem_norm!r}")
        if not self.outputs:
            raise NetSpecError("value_head: a net without a policy head needs one")
        _check_blocks(self.blocks)
        _check_widths(self)
        pairs = zip(self.blocks, self.widths, strict=False)  # one form for a block that says the width that it gets anyway
        object.__setattr__(self, "blocks", tuple(replace(b, width=0) if b.width == inputs else b for b, inputs in pairs))

    @property
    def outputs(self) -> frozenset[str]:
        """What the net can learn to say, of policy, opponent (the reply), value, score and ownership."""
        return POLICY_HEADS[self.policy_head] | VALUE_HEADS[self.value_head]

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the trunk behind the stem and behind each block: one more than there are blocks."""
        found = [self.channels]
        for block in self.blocks:
            found.append(block.width or found[-1])
        return tuple(found)

    def to_dict(self) -> dict[str, object]:
        """The spec as a JSON-ready mapping, every field written out."""
        return {**asdict(self), "blocks": [block.to_json() for block in self.blocks]}

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
        values["blocks"] = tuple(BlockSpec.from_json(block) for block in values["blocks"])
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
    if not isinstance(blocks, tuple) or not all(isinstance(block, BlockSpec) for block in blocks):
        raise NetSpecError(f"blocks: expected a tuple of block specs, got {blocks!r}")
    if not 1 <= len(blocks) <= MAX_BLOCKS:
        raise NetSpecError(f"blocks: expected 1 to {MAX_BLOCKS} blocks, got {len(blocks)}")


def _check_widths(spec: NetSpec) -> None:
    for number, (block, inputs, outputs) in enumerate(zip(spec.blocks, spec.widths, spec.widths[1:], strict=False), 1):
        if problem := _block_problem(spec, block, inputs, outputs):
            raise NetSpecError(f"{problem} (block {number}, {block.kind})")
    if spec.pool_channels >= spec.widths[-1]:
        raise NetSpecError(f"pool_channels: expected fewer than channels ({spec.widths[-1]}), got {spec.pool_channels}")


def _block_problem(spec: NetSpec, block: BlockSpec, inputs: int, outputs: int) -> str:
    """What is wrong with a block between these widths, beginning with the key that is wrong; empty if nothing is."""
    if not LIMITS["channels"][0] <= outputs <= MAX_WIDTH:
        return f"blocks: width {outputs}: expected {LIMITS['channels'][0]} to {MAX_WIDTH}"
    if block.kind == "dense" and (most := inputs + block.size * block.k) > MAX_WIDTH:
        return f"blocks: {inputs} channels and {block.size} layers of {block.k} more are {most}, more than {MAX_WIDTH}"
    if block.kind == "squeeze" and inputs != outputs:
        return f"blocks: squeeze-and-excite keeps its width, {inputs}; it cannot give {outputs}"
    if block.kind in ("gpool", "preact_gpool") and not block.size and (pooled := block.inner or spec.pool_channels) >= outputs:
        what = "blocks: pooled channels" if block.inner else "pool_channels"
        return f"{what}: expected fewer than channels ({outputs}), got {pooled}"
    return ""
