"""Numbers for known patterns: hash tables of arrays, read inside kernels. Knows nothing of what the keys stand for."""

from typing import NamedTuple

import numpy as np

from goengine.core.jit import inlined_kernel, kernel
from goengine.core.mix import mix

UNKNOWN = -1
_NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)  # in free slots; no pattern has this key


class Dictionary(NamedTuple):
    """Open addressing; a power of two of slots, at most half of them in use."""

    keys: np.ndarray  # uint64[slots]
    numbers: np.ndarray  # int32[slots]


def new_dictionary(keys: np.ndarray, numbers: np.ndarray | None = None) -> Dictionary:
    """A dictionary that gives each of these keys (uint64[n], all different) its number, by default its place among them.

    Raises ValueError if a key is there twice.
    """
    slots = max(16, 1 << int(2 * len(keys) - 1).bit_length())
    made = Dictionary(np.full(slots, _NOTHING), np.full(slots, UNKNOWN, np.int32))
    numbers = np.arange(len(keys)) if numbers is None else numbers
    if not _fill(made, np.ascontiguousarray(keys, np.uint64), np.ascontiguousarray(numbers, np.int32)):
        raise ValueError("a pattern stands twice in its dictionary, or is none")
    return made


@inlined_kernel
def look_up(dictionary, key):
    """The number of a key, or UNKNOWN."""
    last = np.uint64(dictionary.keys.size - 1)
    slot = mix(np.uint64(0), key) & last
    while dictionary.keys[slot] != key:
        if dictionary.numbers[slot] < 0:
            return np.int32(UNKNOWN)
        slot = (slot + np.uint64(1)) & last
    return dictionary.numbers[slot]


@kernel
def _fill(dictionary, keys, numbers):
    last = np.uint64(dictionary.keys.size - 1)
    for i in range(keys.size):
        slot = mix(np.uint64(0), keys[i]) & last
        while dictionary.numbers[slot] >= 0:
            if dictionary.keys[slot] == keys[i]:
                return False
            slot = (slot + np.uint64(1)) & last
        if keys[i] == _NOTHING:
            return False
        dictionary.keys[slot], dictionary.numbers[slot] = keys[i], numbers[i]
    return True


class Counts(NamedTuple):
    """How often keys were seen: a table that takes new ones until it is three quarters full, then known ones only."""

    keys: np.ndarray  # uint64[slots]
    seen: np.ndarray  # int64[slots]
    used: np.ndarray  # int64[1]  slots in use


def new_counts(slots: int) -> Counts:
    """Room for that many keys; a power of two."""
    return Counts(np.full(slots, _NOTHING), np.zeros(slots, np.int64), np.zeros(1, np.int64))


@kernel
def count(counts, key):
    """One more of this key."""
    last = np.uint64(counts.keys.size - 1)
    slot = mix(np.uint64(0), key) & last
    while counts.seen[slot] > 0:
        if counts.keys[slot] == key:
            counts.seen[slot] += 1
            return
        slot = (slot + np.uint64(1)) & last
    if 4 * counts.used[0] < 3 * counts.keys.size:
        counts.keys[slot] = key
        counts.seen[slot] = 1
        counts.used[0] += 1


def most_frequent(counts: Counts, most: int, least: int = 2) -> np.ndarray:
    """uint64[<= most]: the keys seen most often, and at least so often, the most frequent first; of equals the smaller."""
    there = np.flatnonzero(counts.seen >= least)
    order = np.lexsort((counts.keys[there], -counts.seen[there]))[:most]
    return counts.keys[there][order]
