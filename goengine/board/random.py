"""Random numbers inside kernels: xoroshiro128+ (Blackman and Vigna, 2018) on a state of two words that the caller owns.

The same state gives the same numbers on every machine. Knows nothing of Go.
"""

import numpy as np

from goengine.core.jit import kernel

_17, _24, _16, _37 = (np.uint64(n) for n in (17, 24, 16, 37))
_27, _40, _48, _11 = (np.uint64(n) for n in (27, 40, 48, 11))
_32 = np.uint64(32)


def new_generator(seed: int) -> np.ndarray:
    """State of a generator: uint64[2], well mixed from any non-negative seed."""
    return np.random.SeedSequence(seed).generate_state(2, np.uint64)


@kernel
def next_word(state):
    """The next 64 random bits; advances ``state`` (uint64[2])."""
    s0 = state[0]
    s1 = state[1]
    word = s0 + s1
    s1 ^= s0
    state[0] = ((s0 << _24) | (s0 >> _40)) ^ s1 ^ (s1 << _16)
    state[1] = (s1 << _37) | (s1 >> _27)
    return word


@kernel
def below(state, n):
    """A uniform integer in [0, n), as uint64, for 0 < n < 2**32 (bias under n / 2**32)."""
    return ((next_word(state) >> _32) * np.uint64(n)) >> _32


@kernel
def uniform(state):
    """A uniform float64 in [0, 1)."""
    return np.float64(next_word(state) >> _11) * (1.0 / 9007199254740992.0)
