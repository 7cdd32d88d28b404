"""Evaluators: from a batch of encoded positions to policy, value, score and ownership. Start with `base`; `load.load` gives one
by name.

Nothing is imported here, so that only the evaluators in use cost time at the start.
"""
