"""A linear policy as data: its patterns, its weights, and the file in which both lie.

KINDS says what a rollout policy and a tree policy have (Silver et al., Nature 529 (2016), Extended Data Table 4). A file is
checked at the door: kernels may trust what `load` returns. Knows neither how policies are fitted nor how they play.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

import numpy as np

from goengine.array_file import RecordError, read_arrays, write_arrays
from goengine.jit import kernel
from goengine.patterns.candidates import DIAMOND, SQUARE, Patterns, layout
from goengine.patterns.dictionary import new_dictionary
from goengine.patterns.keys import MAPS
from goengine.patterns.nearby import SHAPES, Known
from goengine.patterns.rollout import CODES, Factors

FORMAT = "goengine linear policy"
VERSION = 1
ROLLOUT, TREE = "rollout", "tree"
COLUMNS: Final = {ROLLOUT: SQUARE + 1, TREE: DIAMOND + 1}  # of `Candidates.own` that a kind uses
# The paper's numbers of patterns; a policy may have fewer.
MOST: Final = {"shapes": SHAPES, "answers": 32_207, "squares": 69_338, "diamonds": 32_207}
_HEAVIEST = 30.0  # a weight beyond that is no result of a fit


class PolicyError(ValueError):
    """A policy file that cannot be used; the message names it and says why."""


@dataclass(frozen=True)
class LinearPolicy:
    """Patterns by kind (uint64[n] keys, in the order of their features) and a weight for each feature.

    Raises PolicyError if the parts do not belong together.
    """

    kind: str  # ROLLOUT or TREE
    shapes: np.ndarray
    answers: np.ndarray
    squares: np.ndarray
    diamonds: np.ndarray  # none for a rollout policy
    weights: np.ndarray  # float32[features], numbered as in `nearby` and `candidates`

    def __post_init__(self) -> None:
        if self.kind not in COLUMNS:
            raise PolicyError(f"kind '{self.kind}' is none of {', '.join(COLUMNS)}")
        for name, most in MOST.items():
            keys = getattr(self, name)
            if keys.dtype != np.uint64 or keys.ndim != 1 or len(keys) > most:
                raise PolicyError(f"'{name}' are not at most {most} patterns")
            if len(np.unique(keys)) != len(keys):
                raise PolicyError(f"'{name}' has a pattern twice")
        if self.kind == ROLLOUT and len(self.diamonds):
            raise PolicyError("a rollout policy has no diamonds around its moves")
        if len(self.squares) and self.squares.max() >= CODES:
            raise PolicyError("'squares' has a key that is no 3x3 square")
        if self.weights.dtype != np.float32 or self.weights.shape != (self.features,):
            raise PolicyError(
                f"there are {self.weights.size} weights for {self.features} features of other pattern dictionaries"
            )
        if not (np.abs(self.weights) <= _HEAVIEST).all():
            raise PolicyError("a weight is not a number, or too large to be one of a fitted policy")

    @property
    def features(self) -> int:
        """How many there are, with places for shapes that no pattern has."""
        return features_of(self.kind, len(self.answers), len(self.squares), len(self.diamonds))

    def patterns(self) -> Patterns:
        """The patterns as kernels look them up."""
        known = Known(new_dictionary(self.shapes), new_dictionary(self.answers))
        begin = layout(len(self.answers), len(self.squares))
        return Patterns(known, new_dictionary(self.squares), new_dictionary(self.diamonds), begin)

    def factors(self) -> Factors:
        """Ready for rollouts. Raises PolicyError if this is no rollout policy."""
        if self.kind != ROLLOUT:
            raise PolicyError(f"rollouts are played by a {ROLLOUT} policy, not by a {self.kind} policy")
        patterns = self.patterns()
        near = np.exp(self.weights[: patterns.begin[0]])
        square = np.ones(CODES, np.float32)
        _spread(self.squares, np.exp(self.weights[patterns.begin[0] :]), square)
        return Factors(square, near, patterns.known)


def features_of(kind: str, answers: int, squares: int, diamonds: int) -> int:
    """The number of features of a policy with so many patterns."""
    begin = layout(answers, squares)
    return int(begin[1] if kind == ROLLOUT else begin[2]) + diamonds


@kernel
def _spread(keys, factors, square):
    """Enter the factor of each square for all its eight forms."""
    for i in range(keys.size):
        for s in range(8):
            code = np.uint64(0)
            for field in range(8):
                code |= ((keys[i] >> np.uint64(3 * field)) & np.uint64(7)) << np.uint64(3 * MAPS[s, field])
            square[code] = factors[i]


_PARTS = (*MOST, "weights")


def save(policy: LinearPolicy, path: str | os.PathLike, card: dict) -> None:
    """Write a policy with the story of how it came about; weights as float16."""
    arrays = {name: getattr(policy, name) for name in MOST}
    arrays["weights"] = policy.weights.astype(np.float16)
    write_arrays(path, arrays, {"format": FORMAT, "version": VERSION, "kind": policy.kind, "card": card})


def load(path: str | os.PathLike) -> tuple[LinearPolicy, dict]:
    """(policy, its story). Raises PolicyError, naming the file, if it is missing, damaged, or its parts do not fit."""
    try:
        arrays, meta = read_arrays(path, FORMAT, VERSION)
    except RecordError as error:
        raise PolicyError(str(error)) from None
    if missing := [name for name in _PARTS if name not in arrays]:
        raise PolicyError(f"{path}: {missing[0]} is missing")
    kind, card = meta.get("kind"), meta.get("card")
    if arrays["weights"].dtype != np.float16 or not isinstance(kind, str) or not isinstance(card, dict):
        raise PolicyError(f"{path}: it does not say what kind of policy it is, or its weights are not of 16 bits")
    try:
        parts = {name: np.array(arrays[name]) for name in MOST}
        return LinearPolicy(kind, **parts, weights=arrays["weights"].astype(np.float32)), card
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from None
