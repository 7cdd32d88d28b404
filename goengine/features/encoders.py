"""One kernel per feature set that encodes a batch of leaves in one call.

A kernel that took the set's ``encode`` as an argument, or was made by a factory, would not be cached by numba: hence the few
lines for each set. A set that has none here is encoded game by game, which is slower and otherwise the same.
"""

from collections.abc import Callable

from goengine.board.stacked import game_at
from goengine.core.jit import kernel
from goengine.features import FeatureSet, agz17, lee, zero, zero_ranked


@kernel
def _encode_zero(games, count, rules, scratch, planes, values):
    for i in range(count):
        zero.encode(game_at(games, i), rules, scratch, planes[i], values[i])


@kernel
def _encode_zero_ranked(games, count, rules, scratch, planes, values):
    for i in range(count):
        zero_ranked.encode(game_at(games, i), rules, scratch, planes[i], values[i])


@kernel
def _encode_agz17(games, count, rules, scratch, planes, values):
    for i in range(count):
        agz17.encode(game_at(games, i), rules, scratch, planes[i], values[i])


@kernel
def _encode_lee48(games, count, rules, scratch, planes, values):
    for i in range(count):
        lee.encode(game_at(games, i), rules, scratch, planes[i], values[i])


@kernel
def _encode_lee49(games, count, rules, scratch, planes, values):
    for i in range(count):
        lee.encode_with_color(game_at(games, i), rules, scratch, planes[i], values[i])


_KERNELS = {
    "zero": _encode_zero,
    zero_ranked.NAME: _encode_zero_ranked,
    "agz17": _encode_agz17,
    "lee48": _encode_lee48,
    "lee49": _encode_lee49,
}


def batch_encoder(features: FeatureSet) -> Callable[..., None]:
    """``encode(games, count, rules, scratch, planes, values)``: the first ``count`` stacked games into the first rows."""
    if features.name in _KERNELS:
        return _KERNELS[features.name]

    def encode(games, count, rules, scratch, planes, values) -> None:
        for i in range(count):
            features.encode(game_at.py_func(games, i), rules, scratch, planes[i], values[i])

    return encode
