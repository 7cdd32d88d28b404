"""A player: search, clock and judgement together, usable with and without GTP.

Start with `engine`. Knows nothing of protocols.
"""
