"""Fixtures of the GTP tests."""

import pytest
from gtp_support import new_protocol


@pytest.fixture
def protocol():
    """A protocol over a fresh game, see `gtp_support.new_protocol`."""
    return new_protocol()
