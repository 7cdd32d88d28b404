"""The folder of a match: `match.json` (its whole configuration), `games.jsonl` (a line per game), `game-00000.sgf` and so on.

Knows how such a folder is written so that the match can be stopped at any moment and continued, and how a folder of another
match is refused. Does not know how games are played or what their results mean together.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from goengine.arena.fixtures import GameOutcome, GameSetup
from goengine.board import coords, symmetry
from goengine.core.files import hold, remove_parts, replacing
from goengine.dataio import sgf
from goengine.dataio.records import (
    BLACK,
    BLACK_WINS,
    DRAW,
    FORFEIT,
    NO_RESULT,
    RESIGNATION,
    SCORE,
    TIME,
    UNKNOWN,
    WHITE,
    WHITE_WINS,
    GameRecord,
)

CONFIGURATION, GAMES = "match.json", "games.jsonl"
_ENDINGS = {"score": SCORE, "resignation": RESIGNATION, "timeout": TIME, "move limit": UNKNOWN, "void": UNKNOWN}


class LogError(Exception):
    """A match folder that cannot be used or written; the message says which, why, and what to do."""


class MatchLog:
    """An open match folder. Use it as a context manager.

    folder: made if it is not there. config: everything that the games depend on, as JSON has it; it must be that of the match
    in the folder, but for the keys in ``may_differ`` (such as the number of games), whose new values replace the old ones.
    Raises LogError if the folder belongs to another match, is in use by another program, or cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str], config: Mapping[str, Any], may_differ: Collection[str] = ()):
        self.folder = Path(folder)
        self.faults: list[str] = []  # lines that could not be read: their games are played again
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._check(json.loads(json.dumps(config)), may_differ)
            # Without a buffer, so that closing it after a failure has nothing to write.
            self._file = open(self.folder / GAMES, "a+b", buffering=0)  # noqa: SIM115
            self._lock()
            remove_parts(self.folder)  # of a match that was killed
            self.played = self._load()
        except OSError as error:
            raise self._unwritable(error) from None

    def __enter__(self) -> MatchLog:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the folder go."""
        self._file.close()

    def add(self, played: GameOutcome, terms: GameSetup) -> dict[str, Any]:
        """Keep a game: its SGF first, then its line, which says that it is done. Returns the line.

        Raises LogError if it cannot be written; the match then goes on from the games before.
        """
        line = describe(played, terms)
        number = played.fixture.number
        end = None
        try:
            write_beside(self.folder / sgf_name(number), to_sgf(played, terms))
            end = self._file.seek(0, os.SEEK_END)
            self._append(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            self._cut(end)
            raise self._unwritable(error) from None
        self.played[number] = line
        return line

    def write(self, name: str, text: str) -> None:
        """A further file in the folder. Raises LogError if it cannot be written."""
        try:
            write_beside(self.folder / name, text.encode())
        except OSError as error:
            raise self._unwritable(error) from None

    def _check(self, config: dict[str, Any], may_differ: Collection[str]) -> None:
        """Compare with the configuration in the folder, or write it."""
        path = self.folder / CONFIGURATION
        if path.exists():
            try:
                known = json.loads(path.read_bytes())
            except ValueError as error:
                raise LogError(f"{path} is damaged: {error}; fix or remove it, or choose another folder") from None
            key, old, new = _difference(_without(known, may_differ), _without(config, may_differ))
            if key:
                raise LogError(
                    f"{self.folder} holds another match: {key} is {old} there and {new} here; choose another folder, or the "
                    "same settings to go on with it"
                )
        elif (self.folder / GAMES).exists():
            raise LogError(f"{self.folder} holds games but no {CONFIGURATION}; choose another folder")
        write_beside(path, (json.dumps(config, indent=1, ensure_ascii=False) + "\n").encode())

    def _lock(self) -> None:
        try:
            hold(self._file.fileno())
        except BlockingIOError:
            self._file.close()
            raise LogError(f"another program is playing the match in {self.folder}; wait for it, or stop it") from None

    def _load(self) -> dict[int, dict[str, Any]]:
        """The lines by number of game. What a kill left of the last line is cut off."""
        self._file.seek(0)
        data = self._file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            self.faults.append(f"{self.folder / GAMES}: the last line is not whole; its game is played again")
            self._cut(whole)
        lines, faults = parse_lines(data[:whole])
        self.faults += [f"{self.folder / GAMES}: {fault}; its game is played again" for fault in faults]
        return lines

    def _append(self, data: bytes) -> None:
        while data:  # a disk that is nearly full takes a part
            data = data[self._file.write(data) :]

    def _cut(self, length: int | None) -> None:
        """Make the file that short again, so that the next line begins a line."""
        if length is None:
            return
        try:
            self._file.truncate(length)
        except OSError:
            return  # the next start drops the torn line

    def _unwritable(self, error: OSError) -> LogError:
        place = error.filename or self.folder
        return LogError(
            f"{place}: {error.strerror or error}; nothing was lost but the last game: make room or choose a folder that can be "
            "written, and start the same command again"
        )


def read(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """Configuration and lines of a match, for whoever only looks. Raises LogError if they cannot be read."""
    folder = Path(folder)
    try:
        config = json.loads((folder / CONFIGURATION).read_bytes())
        return config, parse_lines((folder / GAMES).read_bytes())[0]
    except (OSError, ValueError) as error:
        raise LogError(f"{folder} holds no match that can be read: {error}") from None


def parse_lines(data: bytes) -> tuple[dict[int, dict[str, Any]], list[str]]:
    """Lines by number of game, the last of each; and which lines are no games."""
    lines: dict[int, dict[str, Any]] = {}
    faults = []
    for place, text in enumerate(data.splitlines(), 1):
        try:
            line = json.loads(text)
            lines[int(line["game"])] = line
        except (ValueError, TypeError, KeyError, RecursionError):
            faults.append(f"line {place} is no game")
    return lines, faults


def write_beside(path: Path, data: bytes) -> None:
    """Write a file beside its place and rename it, so that nobody meets half of it."""
    with replacing(path) as beside:
        beside.write_bytes(data)


def sgf_name(number: int) -> str:
    """The file of a game."""
    return f"game-{number:05}.sgf"


def describe(played: GameOutcome, terms: GameSetup) -> dict[str, Any]:
    """The line of a game: plain values only."""
    fixture, size = played.fixture, terms.size
    return {
        "game": fixture.number,
        "pair": fixture.pair,
        "black": fixture.black,
        "winner": played.winner,
        "reason": played.reason,
        "detail": played.detail,
        "result": result_text(played),
        "margin": played.margin,
        "plies": len(played.moves),
        "opening": [coords.to_gtp(p, size) for p in fixture.opening],
        "handicap": [coords.to_gtp(p, size) for p in played.handicap_points],
        "names": dict(played.names),
        "moves": moves_of_players(played),
        "seconds": {side: round(seconds, 3) for side, seconds in played.seconds.items()},
        "visits": dict(played.visits),
        "seed": fixture.seed,
        "digest": digest(played.moves, size, fixture.black),
    }


def moves_of_players(played: GameOutcome) -> dict[str, int]:
    """How many moves each player chose, the opening not among them."""
    black_first = not played.handicap_points
    counts = {"a": 0, "b": 0}
    for ply in range(len(played.fixture.opening), len(played.moves)):
        counts[played.fixture.side((ply % 2 == 0) == black_first)] += 1
    return counts


def result_text(played: GameOutcome) -> str:
    """The result as SGF has it in RE: B+7.5, W+R, B+T, W+F, 0, Void."""
    if not played.counts:
        return "Void"
    if not played.winner:
        return "0"
    letter = "B" if played.winner == played.fixture.black else "W"
    if played.reason == "score":
        return f"{letter}+" if played.margin is None else f"{letter}+{abs(played.margin):g}"
    return letter + {"resignation": "+R", "timeout": "+T"}.get(played.reason, "+F")


def digest(moves: Iterable[int], size: int, black: str = "") -> str:
    """A short text that two games share only if they are the same up to the symmetries of the board."""
    indices = [coords.to_index(p, size) for p in moves]
    views = symmetry.scatter(size)[:, indices] if indices else [indices]
    least = min(tuple(int(i) for i in view) for view in views)
    return hashlib.blake2b(f"{black} {size} {least}".encode(), digest_size=8).hexdigest()


def to_sgf(played: GameOutcome, terms: GameSetup) -> bytes:
    """The game as an SGF file; its comment says which player is which, and how it ended."""
    fixture, size = played.fixture, terms.size
    first = WHITE if played.handicap_points else BLACK
    names = {side: played.names.get(side, side) for side in ("a", "b")}
    black, white = fixture.side(True), fixture.side(False)
    black_won = played.winner == black
    record = GameRecord(
        size=size,
        moves=tuple((first if i % 2 == 0 else 3 - first, coords.to_index(p, size)) for i, p in enumerate(played.moves)),
        komi=terms.rules.komi,
        rules=terms.rules.to_sgf_text(),
        black_setup=tuple(coords.to_index(p, size) for p in played.handicap_points),
        to_play=first,
        handicap=len(played.handicap_points),
        outcome=NO_RESULT if not played.counts else DRAW if not played.winner else BLACK_WINS if black_won else WHITE_WINS,
        margin=played.margin if played.reason == "score" else None,
        ending=_ENDINGS.get(played.reason, FORFEIT),
        black=names[black],
        white=names[white],
    )
    comment = f"Game {fixture.number}: Black is player {black}, White is player {white}."
    if fixture.opening:
        comment += f" The first {len(fixture.opening)} moves are the opening."
    comment += f"\nEnded by {played.reason}{': ' + played.detail if played.detail else ''}."
    return sgf.write_game(record, {"C": comment, "RE": result_text(played)})


def _without(config: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in keys}


def _difference(old: Any, new: Any, key: str = "") -> tuple[str, str, str]:
    """The first key (such as `terms.komi`) that differs and its two values as text; empty texts if none does."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            inner = f"{key}.{name}" if key else name
            if name not in old or name not in new:
                before, after = (json.dumps(x[name]) if name in x else "not given" for x in (old, new))
                return inner, before, after
            found = _difference(old[name], new[name], inner)
            if found[0]:
                return found
        return "", "", ""
    return ("", "", "") if old == new else (key or "the configuration", json.dumps(old), json.dumps(new))
