"""Feature sets: how a game becomes the planes and numbers that a net sees. `get` looks one up by its name.

Every set's plane 0 marks the points on the board; all planes are seen by the player to move. Knows nothing of nets.
"""

from goengine.features.registry import FeatureSet, get, names

__all__ = ["FeatureSet", "get", "names"]
