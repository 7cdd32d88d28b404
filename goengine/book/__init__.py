"""Books of openings: positions with what deep searches found there, each stored once for its eight views.

`canonical` says when two positions are the same, `book` holds them and what follows from them, `book_file` reads and writes
them, `growth` says which position should be searched next, `searches` searches many at once, `shelf` finds the books that come
with the engine, `replies` answers for a position in play. No protocol and no clock.
"""
