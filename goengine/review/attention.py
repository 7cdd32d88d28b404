"""The command `goengine attention`: where a decoder of people's moves looks on the board before a move, and what it expects."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goengine.core.options import option, parse

if TYPE_CHECKING:
    from goengine.board.position import Position
    from goengine.dataio.records import GameRecord
    from goengine.sequence.decoder import Decoder

SHOWN = 5  # likeliest moves that are named on the board


@dataclass(frozen=True)
class AttentionOptions:
    """Draw the attention of a decoder over the board before a move, for players of given ranks: red where it looks."""

    file: Path = option(help="an SGF file of a 19x19 game", positional=True)
    out: Path = option(help="picture to write, .svg or .png")
    move: int | None = option(None, "the position before this move; the end of the main line if not given", least=1)
    black: str = option("", "Black's rank, such as 5k; the record's if not given")
    white: str = option("", "White's rank; the record's if not given")
    model: str = option("ranked-decoder", "name of a shipped decoder, or path of its .xml")

    def __post_init__(self) -> None:
        from goengine.ranks.scale import rank_value

        if self.out.suffix.lower() not in (".svg", ".png"):
            raise ValueError(f"--out {self.out} must end in .svg or .png")
        for rank in filter(None, (self.black, self.white)):
            rank_value(rank)


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0, or 2 if the position cannot be read or drawn."""
    options = parse(AttentionOptions, argv, "goengine attention")
    from goengine.core.canvas import PictureError
    from goengine.evaluators.base import EvaluatorError

    try:
        _draw(options)
    except OSError as error:
        sys.stderr.write(f"goengine attention: {error.filename or options.file}: {error.strerror or error}\n")
        return 2
    except (ValueError, EvaluatorError, PictureError) as error:
        sys.stderr.write(f"goengine attention: {error}\n")
        return 2
    return 0


def _draw(options: AttentionOptions) -> None:
    from goengine.core.files import replacing
    from goengine.dataio.sgf import read_bytes, read_game
    from goengine.ranks.scale import parse_rank
    from goengine.review.svg_png import save_png
    from goengine.sequence.decoder import Decoder

    record = read_game(read_bytes(options.file), str(options.file))
    found = (parse_rank(options.black or record.black_rank), parse_rank(options.white or record.white_rank))
    black, white = (None if rank is None else rank.value for rank in found)
    names = ["unknown" if rank is None else str(rank) for rank in found]
    position = _position(options, record)
    text = picture(Decoder(options.model), position, (black, white), f"Black {names[0]}, White {names[1]}")
    if options.out.suffix.lower() == ".png":
        save_png(text, options.out)
    else:
        with replacing(options.out) as beside:
            beside.write_text(text, encoding="utf-8")
    sys.stderr.write(f"{options.out}\n")


def _position(options: AttentionOptions, record: "GameRecord") -> "Position":
    """The position that the options name. Raises ValueError if there is none."""
    from goengine.review.line import GameLine, rules_of

    line = GameLine(record, rules_of(record, None, None)[0])
    last = len(line.before)
    wanted = last + 1 if options.move is None else options.move
    if wanted > last + 1:
        raise ValueError(f"{options.file}: there is no move {wanted}; the game has {last}")
    return line.at(line.before[wanted - 1] if wanted <= last else len(line.places) - 1)


def picture(decoder: "Decoder", position: "Position", ranks: tuple[float | None, float | None], who: str) -> str:
    """The board as SVG: shares of attention as shades, the likeliest moves as discs. ranks: Black's and White's.

    Raises ValueError if the board is not 19x19, EvaluatorError if the model sees no board.
    """
    import numpy as np

    from goengine.board import coords
    from goengine.board.picture import Candidate, Overlay, svg
    from goengine.board.state import BLACK

    shares, likely = decoder.attention(position, *ranks).ravel(), decoder.probabilities([position], *ranks)[0]
    heat = {coords.from_index(i, position.size): float(share) for i, share in enumerate(shares)}
    best = np.argsort(-likely)[:SHOWN]
    candidates = tuple(
        Candidate(coords.from_index(int(i), position.size), (f"{100 * likely[i]:.0f}",), float(likely[i] / likely[best[0]]))
        for i in best
        if likely[i] >= 0.01
    )
    turn = "Black" if position.to_play == BLACK else "White"
    caption = f"{who}: attention before move {len(position.moves) + 1} of {turn} (red), likeliest moves in percent"
    return svg(position, caption=caption, overlay=Overlay(heat=heat, candidates=candidates))
