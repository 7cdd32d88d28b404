"""Small patterns of stones and the linear policies built on them: fast enough to play whole games to the end by the hundred.

`surroundings` keeps up what stands around every point, `keys` folds patterns by symmetry, `dictionary` numbers the known
ones, `rollout` plays by them.
"""
