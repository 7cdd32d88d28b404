"""Games of SGF files, collections and shards of self-play that can be learned from, and why the others cannot.

Knows which games are fit for training; not how they are packed (`training.data.packs`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from goengine.board.rules import known_sgf_text
from goengine.core.array_file import RecordError
from goengine.dataio.records import GameRecord, PackBuilder
from goengine.zero.shards import Shard

SHARD = ".npz"  # ending of a file of self-play games


@dataclass
class ReadGames:
    """Games that were read, and what had to be left out."""

    builder: PackBuilder = field(default_factory=PackBuilder)
    left_out: list[str] = field(default_factory=list)  # file, number of the game, and why; one text for each
    unknown_rules: list[str] = field(default_factory=list)  # the same, of games that were packed without their rules

    def add(self, game: GameRecord, place: str) -> None:
        """Take a game, or say why not. ``place``: file and number of the game."""
        if reason := _unfit(game):
            self.left_out.append(f"{place}: {reason}")
            return
        rules = known_sgf_text(game.rules)
        if game.rules and rules is None:
            self.unknown_rules.append(f"{place}: the rules '{game.rules}' are unknown; packed as a game that names none")
        try:
            self.builder.add(replace(game, rules=rules.to_sgf_text() if rules else ""))
        except RecordError as error:
            self.left_out.append(f"{place}: {error}")


def _unfit(game: GameRecord) -> str:
    """Why a game that can be read is none to learn from, or an empty text."""
    if not game.moves:
        return "no moves"
    if abs(game.komi) > game.size**2 / 2:
        return f"komi {game.komi:g} is more than half of the board"
    return ""


def read_records(sources: Sequence[Path], say: Callable[[str], None] | None = None) -> ReadGames:
    """The games of SGF files, collections and shards (.npz) that can be learned from, and what had to be left out.

    Raises RecordError if a shard cannot be read.
    """
    found = ReadGames()
    for number, (place, game) in enumerate(_games(sources), 1):
        if isinstance(game, GameRecord):
            found.add(game, place)
        else:
            found.left_out.append(str(game))
        if say and number % 1000 == 0:
            say(f"{number} games read")
    return found


def _games(sources: Sequence[Path]) -> Iterator[tuple[str, GameRecord | Exception]]:
    """(file and number, game or what is wrong with it)."""
    for source in sources:
        for number, game in enumerate(_games_of(source), 1):
            yield f"{source}: game {number}", game


def _games_of(source: Path) -> Iterator[GameRecord | Exception]:
    if source.suffix == SHARD:
        games = Shard.load(source).games
        return (games.game(number) for number in range(len(games)))
    from goengine.dataio.sgf import iterate_games  # needs sgfmill, which training itself does not

    return iterate_games([source])
