"""Matches between players of any kind, and what they say about strength.

Begin with `fixtures` (what a game is to the arena), then `match`.
"""
