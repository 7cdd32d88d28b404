"""The options of the commands about who owns what at the end of a game. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path

from goengine.core.options import MOST_THREADS, option
from goengine.nets.architecture import ArchitectureError, check
from training.core.command_options import LoopedOptions, board_shares


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """Say who owns each point at the end of counted games, and which groups live in seki: the command owners learns it."""

    out: Path = option(help="folder to write, a file SIZE.npz for each board size")
    games: tuple[Path, ...] = option(
        (),
        "SGF files or collections, by turns; a game is believed where the engine's count is exactly its result",
    )
    shards: tuple[Path, ...] = option((), "shards of self-play (.npz), whose owners are known")
    held_out: float = option(0.0, "share of the games that go into files of their own, SIZE-held-out.npz", most=1)
    limit: int = option(4000, "games of a record that are believed, at most", least=1)
    net: str = option("b8c96", "the net that is asked, too, where playouts do not find the result")
    playouts: int = option(100, "random playouts for each position", least=2)

    def __post_init__(self) -> None:
        if not self.games and not self.shards:
            raise ValueError("give --games, --shards or both")
        if not 0 <= self.held_out < 1:
            raise ValueError(f"--held-out {self.held_out}: is a share below 1")


@dataclass(frozen=True, kw_only=True)
class OwnersOptions(LoopedOptions):
    """Train a head that divides the board, on the trunk of a finished net that stays as it is: whose each point is, and which
    stones are alive, dead or in seki."""

    labels: tuple[Path, ...] = option(help="files of the command label")
    validation: tuple[Path, ...] = option((), "files of the command label that are only measured")
    net: str = option("", "the net whose trunk it stands on: a shipped net's name or folder; the default net if empty")
    head: str = option("b1c32:u48", "architecture of the head: its width and blocks")
    sizes: str = option("", "share of batches by board size, 19=0.6,9=0.4; by default in proportion to positions")
    stones_weight: float = option(0.5, "weight of the stones' fate in the loss, beside the points' owners")
    symmetries: bool = option(True, "show each position through a random symmetry")
    vary: float = option(0.5, "share of samples shown under other rules and komi", most=1)
    validation_positions: int = option(1024, "positions of a measurement, of each board size", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        board_shares(self.sizes)
        try:
            check(self.head)
        except ArchitectureError as error:
            raise ValueError(f"--head {error}") from None


@dataclass(frozen=True, kw_only=True)
class CompareOwnersOptions:
    """Compare who tells best who owns what: playouts, a net's ownership, a head that divides the board, mixtures of them."""

    head: Path | None = option(None, "the head (net.safetensors of the command owners); without it the others are compared")
    net: str = option("", "the net on which the head stands: a shipped net's name or folder; the default net if empty")
    games: tuple[Path, ...] = option((), "SGF files or collections, of which counted games are counted")
    limit: int | None = option(None, "count so many games, the first", least=1)
    gnugo: Path | None = option(None, "a folder of SGF files with right results under Japanese rules in INDEX.tsv")
    scoring: Path | None = option(None, "a folder of final positions with their owners (JSON)")
    diagrams: Path | None = option(None, "a folder of diagrams with dead stones and seki (tests/player/diagrams)")
    labels: tuple[Path, ...] = option((), "files of the command label: IoU of each class on their last positions")
    back: tuple[int, ...] = option((0,), "of each labelled game the position so many moves before its last one")
    positions: int = option(300, "positions of each file of labels, at most", least=1)
    playouts: int = option(300, "random playouts for each position", least=2)
    cost: bool = option(False, "measure what the head adds to the net's time")
    threads: int = option(1, "threads of the nets; 0: their own choice", most=MOST_THREADS)
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        if self.cost and self.head is None:
            raise ValueError("--cost is that of a --head, which is missing")
        if not (self.games or self.gnugo or self.scoring or self.diagrams or self.labels or self.cost):
            raise ValueError("nothing to compare on: give --games, --gnugo, --scoring, --diagrams, --labels or --cost")
