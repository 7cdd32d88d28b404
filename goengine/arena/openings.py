"""Openings: the moves that a pair of games begins with, from a file, from chance, or from a net's policy.

No two of them lead to the same position, seen through the eight symmetries, as long as the source has others. Knows the rules;
what nets find likely is `policy_openings`' business.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goengine.arena.fixtures import GameSetup
from goengine.arena.opening_positions import Opening, OpeningsError, position_key
from goengine.arena.players import NetPlayer, Player
from goengine.board import coords
from goengine.core.files import read_outside
from goengine.dataio import sgf
from goengine.dataio.records import GameRecord
from goengine.dataio.sgf_text import MAX_COLLECTION_BYTES

POLICY, RANDOM, NONE = "policy", "random", "none"
_SGF_ENDINGS = (".sgf", ".sgfs", ".xz")
_MAX_TEXT = 64 << 20  # bytes of a file of openings in lines
_TRIES = 500  # draws without anything new, after which the source is taken to be exhausted
_APART = 2  # points between the stones of a random opening, at least


@dataclass(frozen=True)
class OpeningSource:
    """Where openings come from: `policy`, `random`, `none`, or a file: SGF, or lines of vertices such as `Q16 D4 C16`."""

    name: str = NONE
    plies: int | None = None  # None: a number that suits the board; of a text file, whole lines

    def __post_init__(self) -> None:
        if self.plies is not None and not 0 <= self.plies <= 400:
            raise ValueError(f"an opening has from 0 to 400 moves, not {self.plies}")

    @property
    def is_file(self) -> bool:
        """Whether it is a file or a folder."""
        return self.name not in (POLICY, RANDOM, NONE)

    def config(self) -> dict[str, Any]:
        """As `match.json` keeps it; a file with a digest of what is in it."""
        return {"name": self.name, "plies": self.plies} | ({"digest": _file_digest(self.name)} if self.is_file else {})


def usual_plies(size: int) -> int:
    """Moves of an opening that leave the game open."""
    return 2 if size < 9 else 4 if size <= 11 else 6 if size <= 15 else 8


def draw_openings(
    source: OpeningSource, terms: GameSetup, count: int, seed: int, players: Mapping[str, Player] | None = None
) -> list[Opening]:
    """So many openings; of the same source and seed, a shorter list is the beginning of a longer one.

    A file's come in its order. Where there are fewer than asked for they begin again. Raises OpeningsError if there are none.
    """
    if source.name == NONE or count == 0:
        return [()] * count
    plies = usual_plies(terms.size) if source.plies is None else source.plies
    if source.is_file:
        found = list(itertools.islice(_unique(_from_file(source, terms, plies), terms), count))
        if not found:
            raise OpeningsError(f"{source.name} holds no opening that can be played on {terms.size}x{terms.size}")
    elif source.name == RANDOM:
        generator = random.Random(seed)
        endless = (_random_opening(terms, plies, generator) for _ in itertools.count())
        found = list(itertools.islice(_unique(endless, terms, _TRIES), count))
    else:
        found = _from_policy(terms, plies, count, seed, players or {})
    return [found[i % len(found)] for i in range(count)] if found else [()] * count


def _unique(openings: Iterable[Opening], terms: GameSetup, tries: int | None = None) -> Iterator[Opening]:
    """Those that can be played and lead to a position that none before them led to.

    tries: after so many in a row with nothing new it ends, as an endless source may be exhausted.
    """
    seen: set[bytes | None] = {None}
    waste = 0
    for opening in openings:
        key = position_key(opening, terms)
        if key not in seen:
            seen.add(key)
            waste = 0
            yield opening
        elif tries is not None and (waste := waste + 1) > tries:
            return


def _random_opening(terms: GameSetup, plies: int, generator: random.Random) -> Opening:
    """Points on the third to fifth line (on small boards from the second on), not next to each other where there is room."""
    size = terms.size
    lowest = 2 if size >= 9 else 1 if size >= 5 else 0
    lines = range(lowest, min(lowest + 3, (size + 1) // 2))
    free = [
        (row, column)
        for row in range(size)
        for column in range(size)
        if min(row, column, size - 1 - row, size - 1 - column) in lines
    ]
    chosen: list[tuple[int, int]] = []
    while len(chosen) < plies and free:
        apart = [p for p in free if all(max(abs(p[0] - r), abs(p[1] - c)) >= _APART for r, c in chosen)]
        place = generator.choice(apart or free)
        chosen.append(place)
        free.remove(place)
    return tuple(coords.point(row, column, size) for row, column in chosen)


def _from_policy(terms: GameSetup, plies: int, count: int, seed: int, players: Mapping[str, Player]) -> list[Opening]:
    nets = [player for player in players.values() if isinstance(player, NetPlayer)]
    if not nets:
        raise OpeningsError("openings from a policy need a net among the players; use --openings random or a file")
    from goengine.arena.policy_openings import draw  # loads a net

    return draw(nets, terms, plies, count, seed)


# -- files --


def _from_file(source: OpeningSource, terms: GameSetup, plies: int) -> Iterator[Opening]:
    path = Path(source.name)
    if path.is_dir():
        paths = sorted(p for p in path.iterdir() if p.suffix in _SGF_ENDINGS)
    else:
        paths = [path]
    for file in paths:
        if file.suffix in _SGF_ENDINGS:
            records = sgf.iterate_games([file])
            yield from (_of_record(r, terms, plies) for r in records if isinstance(r, GameRecord) and _fits(r, terms))
        else:
            yield from _of_text(file, terms, source.plies)


def _fits(record: GameRecord, terms: GameSetup) -> bool:
    """Whether its moves can begin a game of these terms: the same board, nothing set up but the handicap, colours in turn."""
    if record.size != terms.size or record.white_setup or (record.black_setup and not terms.handicap) or not record.moves:
        return False
    first = record.moves[0][0]
    return all(color == (first if i % 2 == 0 else 3 - first) for i, (color, _) in enumerate(record.moves))


def _of_record(record: GameRecord, terms: GameSetup, plies: int) -> Opening:
    points = [coords.from_index(index, record.size) for _, index in record.moves[:plies]]
    return tuple(itertools.takewhile(lambda p: p != coords.PASS, points))


def _of_text(path: Path, terms: GameSetup, plies: int | None) -> Iterator[Opening]:
    """Raises OpeningsError that names the line if one cannot be read."""
    try:
        lines = read_outside(path, _MAX_TEXT).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise OpeningsError(f"{path}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].replace(",", " ").split()[:plies]
        if not words:
            continue
        try:
            opening = tuple(coords.from_gtp(word, terms.size) for word in words)
        except ValueError as error:
            raise OpeningsError(f"{path}, line {number}: {error}") from None
        if coords.PASS in opening or position_key(opening, terms) is None:
            raise OpeningsError(f"{path}, line {number}: these moves cannot be played")
        yield opening


def _file_digest(name: str) -> str:
    """Of the bytes of a file, or the names and sizes in a folder. Raises OpeningsError if it is not there."""
    path = Path(name)
    try:
        if path.is_dir():
            data = repr(sorted((p.name, p.stat().st_size) for p in path.iterdir())).encode()
        else:
            data = read_outside(path, MAX_COLLECTION_BYTES)
    except OSError as error:
        raise OpeningsError(
            f"openings: {name}: {error.strerror}; possible: {POLICY}, {RANDOM}, {NONE}, or an SGF or text file"
        ) from None
    return hashlib.blake2b(data, digest_size=8).hexdigest()
