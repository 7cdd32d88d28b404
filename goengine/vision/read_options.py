"""The options of `goengine read`. Imports nothing slow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import MOST_THREADS, option


@dataclass(frozen=True)
class ReadOptions:
    """Read the positions of Go boards from a picture: a photo, a screenshot, a diagram of a book; whole boards and parts.

    PNG, JPEG, WebP, GIF and BMP, or the text of a data URL; - is standard input.
    `goengine read X.png --gtp | goengine gtp` plays on.
    """

    image: Path = option(help="the picture; - for standard input", positional=True)
    sgf: bool = option(False, "write SGF, a game for each board")
    gtp: bool = option(False, "write GTP commands that set up a board")
    json: bool = option(False, "write JSON: stones, how sure each crossing is, corners, edges")
    overlay: Path | None = option(None, "draw the picture with what was read on it here, NAME.png")
    board: int | None = option(None, "only this board of several, from 1", least=1)
    to_play: Literal["black", "white"] | None = option(
        None, "who is to move; by default the opponent of the marked last stone, else by the number of stones"
    )
    size: int | None = option(None, "lines of the board of which the picture shows a part; 19 if not given", least=2, most=25)
    komi: float = option(7.5, "komi of the game that is written", least=-400, most=400)
    reader: Literal["segment", "detect"] = option("segment", "which reader (docs/vision.md compares them)")
    threads: int = option(0, "CPU threads for the nets; 0: their own choice", most=MOST_THREADS)

    def __post_init__(self) -> None:
        if self.sgf + self.gtp + self.json > 1:
            raise ValueError("--sgf, --gtp and --json: only one of them")
        if self.overlay is not None and self.overlay.suffix.lower() != ".png":
            raise ValueError(f"--overlay {self.overlay}: the name of a picture that is written ends in .png")
