"""The options of the commands that let policies play without a search. Imports no torch, as `training.core.command_options`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import MOST_THREADS, Seconds, option
from training.core.command_options import LoopedOptions, board_shares, check_packs
from training.core.worker_options import ManyWorkers


@dataclass(frozen=True, kw_only=True)
class PolicyPlayOptions(LoopedOptions):
    """What every command takes that lets policies play without a search."""

    size: int = option(9, "board size", least=2, most=25)
    komi: float = option(7.5, "points for White", least=None)
    temperature: float = option(1.0, "of the softmax that moves are drawn from")
    longest: float = option(3.0, "plies over points of the board, after which a game has no result and teaches nothing")
    seed: int = option(1, "of all chance")
    play: Literal["torch", "openvino", "auto"] = option(
        "auto", "what computes the nets that play; auto: OpenVINO on a CPU, where it is faster, torch on a GPU"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.size <= 25 or not 0 < self.longest <= 10:
            raise ValueError(f"--size {self.size} is from 2 to 25, --longest {self.longest} up to 10 times the points")
        if not 0 < self.temperature < float("inf"):
            raise ValueError(f"--temperature {self.temperature}: must be above 0, or nothing is tried")
        if not abs(self.komi) <= 1000 or self.komi * 2 != round(self.komi * 2):
            raise ValueError(f"--komi {self.komi}: whole or half points, up to 1000")


@dataclass(frozen=True, kw_only=True)
class ReinforceOptions(PolicyPlayOptions, ManyWorkers):
    """Train a policy by the results of its games against earlier forms of itself; the same command goes on where a run stopped.

    REINFORCE as of the first AlphaGo (Silver et al. 2016, methods), whose constants are the defaults where it names them.
    """

    net: Path = option(help="the policy to begin with (net.safetensors of a supervised run)")
    budget: Seconds | None = option(None, "end after this time, 25m or 2h, with start-up and the last checkpoint")
    steps: int | None = option(10_000, "iterations, each some games and then one change of the net", short="--iterations")
    batch: int = option(128, "games of an iteration, in every second of which the net is Black", short="--games", least=1)
    rate: float | None = option(0.003, "learning rate; a gradient is the sum over a game's moves, the mean over games")
    decay: float | None = option(0.0, "weight decay")
    warmup: float = option(0.0, "share of the run in which the rate rises; it never falls", most=1)
    average: float = option(0.0, "decay of the averaged weights, which are the result; 0: the last weights", most=1)
    compile: bool | None = option(False, "let torch compile the net, once for every number of positions that a batch has")
    log_every: int = option(1, "iterations between two lines of the log", least=1)
    every: int = option(500, "iterations after which the net joins the pool of opponents, again and again", least=1)
    baseline: Path | None = option(None, "a value net, whose expectation is taken off each result")
    moves_per_game: int = option(
        0, "learn from so many moves of each game, drawn at random, each for as many as there are for it; 0: from all"
    )
    rows: int = option(1024, "positions that are learned from at once: a question of memory", least=1)
    validation_games: int = option(200, "games against the net of the beginning in a measurement; 0: none")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_workers(self.batch)
        for name, least in (("every", 1), ("rows", 1), ("moves_per_game", 0), ("validation_games", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"--{name.replace('_', '-')} must be at least {least}")


@dataclass(frozen=True, kw_only=True)
class ValueOptions(PolicyPlayOptions):
    """Train a net to say who wins, on one position of each of many games of policies; goes on where a run stopped.

    As the first AlphaGo did (Silver et al. 2016, methods), whose constants are the defaults where it names them: a policy
    plays up to a move drawn from all legal ones, another one from there on, and the position between them is all that a
    game gives.
    """

    policy: str | None = option(
        None, "who plays before the random move: a weights file, or a net's name or folder (`goengine nets`)"
    )
    reinforced: str | None = option(None, "who plays after it; by default the same policy")
    net: str = option("lee-value-64", "an architecture (lee-value-64 ...) for a fresh net, or a weights file to begin with")
    features: str = option("zero", "feature set of a fresh net")
    positions: int = option(100_000, "positions to have, of each folder of games, each of a game of its own", least=1)
    held_out: int = option(2000, "of these, so many are only measured", least=1)
    latest: float = option(450 / 361, "latest move that is the random one, over points of the board")
    parallel: int = option(128, "games at once", least=1)
    data: tuple[Path, ...] = option(
        (), "folders of games that other runs have made, instead of playing; of one size or several"
    )
    sizes: str = option("", "share of batches by board size, 19=0.8,9=0.2; by default in proportion to positions")
    keep_norms: bool | None = option(
        None,
        "normalise by the statistics that the net came with, not by each batch's; by default where a trained net learns from "
        "boards of several sizes",
    )
    positions_per_game: Literal["one", "all"] = option(
        "one", "all: learn from every position of the games, to see a net learn their results by heart"
    )
    symmetries: bool = option(True, "show each position through a random symmetry")
    batch: int = option(32, "positions per step", least=1)
    rate: float | None = option(0.003, "peak learning rate")
    validation_positions: int = option(4096, "positions of a measurement, of those learned from and of those held out", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("positions", "held_out", "parallel", "validation_positions"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} must be at least 1")
        board_shares(self.sizes)
        if (self.policy is None) == (not self.data):
            raise ValueError("give --policy to play games, or --data for games that are there")
        if self.held_out >= self.positions:
            raise ValueError(f"--held-out {self.held_out} of --positions {self.positions} leaves nothing to learn from")
        if not 0 < self.latest <= self.longest:
            raise ValueError(f"--latest {self.latest}: above 0 and at most --longest")


@dataclass(frozen=True, kw_only=True)
class PolicyMatchOptions:
    """Let two policies play each other without a search, all games in step, and say how much stronger one is.

    Moves are drawn from the softmax of each policy at its own temperature. With several temperatures for b, a meets each in
    turn.
    """

    a: str = option(help="a policy: a weights file, or a net's name or folder (`goengine nets`)")
    b: str = option(help="the other one")
    temperature_a: float = option(1.0, "of a's moves; 0: always the likeliest")
    temperatures_b: tuple[float, ...] = option((1.0,), "of b's moves, a match for each", short="--temperature-b")
    size: int = option(19, "board size", least=2, most=25)
    komi: float = option(7.5, "points for White", least=None)
    games: int = option(400, "games of a match, all at once; a is Black in every second one", least=1)
    longest: float = option(3.0, "plies over points of the board, after which a game has no result and does not count")
    seed: int = option(1, "of all chance")
    play: Literal["torch", "openvino", "auto"] = option(
        "auto", "what computes weights files; auto: OpenVINO on a CPU, where it is faster, torch on a GPU"
    )
    device: str = option("auto", "cpu, cuda, cuda:1; auto takes a GPU where there is one")
    half: bool | None = option(None, "compute in bfloat16; by default where the GPU or CPU has it")
    threads: int = option(0, "threads of the nets on a CPU; 0: their own choice", most=MOST_THREADS)
    games_out: Path | None = option(None, "write the games here, a pack (NAME.npz)")
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        if not self.temperatures_b or not all(
            0 <= value < float("inf") for value in (self.temperature_a, *self.temperatures_b)
        ):
            raise ValueError("--temperature-a and --temperatures-b are numbers from 0 on")
        if not 2 <= self.size <= 25 or not 0 < self.longest <= 10 or self.games < 1:
            raise ValueError("--size is from 2 to 25, --longest up to 10 times the points, --games at least 1")
        if not abs(self.komi) <= 1000 or self.komi * 2 != round(self.komi * 2):
            raise ValueError(f"--komi {self.komi}: whole or half points, up to 1000")
        if self.games_out is not None:
            check_packs("--games-out", self.games_out)
