"""Draw the position that an SGF file ends with (or stands at before a move) as an SVG picture.

python benchmarks/draw_game.py game.sgf picture.svg --move 120
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from goengine.board import picture
from goengine.board.rules import Rules
from goengine.core.options import option, parse
from goengine.dataio import sgf
from goengine.dataio.game_files import position_from_sgf
from goengine.dataio.sgf_values import format_result


@dataclass(frozen=True)
class Picture:
    """Draw a position of an SGF file as SVG."""

    game: Path = option(help="the SGF file", positional=True)
    picture: Path = option(help="the SVG file", positional=True)
    move: int | None = option(None, "the position before this move; the end if not given")


def main() -> int:
    """Run the command."""
    config = parse(Picture, sys.argv[1:], "draw_game")
    record = sgf.read_file(config.game)
    position = position_from_sgf(sgf.read_bytes(config.game), Rules.preset("chinese"), config.move)
    caption = f"{record.black} (Black) – {record.white} (White): {format_result(record)}"
    config.picture.write_text(picture.svg(position, caption=caption), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
