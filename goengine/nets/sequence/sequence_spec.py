"""What a sequence model looks like, as data; stored inside its weights file. Imports no torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Final, Literal, get_args

Kind = Literal["gru", "decoder"]
KINDS: Final = get_args(Kind)
BOARD: Final = 19  # sequences are of games on this board alone
_LIMITS: Final = {"width": (8, 1024), "layers": (1, 24), "heads": (1, 64), "longest": (8, 2048), "memory": (0, 1024)}


class SequenceSpecError(ValueError):
    """A description of a sequence model is wrong; the message names the key and what it should be."""


@dataclass(frozen=True)
class SequenceSpec:
    """One model of move tokens.

    kind: 'gru', a recurrent net, or 'decoder', a transformer with causal attention. width: of its states; heads: of attention.
    longest: tokens of a line, the two of the head included. memory: channels of the features of a position, [memory, 19, 19],
    that a decoder attends to; 0: board-free. trunk: the shipped net whose trunk gives them.

    Raises SequenceSpecError if any field has the wrong type or is out of range.
    """

    kind: Kind
    width: int = 128
    layers: int = 3
    heads: int = 4
    longest: int = 320
    memory: int = 0
    trunk: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SequenceSpecError(f"kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        for key, (low, high) in _LIMITS.items():
            value = getattr(self, key)
            if type(value) is not int or not low <= value <= high:
                raise SequenceSpecError(f"{key}: expected a whole number from {low} to {high}, got {value!r}")
        if not isinstance(self.trunk, str) or bool(self.trunk) != bool(self.memory):
            raise SequenceSpecError(f"trunk: the net that gives {self.memory} channels of memory, got {self.trunk!r}")
        if self.kind == "gru" and self.memory:
            raise SequenceSpecError("memory: a gru reads no memory")
        if self.width % self.heads:
            raise SequenceSpecError(f"heads: width {self.width} cannot be divided among {self.heads} heads")

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @staticmethod
    def from_json(text: str) -> SequenceSpec:
        """The spec that `to_json` wrote. Raises SequenceSpecError if it is none."""
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SequenceSpecError(f"a sequence model's spec is a JSON object: {error}") from error
        known = {field.name for field in fields(SequenceSpec)}
        if not isinstance(data, dict) or "kind" not in data or not data.keys() <= known:
            raise SequenceSpecError(f"a sequence model's spec is a JSON object of {', '.join(sorted(known))}")
        return SequenceSpec(**data)
