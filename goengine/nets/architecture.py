"""Architectures as text, such as `b8c96`, `c96:rrgrdgrr` or `c48-96:mmmmmm/k6/silu`; docs/architectures.md is its page.

    TEXT     = PRESET | [bN] WIDTHS [: PATTERN] {/ FLAG}
    WIDTHS   = PART {, PART}      PART  = cW | cW-V | cWxN | cW-VxN    W channels; from W evenly to V; for N blocks
    PATTERN  = BLOCK {BLOCK}      repeated until there are as many blocks as asked for
    BLOCK    = LETTER [NUMBER] [kNUMBER] [iNUMBER]

Knows how a text becomes a `NetSpec` and a spec a text: `parse(to_text(spec), ...)` is the spec again. Every error names the
character at which the text is wrong. Does not import PyTorch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from goengine.nets.spec import (
    ACTIVATIONS,
    KINDS,
    LIMITS,
    MAX_BLOCKS,
    MAX_WIDTH,
    NORMS,
    POLICY_HEADS,
    VALUE_HEADS,
    BlockSpec,
    NetSpec,
    NetSpecError,
    Number,
)

# The first AlphaGo's nets (Silver et al. 2016, methods): a 5x5 convolution and 11 of 3x3, all of k channels with a rectifier,
# nothing normalised, nothing added. The paper's k is 192; it compared 128, 256 and 384. Its value net has the policy net's
# layers 1 to 11, another convolution, one channel of 1x1, 256 rectifiers and a tanh.
_LEE_WIDTHS: Final = (8, 16, 32, 64, 96, 128, 192, 256)
_LEE: Final = ":c/plainstem/pool1/policy1/value1/hidden256"

# About every third block pools globally (KataGo has 2 of 6 in b6c96; head widths 32/48 there, 32/64 in b10c128).
PRESETS: Final[dict[str, str]] = {
    "b2c16": "c16:rg",
    "b3c32": "c32:rgr",
    "b4c32": "c32:rrgr",
    "b4c64": "c64:rrgr",
    "b5c48": "c48:rrgrr",
    "b6c64": "c64:rrgrgr",
    "b6c96": "c96:rrgrgr",
    "b8c96": "c96:rrgrrgrr",
    "b10c128": "c128:rrrgrrrgrr",
    "b15c192": "c192:rrrrgrrrrgrrrgr",
    **{f"lee-policy-{k}": f"b11c{k}{_LEE}/policy-placed/value-none" for k in _LEE_WIDTHS},
    **{f"lee-value-{k}": f"b11c{k}{_LEE}/policy-none/value-placed" for k in _LEE_WIDTHS},
}
DEFAULT_PATTERN: Final = "rrg"  # where a text names none
TURNS: Final = (1, 2, 4)  # rates of dilated blocks that name none, by turns
_LETTERS: Final = {kind.letter: name for name, kind in KINDS.items()}
# From this width of the trunk's end: pool, policy and value channels, hidden layer of the heads.
_HEADS: Final = {
    4: (2, 4, 4, 8),
    16: (8, 8, 8, 16),
    32: (16, 16, 16, 32),
    48: (16, 32, 32, 64),
    96: (32, 32, 48, 96),
    128: (32, 32, 64, 128),
    192: (64, 48, 80, 160),
}
_HEAD_FLAGS: Final = {
    "pool": "pool_channels",
    "policy": "policy_channels",
    "value": "value_channels",
    "hidden": "value_hidden",
    "stem": "stem_kernel",
    "se": "squeeze",
}
_WORDS: Final[dict[str, dict[str, object]]] = {
    **{name: {"activation": name} for name in ACTIVATIONS},
    **{name: {"norm": name} for name in NORMS},
    **{f"policy-{name}": {"policy_head": name} for name in POLICY_HEADS},
    **{f"value-{name}": {"value_head": name} for name in VALUE_HEADS},
    "plainstem": {"stem_norm": False},
    "se": {"squeeze": 4},
}
_SHAPE: Final = re.compile(r"(b\d+)?c\d", re.ASCII)


class ArchitectureError(NetSpecError):
    """A text names no architecture; the message has the text and the place in it."""


def is_architecture(text: str) -> bool:
    """Whether the text is meant as an architecture, right or wrong, and not as the name of a file."""
    return text in PRESETS or (_SHAPE.match(text) is not None and not text.endswith((".safetensors", ".xml", ".onnx")))


def parse(text: str, features: str, planes: int, globals: int) -> NetSpec:
    """The spec of a preset's name or an architecture text, for a feature set with that many planes and globals.

    Raises ArchitectureError, which names the place in the text.
    """
    return _Reader(PRESETS.get(text, text), text).spec(features, planes, globals)


def check(text: str) -> None:
    """Raises ArchitectureError if `parse` would, whatever the feature set."""
    parse(text, "any", 1, 0)


def to_text(spec: NetSpec) -> str:
    """The preset's name of a spec, or a text that `parse` makes the same spec of."""
    for name in PRESETS:
        if parse(name, spec.features, spec.planes, spec.globals) == spec:
            return name
    tokens, widths, many = _tokens(spec.blocks), _widths_text(spec.widths), len(spec.blocks)
    usual = tokens == [DEFAULT_PATTERN[i % len(DEFAULT_PATTERN)] for i in range(many)]
    repeats = (n for n in range(1, many // 2 + 1) if tokens == [tokens[i % n] for i in range(many)])
    shown = tokens[: next(repeats, many)]
    start = f"b{many}" if "x" not in widths and (usual or len(shown) < many) else ""
    return f"{start}{widths}{'' if usual else ':' + ''.join(shown)}{_flags_text(spec)}"


def block_text(spec: NetSpec, number: int) -> str:
    """A block, counted from 0, as a pattern names it, such as r40."""
    return _tokens(spec.blocks)[number]


def _tokens(blocks: Sequence[BlockSpec]) -> list[str]:
    """Each block as a pattern names it."""
    tokens, turn = [], 0
    for block in blocks:
        kind = KINDS[block.kind]
        size = "" if kind.size is None or block.size == kind.size.default else str(block.size)
        if block.kind == "dilated":  # one without a number takes its turn
            size = "" if block.size == TURNS[turn % len(TURNS)] else str(block.size)
            turn += not size
        k = "" if kind.k is None or block.k == kind.k.default else f"k{block.k}"
        inner = f"i{block.inner}" if block.inner else ""
        tokens.append(f"{kind.letter}{size}{k}{inner}")
    return tokens


def difference(one: NetSpec, other: NetSpec) -> str:
    """Where two specs differ first, as 'block 3 is r40, not r48'; empty if they are equal."""
    if len(one.blocks) != len(other.blocks):
        return f"it has {len(one.blocks)} blocks, not {len(other.blocks)}"
    pairs = zip(_tokens(one.blocks), _tokens(other.blocks), one.widths[1:], other.widths[1:], strict=True)
    for number, (ours, theirs, width, wanted) in enumerate(pairs, 1):
        if ours != theirs:
            return f"block {number} is {ours}, not {theirs}"
        if width != wanted:
            return f"block {number} gives {width} channels, not {wanted}"
    for key, value in other.to_dict().items():
        if getattr(one, key) != value and key != "blocks":
            return f"{key} is {getattr(one, key)!r}, not {value!r}"
    return ""


def _widths_text(widths: Sequence[int]) -> str:
    stem, behind = widths[0], list(widths[1:])
    if behind == grown(stem, behind[-1], len(behind)):
        return f"c{stem}" if stem == behind[-1] else f"c{stem}-{behind[-1]}"
    runs = [(stem, 0)]
    for width in behind:
        last, count = runs[-1]
        if width == last:
            runs[-1] = (last, count + 1)
        else:
            runs.append((width, 1))
    return ",".join(f"c{width}x{count}" for width, count in runs)


def _flags_text(spec: NetSpec) -> str:
    """The flags for all that differs from what the widths alone would make of it."""
    usual = _usual(spec.widths)
    differ = {key: getattr(spec, key) for key, value in usual.items() if getattr(spec, key) != value}
    words = [word for word, change in _WORDS.items() if change.items() <= differ.items()]
    said = {key for word in words for key in _WORDS[word]}
    numbers = [f"{flag}{differ[key]}" for flag, key in _HEAD_FLAGS.items() if key in differ and key not in said]
    return "".join(f"/{flag}" for flag in (*words, *numbers))


def _usual(widths: Sequence[int]) -> dict[str, object]:
    """The fields of a spec that flags may change, as they are without flags."""
    heads, narrow = (_HEADS[max(start for start in _HEADS if start <= width)] for width in (widths[-1], min(widths)))
    return {
        "activation": "relu",
        "norm": "batch",
        "policy_head": "pooled",
        "value_head": "pooled",
        "stem_norm": True,
        "squeeze": 0,
        "stem_kernel": 5,
        "pool_channels": min(heads[0], narrow[0]),  # a block that pools must have some channels left
        "policy_channels": heads[1],
        "value_channels": heads[2],
        "value_hidden": heads[3],
    }


def grown(first: int, last: int, count: int) -> list[int]:
    """Widths of `count` blocks behind a stem of `first` that grow (or shrink) evenly to `last`, as PyramidNet's do (Han et al.
    2017); in steps of 8 where both are, because CPUs compute 8 or 16 channels at once."""
    step = 8 if first % 8 == last % 8 == 0 else 1
    return [step * round((first + (last - first) * i / count) / step) for i in range(1, count + 1)]


def file_name(text: str) -> str:
    """The text as a part of a file's name: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


@dataclass(frozen=True)
class _Part:
    """Some blocks of a trunk whose width goes from first to last; count is None where the text has none. at: its place."""

    first: int
    last: int
    count: int | None
    at: int


@dataclass(frozen=True)
class _Token:
    """A block of a pattern: kind, numbers (None where the text has none), its place in the text."""

    kind: str
    size: int | None
    k: int | None
    inner: int | None
    at: int


class _Reader:
    """Reads one text from left to right. said: what a message calls it."""

    def __init__(self, text: str, said: str):
        self.text, self.said, self.at = text, said, 0

    def fail(self, at: int, problem: str) -> ArchitectureError:
        """The error that something is wrong at that place (0 is the first character)."""
        there = repr(self.text[at : at + 8]) if at < len(self.text) else "the end"
        return ArchitectureError(f"{self.said}: at character {at + 1} ({there}): {problem}")

    def spec(self, features: str, planes: int, globals: int) -> NetSpec:
        """All of the text as a spec."""
        asked = self.number("b", 1, MAX_BLOCKS, "blocks") if self.takes("b") else None
        parts = self.parts()
        pattern = self.pattern() if self.takes(":") else None
        flags, places = self.flags()
        counts = self.counts(parts, asked, pattern)
        tokens = pattern or _Reader(DEFAULT_PATTERN, self.said).pattern()
        if pattern is not None and len(pattern) > sum(counts):
            raise self.fail(pattern[sum(counts)].at, f"the pattern has {len(pattern)} blocks, the net only {sum(counts)}")
        k = flags.pop("k", None)
        if k is not None and not any(KINDS[token.kind].k for token in tokens):
            raise self.fail(places["k"], "no block of this net takes a k")
        widths = [width for part, n in zip(parts, counts, strict=True) if n for width in grown(part.first, part.last, n)]
        every = (parts[0].first, *widths)
        values = {**_usual(every), **flags}
        chosen = [tokens[i % len(tokens)] for i in range(len(widths))]
        blocks = self.blocks(chosen, every, k if isinstance(k, int) else None)
        try:
            return NetSpec(features, planes, globals, every[0], blocks, **values)  # type: ignore[arg-type]  # _usual has the types
        except NetSpecError as error:
            raise self.fail(self.blame(str(error), chosen, parts, places), str(error)) from None

    def blame(self, problem: str, chosen: Sequence[_Token], parts: Sequence[_Part], places: dict[str, int]) -> int:
        """The place in the text that a problem of the whole spec comes from."""
        key = problem.partition(":")[0]
        if key in places:
            return places[key]
        if block := re.search(r"[(]block ([0-9]+)", problem):
            return chosen[int(block[1]) - 1].at if ":" in self.text else parts[0].at
        return min(places.values(), default=0)

    def takes(self, sign: str) -> bool:
        """Whether the next character is this; goes past it."""
        found = self.text.startswith(sign, self.at)
        self.at += found
        return found

    def number(self, what: str, least: int, most: int, of: str) -> int:
        """The number that must stand here. what: the sign before it."""
        digits = re.compile(r"[0-9]*").match(self.text, self.at)
        found = digits[0] if digits else ""
        if not found:
            raise self.fail(self.at, f"expected a number of {of} behind {what!r}, {least} to {most}")
        if len(found) > 9 or not least <= int(found) <= most:
            raise self.fail(self.at, f"expected {least} to {most} {of}, got {found}")
        self.at += len(found)
        return int(found)

    def parts(self) -> list[_Part]:
        """The widths."""
        parts: list[_Part] = []
        low = LIMITS["channels"][0]
        while not parts or self.takes(","):
            at = self.at
            if not self.takes("c"):
                raise self.fail(at, "expected a width such as c96; a whole text is b8c96 or c96:rrgrrgrr")
            first = last = self.number("c", low, MAX_WIDTH, "channels")
            if self.takes("-"):
                last = self.number("-", low, MAX_WIDTH, "channels")
            count = self.number("x", 1 if parts else 0, MAX_BLOCKS, "blocks") if self.takes("x") else None
            parts.append(_Part(first, last, count, at))
        return parts

    def pattern(self) -> list[_Token]:
        """The blocks."""
        tokens = []
        while self.at < len(self.text) and self.text[self.at] != "/":
            at, letter = self.at, self.text[self.at]
            if letter not in _LETTERS:
                known = ", ".join(f"{letter} {name}" for letter, name in _LETTERS.items())
                raise self.fail(at, f"there is no block {letter!r}; known are {known}")
            self.at += 1
            kind = KINDS[_LETTERS[letter]]
            size = self.block_number(letter, kind.size) if self.at_digit() else None
            k = self.block_number("k", kind.k) if self.takes("k") else None
            inner_at = self.at
            inner = self.block_number("i", kind.inner) if self.takes("i") else None
            if k is not None and inner is not None:
                raise self.fail(inner_at, "k and i both say how wide this block is inside; give one of them")
            if letter == "m" and size is not None and size % 2 == 0:
                raise self.fail(at, f"a kernel is an odd number, got {size}")
            tokens.append(_Token(_LETTERS[letter], size, k, inner, at))
        if not tokens:
            raise self.fail(self.at, "expected blocks such as rrgr behind ':'")
        return tokens

    def at_digit(self) -> bool:
        """Whether a number stands here."""
        return self.text[self.at : self.at + 1] in tuple("0123456789")

    def block_number(self, sign: str, number: Number | None) -> int:
        """A number behind a block's letter or its k."""
        if number is None:
            what = f"no {sign}" if sign in "ki" else "no number"
            raise self.fail(self.at - (sign in "ki"), f"this block takes {what}")
        return self.number(sign, number.least, number.most, number.what)

    def flags(self) -> tuple[dict[str, object], dict[str, int]]:
        """(fields of a spec, and k; the place of each in the text)."""
        values: dict[str, object] = {}
        places: dict[str, int] = {}
        while self.takes("/"):
            at = self.at
            word = self.text[at:].partition("/")[0]
            name = word.rstrip("0123456789")
            if word in _WORDS:
                found, self.at = _WORDS[word], at + len(word)
            elif name != word and (name == "k" or name in _HEAD_FLAGS):
                self.at = at + len(name)
                key = _HEAD_FLAGS.get(name, name)
                low, high = (1, 256) if name == "k" else LIMITS[key]
                found = {key: self.number(name, low, high, key.replace("_", " "))}
            else:
                known = ", ".join((*_WORDS, "k4", *(f"{flag}8" for flag in _HEAD_FLAGS)))
                raise self.fail(at, f"there is no flag {word!r}; known are {known}")
            for key in found:
                if key in values:
                    raise self.fail(at, f"a second flag for {key.replace('_', ' ')}")
                values[key], places[key] = found[key], at
        if self.at < len(self.text):
            raise self.fail(self.at, "expected ':' and blocks, '/' and a flag, or the end")
        return values, places

    def counts(self, parts: Sequence[_Part], asked: int | None, pattern: Sequence[_Token] | None) -> list[int]:
        """How many blocks each part of the widths has."""
        if len(parts) == 1 and parts[0].count is None:
            if asked is None and pattern is None:
                raise self.fail(len(self.text), "how many blocks? b8c96 has 8 and c96:rrgr has 4")
            return [asked or len(pattern or ())]
        for part in parts:
            if part.count is None:
                raise self.fail(part.at, "how many blocks have this width? c64x3,c128x3 says 3 and 3")
        counts = [part.count or 0 for part in parts]
        if not 1 <= sum(counts) <= MAX_BLOCKS:
            raise self.fail(parts[-1].at, f"{sum(counts)} blocks in all; expected 1 to {MAX_BLOCKS}")
        if asked is not None and asked != sum(counts):
            raise self.fail(0, f"b{asked} asks for {asked} blocks, the widths have {sum(counts)}")
        return counts

    def blocks(self, chosen: Sequence[_Token], widths: Sequence[int], k: int | None) -> tuple[BlockSpec, ...]:
        """A block for each token; k: for those that have none of their own."""
        made, turn = [], 0
        for token, inputs, outputs in zip(chosen, widths, widths[1:], strict=False):
            size, kind = token.size, KINDS[token.kind]
            if token.kind == "dilated" and size is None:
                size, turn = TURNS[turn % len(TURNS)], turn + 1
            ours = token.k if token.k is not None or token.inner is not None or kind.k is None or k is None else k
            if kind.k is not None and ours is not None and not kind.k.least <= ours <= kind.k.most:
                raise self.fail(token.at, f"{kind.k.what}: expected {kind.k.least} to {kind.k.most}, got {ours}")
            numbers = {
                "size": size or 0,
                "k": ours or 0,
                "inner": token.inner or 0,
                "width": 0 if outputs == inputs else outputs,
            }
            made.append(BlockSpec(token.kind, **numbers))
        return tuple(made)
