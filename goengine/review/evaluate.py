"""The command `goengine evaluate`: a position of a game record, drawn with what the engine says of it."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from goengine.core.options import MOST_THREADS, Seconds, option, parse

if TYPE_CHECKING:
    from goengine.review.evaluation import PositionReview

_VISITS = 400


@dataclass(frozen=True)
class EvaluateOptions:
    """Draw a position with the engine's candidates, its net's policy, and who owns what: in the terminal, or as SVG or PNG."""

    file: Path = option(help="an SGF file, or a picture of a board (PNG, JPEG, WebP)", positional=True)
    move: int | None = option(None, "the position before this move; the end of the main line if not given", least=1)
    out: Path | None = option(None, "picture to write, .svg or .png; the terminal if not given")
    show: tuple[Literal["candidates", "policy", "ownership"], ...] = option(
        ("candidates", "policy", "ownership"), "which boards to draw"
    )
    visits: int = option(_VISITS, "visits of the search", least=1, most=1 << 30)
    time: Seconds | None = option(None, "time of the search at most, such as 5 or 1m")
    net: str | None = option(None, "name of a shipped net or path of one; the best for the board size if not given")
    threads: int | None = option(None, "CPU threads for the net; all cores if not given", least=1, most=MOST_THREADS)
    rules: str | None = option(None, "rules to judge by, such as japanese; the record's if not given")
    komi: float | None = option(None, "komi to judge by; the record's if not given", least=-400, most=400)
    json: bool = option(False, "write JSON on standard output")

    def __post_init__(self) -> None:
        if not self.show:
            raise ValueError("--show needs at least one of candidates, policy, ownership")
        if self.out is not None and self.out.suffix.lower() not in (".svg", ".png"):
            raise ValueError(f"--out {self.out} must end in .svg or .png")


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0, or 2 if the position cannot be read or drawn."""
    options = parse(EvaluateOptions, argv, "goengine evaluate")
    from goengine.core.canvas import PictureError
    from goengine.core.compiling import Notice, watching
    from goengine.evaluators.base import EvaluatorError

    try:
        with watching(Notice()):
            _show(options, _evaluate(options))
    except OSError as error:
        sys.stderr.write(f"goengine evaluate: {error.filename or options.file}: {error.strerror or error}\n")
        return 2
    except (ValueError, EvaluatorError, PictureError) as error:
        sys.stderr.write(f"goengine evaluate: {error}\n")
        return 2
    return 0


def _evaluate(options: EvaluateOptions) -> "PositionReview":
    from goengine.analysis.batch import BatchAnalysis
    from goengine.dataio.sgf import read_bytes, read_game
    from goengine.player.net_source import NetSource
    from goengine.review.evaluation import evaluate
    from goengine.review.line import GameLine, rules_of
    from goengine.vision.door import is_picture_file
    from goengine.vision.from_picture import sgf_of_picture

    if is_picture_file(options.file):
        record = read_game(sgf_of_picture(options.file), str(options.file))
    else:
        record = read_game(read_bytes(options.file), str(options.file))
    rules, note = rules_of(record, options.rules, options.komi)
    line = GameLine(record, rules)
    last = len(line.before)
    wanted = last + 1 if options.move is None else options.move
    if line.fault and wanted > last + 1:
        raise ValueError(f"{options.file}: {line.fault}")
    if wanted > last + 1:
        raise ValueError(f"{options.file}: there is no move {wanted}; the game has {last}")
    if note:
        sys.stderr.write(f"goengine evaluate: {note}\n")
    place = line.before[wanted - 1] if wanted <= last else len(line.places) - 1
    with BatchAnalysis(NetSource(options.net, threads=options.threads, by_key=True)) as analysis:
        return evaluate(analysis, line.at(place), options.visits, options.time)


def _show(options: EvaluateOptions, found: "PositionReview") -> None:
    from goengine.board import drawing
    from goengine.core.files import replacing
    from goengine.review import evaluation
    from goengine.review.svg_png import save_png

    views = tuple(view for view in evaluation.VIEWS if view in options.show)
    if options.out is not None:
        drawn = evaluation.to_svg(found, views)
        if options.out.suffix.lower() == ".png":
            save_png(drawn, options.out)
        else:
            with replacing(options.out) as beside:
                beside.write_text(drawn, encoding="utf-8")
    if options.json:
        sys.stdout.write(json.dumps(evaluation.to_json(found), indent=1) + "\n")
    elif options.out is None:
        sys.stdout.write(evaluation.to_text(found, views, drawing.palette_of(sys.stdout)) + "\n")
    else:
        sys.stdout.write(f"Written: {options.out}\n")
