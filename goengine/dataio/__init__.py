"""Games as data and as files: records, packs of them, SGF.

Knows the board; knows no search and no nets.
"""
