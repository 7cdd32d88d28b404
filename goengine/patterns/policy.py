"""A linear policy as data: its patterns, its weights, and the file in which both lie.

KINDS says what a rollout policy and a tree policy have (Silver et al., Nature 529 (2016), Extended Data Table 4). A file is
checked at the door: kernels may trust what `load` returns. Knows neither how policies are fitted nor how they play.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

import numpy as np

from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.core.jit import kernel
from goengine.patterns.candidates import DIAMOND, SQUARE, Patterns, layout
from goengine.patterns.dictionary import Dictionary, new_dictionary
from goengine.patterns.keys import DIAMOND as FIELDS_OF_DIAMOND
from goengine.patterns.keys import PATTERN, forms
from goengine.patterns.keys import SQUARE as FIELDS_OF_SQUARE
from goengine.patterns.nearby import ANSWERS, BESIDE, FIELDS, RESPONSE, SHAPES, new_known
from goengine.patterns.rollout import Factors
from goengine.patterns.squares import INDICES, square_index
from goengine.patterns.surroundings import is_sensible

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
    weights: np.ndarray  # float32[features], numbered as in `nearby` and `candidates`; float16 in a file

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
        if len(self.squares) and self.squares.max() >= 1 << 3 * FIELDS_OF_SQUARE:
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
        squares, diamonds = _all_forms(self.squares, FIELDS_OF_SQUARE), _all_forms(self.diamonds & PATTERN, FIELDS_OF_DIAMOND)
        return Patterns(new_known(self.shapes, self.answers), squares, diamonds, layout(len(self.answers), len(self.squares)))

    def factors(self) -> Factors:
        """Ready for rollouts. Raises PolicyError if this is no rollout policy."""
        if self.kind != ROLLOUT:
            raise PolicyError(f"rollouts are played by a {ROLLOUT} policy, not by a {self.kind} policy")
        known = new_known(self.shapes, self.answers)
        begin = layout(len(self.answers), len(self.squares))[0]
        near, square = np.exp(self.weights[:begin]), np.zeros(INDICES, np.float32)
        every, place = forms(self.squares, FIELDS_OF_SQUARE)
        _enter_squares(every, np.exp(self.weights[begin:])[place], square)
        return Factors(square, _answer_factors(known.answers, near), near, known)


def _all_forms(patterns: np.ndarray, fields: int) -> Dictionary:
    """The place of each pattern among these, to be looked up as it stands on the board."""
    return new_dictionary(*forms(patterns, fields))


def _answer_factors(numbers: np.ndarray, near: np.ndarray) -> np.ndarray:
    """float32[rows, 12]: by diamond and field, the product of all features that a move there has for being there."""
    factors = np.where(numbers >= 0, near[RESPONSE] * near[ANSWERS + np.maximum(numbers, 0)], np.float32(1)).astype(np.float32)
    factors[:, :FIELDS] *= near[BESIDE : BESIDE + FIELDS]
    return factors


def features_of(kind: str, answers: int, squares: int, diamonds: int) -> int:
    """The number of features of a policy with so many patterns."""
    begin = layout(answers, squares)
    return int(begin[1] if kind == ROLLOUT else begin[2]) + diamonds


@kernel
def _enter_squares(codes, factors, square):
    """Fill the table of `Factors.square`: squares without a weight have the factor 1, moves that make no sense 0."""
    for code in range(1 << 24):
        square[square_index(np.uint32(code))] = is_sensible(np.uint32(code))
    for i in range(codes.size):
        code = np.uint32(codes[i])
        if is_sensible(code):
            square[square_index(code)] = factors[i]


_PARTS = (*MOST, "weights")


def save(policy: LinearPolicy, path: str | os.PathLike) -> None:
    """Write a policy; weights as float16."""
    arrays = {name: getattr(policy, name) for name in MOST}
    arrays["weights"] = policy.weights.astype(np.float16)
    write_arrays(path, arrays, {"format": FORMAT, "version": VERSION, "kind": policy.kind})


def load(path: str | os.PathLike) -> LinearPolicy:
    """A policy from its file. Raises PolicyError, naming the file, if it is missing, damaged, or its parts do not fit."""
    try:
        arrays, meta = read_arrays(path, FORMAT, VERSION)
    except RecordError as error:
        raise PolicyError(str(error)) from None
    if missing := [name for name in _PARTS if name not in arrays]:
        raise PolicyError(f"{path}: {missing[0]} is missing")
    kind = meta.get("kind")
    if arrays["weights"].dtype != np.float16 or not isinstance(kind, str):
        raise PolicyError(f"{path}: it does not say what kind of policy it is, or its weights are not of 16 bits")
    try:
        parts = {name: np.array(arrays[name]) for name in MOST}
        return LinearPolicy(kind, **parts, weights=arrays["weights"].astype(np.float32))
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from None
