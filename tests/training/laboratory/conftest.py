"""Small shards of self-play for comparisons."""

from pathlib import Path

import pytest

from tests.zero.random_games import random_shard


@pytest.fixture(scope="session")
def shards(tmp_path_factory) -> Path:
    """A folder of three shards on 5x5 and one on 7x7, five games each."""
    folder = tmp_path_factory.mktemp("shards")
    for number in range(3):
        random_shard(5, range(5 * number, 5 * number + 5)).save(folder / f"a-{number + 1:06d}.npz")
    random_shard(7, range(5)).save(folder / "b-000001.npz")
    return folder
