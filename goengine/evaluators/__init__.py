"""Evaluators: from a batch of encoded positions to policy, value, score and ownership. Start with `base`; `load.load`
gives one by name.

Nothing is imported here: an evaluator is paid for only where it is used.
"""
