"""Games and patterns for the pattern tests."""

import numpy as np
import pytest

from goengine.dataio.records import GamePack
from goengine.patterns.dictionary import most_frequent, new_counts
from goengine.patterns.policy import MOST
from tests.training.conftest import random_record
from training.data import packs
from training.stages.pattern_kernels import PatternCounts, count_patterns, new_fit_scratch


@pytest.fixture(scope="session")
def small_games():
    """Thirty games on 7x7."""
    pack = GamePack.build(random_record(7, seed) for seed in range(30))
    return packs.to_games(pack, np.full(len(pack), -1, np.int32), np.zeros((0, 49), np.int8))


@pytest.fixture(scope="session")
def mined(small_games) -> dict[str, np.ndarray]:
    """Their most frequent patterns."""
    counts = PatternCounts(*(new_counts(1 << 14) for _ in MOST))
    count_patterns(small_games, np.arange(len(small_games.size)), 1, new_fit_scratch(7), counts)
    return {name: most_frequent(found, 300) for name, found in zip(MOST, counts, strict=True)}
