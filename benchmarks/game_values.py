"""What the engine thinks of each player's chances in the course of a recorded game.

    python benchmarks/game_values.py GAME.sgf

A line for each position looked at: the moves so far, the value for Black (1: won for certain, -1: lost) after a search, and the
move it would play.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from goengine.board import coords
from goengine.board.position import Position
from goengine.board.rules import Rules
from goengine.board.state import BLACK
from goengine.core.options import option, parse
from goengine.dataio.sgf import iterate_games
from goengine.player.net_source import NetSource
from goengine.search.params import PLAY, Limits
from goengine.search.search import Search


@dataclass(frozen=True)
class GameValues:
    """Values of the positions of a game, by searches."""

    game: Path = option(help="SGF file", positional=True)
    visits: int = option(150, "of each search")
    every: int = option(6, "moves between two positions")
    komi: float = option(7.5, "the game's komi, under Chinese rules")
    net: str = option("", "a shipped net's name or a path; the default net if empty")


def main() -> None:
    """Search and print."""
    options = parse(GameValues, None, "game_values.py")
    record = next(iter(iterate_games([options.game])), None)
    if record is None:
        sys.exit(f"{options.game}: no game that can be read")
    position = Position(record.size, Rules.preset("chinese").with_komi(options.komi))
    search = Search(NetSource(options.net or None, threads=1).get(record.size), PLAY, 1)
    for ply, (color, index) in enumerate(record.moves):
        if ply % options.every == 0:
            search.set_position(position)
            result = search.run(Limits(visits=options.visits))
            value = result.value if position.to_play == BLACK else -result.value
            print(f"{ply:4d}  {value:+.2f}  {coords.to_gtp(result.chosen, record.size)}", flush=True)
        position.play(coords.from_index(index, record.size), color)


if __name__ == "__main__":
    main()
