"""A hash of 64-bit words, for keys and for chance that depends on numbers alone."""

import numpy as np

from goengine.core.jit import kernel


@kernel
def mix(h, word):
    """Join a word to a hash (the finaliser of splitmix64, Steele et al. 2014)."""
    h = (h ^ word) + np.uint64(0x9E3779B97F4A7C15)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return h ^ (h >> np.uint64(31))
