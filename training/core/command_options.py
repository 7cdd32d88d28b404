"""The options of each training command: every default, once. Imports no torch, so that help and errors come at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.core.options import MOST_THREADS, Seconds, option
from goengine.nets.architecture import ArchitectureError, check, file_name, is_architecture
from training.core.schedule import Schedule
from training.core.split_options import SplitOptions
from training.core.worker_options import ManyWorkers


def check_packs(name: str, *paths: Path) -> None:
    """Raises ValueError if one of the files cannot be a pack by its name."""
    for path in paths:
        if path.suffix != ".npz":
            raise ValueError(f"{name} {path}: not a pack (NAME.npz); the command pack makes one from SGF files")


def board_shares(text: str, name: str = "--sizes") -> dict[int, float]:
    """Shares by board size from a text such as 19=0.8,9=0.2; a size without one has the share 1. name: of the option.

    Raises ValueError if it is not of that form.
    """
    shares: dict[int, float] = {}
    for part in text.split(",") if text else ():
        size, equals, share = part.partition("=")
        try:
            number, value = int(size), float(share) if equals else 1.0
        except ValueError:
            raise ValueError(f"{name} {text}: expected SIZE=SHARE with commas between, such as 19=0.8,9=0.2") from None
        if number in shares or not 0 < value < float("inf"):
            raise ValueError(f"{name} {text}: a share is a number above 0, one for each size")
        shares[number] = value
    return shares


def keeps_norms(asked: bool | None, net: str, sorts: int) -> bool:
    """What --keep-norms comes to for an architecture or weights file that learns from so many sorts of batches."""
    return sorts > 1 and not is_architecture(net) if asked is None else asked


@dataclass(frozen=True)
class PackOptions:
    """Pack SGF files and collections (.sgf, .sgfs, .xz) and shards of self-play (.npz) into one file for training."""

    sources: tuple[Path, ...] = option(help="files to read")
    out: Path = option(help="file to write, NAME.npz")
    owners: bool = option(True, "judge who owns each point at the end of counted games")
    part: Literal["all", "learned", "held-out"] = option(
        "all", "which games: of those that the command ranked learns from, or of the tenth that it holds out"
    )

    def __post_init__(self) -> None:
        if self.out.suffix != ".npz":
            raise ValueError(f"--out {self.out}: a pack is named NAME.npz")


@dataclass(frozen=True)
class EvaluateOptions:
    """Measure how well a net predicts recorded games: next moves and results."""

    games: tuple[Path, ...] = option(help="packs (.npz), SGF files or collections")
    net: str = option("", "a shipped net's name, or a path; the default net if empty")
    positions: int | None = option(None, "measure so many, drawn at random, instead of all", least=1)
    batch: int = option(64, "positions per call of the net", least=1)
    device: str = option(
        "auto", "cpu (OpenVINO), torch-cpu, cuda, several for a net in parts (cuda:0+cuda:1); auto: a GPU if there is one"
    )
    precision: Literal["auto", "f32", "bf16", "f16", "int8"] = option("auto", "number format")
    threads: int = option(0, "threads of the net on a CPU; 0: its own choice", most=MOST_THREADS)
    symmetries: int = option(1, "views of each position whose answers are averaged, 1 to 8", least=1, most=8)
    seed: int = option(0, "of the draw")
    phases: bool = option(False, "tell the value's error by phase of the game, and before the end of games not counted")
    json: bool = option(False, "print one JSON object")
    reliability: Path | None = option(None, "draw predicted against actual win rates here (.svg or .png), and print them")

    def __post_init__(self) -> None:
        if self.batch < 1 or (self.positions is not None and self.positions < 1):
            raise ValueError("batch and positions must be at least 1")
        if not 1 <= self.symmetries <= 8:
            raise ValueError(f"--symmetries {self.symmetries}: there are 1 to 8 views of a position")


@dataclass(frozen=True, kw_only=True)
class CountOptions:
    """Measure how well the engine counts finished games: its score of the last position against the recorded result."""

    games: tuple[Path, ...] = option(help="SGF files or collections; games that ended with a score are counted")
    net: str = option("", "a shipped net's name, or a path; the default net for the board if empty")
    owners: Literal["card", "both", "playouts"] = option(
        "card", "who owns a point is told by playouts alone, by the net, too (both), or as the net's card says"
    )
    limit: int | None = option(None, "count so many games, the first", least=1)
    playouts: int = option(300, "random playouts for each position", least=2)
    json: bool = option(False, "print one JSON object")


@dataclass(frozen=True, kw_only=True)
class LoopedOptions:
    """What every command takes that changes a net step by step (`training.core.loop`)."""

    run: Path = option(help="folder of the run: checkpoints, log, the net")
    budget: Seconds | None = option(
        None, "end after this time, 25m or 2h, with start-up and the last checkpoint; the learning rate falls towards it"
    )
    steps: int | None = option(None, "stop after so many steps; with both, whichever comes first")
    batch: int = option(256, "positions per step", least=1)
    optimizer: Literal["sgd", "adamw", "muon"] = option("sgd", "kind of optimizer")
    rate: float | None = option(None, "peak learning rate; each optimizer has its own default")
    decay: float | None = option(None, "weight decay; each optimizer has its own default")
    warmup: float = option(0.01, "share of the run in which the rate rises", most=1)
    clip: float = option(4.0, "longest gradient")
    average: float = option(0.999, "decay of the averaged weights, which are the result", most=1)
    seed: int = option(1, "of the first weights and of the order of samples")
    threads: int | None = option(None, "threads of the net on a CPU; by default all cores", least=1, most=MOST_THREADS)
    device: str = option("auto", "cpu, cuda, cuda:1; auto takes a GPU where there is one")
    half: bool | None = option(None, "compute in bfloat16; by default where the GPU or CPU has it")
    compile: bool | None = option(None, "let torch compile the net first, which takes a minute; by default on a GPU")
    save_every: Seconds = option(Seconds(300), "time between checkpoints")
    validate_every: Seconds = option(Seconds(600), "time between measurements")
    log_every: int = option(50, "steps between two lines of the log", least=1)

    def __post_init__(self) -> None:
        Schedule(self.steps, self.budget, self.warmup)
        if self.batch < 1 or self.log_every < 1:
            raise ValueError("--batch and --log-every must be at least 1")
        for name in ("save_every", "validate_every"):
            every = getattr(self, name)
            if every is not None and every <= 0:  # None: settled later
                raise ValueError(f"--{name.replace('_', '-')} must be a time above 0, such as 5m")


@dataclass(frozen=True, kw_only=True)
class LearningOptions(SplitOptions, LoopedOptions):
    """What every command takes that trains a net on positions with all that is known of them."""

    value_weight: float = option(0.7, "weight of the result in the loss")
    opponent_weight: float = option(0.15, "weight of the opponent's reply")
    score_weight: float = option(0.05, "weight of the score")
    stdev_weight: float = option(0.02, "weight of the score's deviation")
    ownership_weight: float = option(0.25, "weight of who owns each point at the end")
    symmetries: bool = option(True, "show each position through a random symmetry")
    keep_norms: bool | None = option(
        None,
        "normalise by the statistics that the net came with, not by each batch's; by default where a trained net learns from "
        "batches of several sorts",
    )
    validation_positions: int = option(4096, "positions of a measurement", least=1)

    def __post_init__(self) -> None:
        LoopedOptions.__post_init__(self)
        SplitOptions.__post_init__(self)
        parts = self.microbatches if self.parallel == "pipeline" else self.accumulate
        if self.batch % parts:
            raise ValueError(f"--batch {self.batch} cannot be cut into {parts} equal parts")


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(LearningOptions):
    """What every command that trains on recorded games takes."""

    data: tuple[Path, ...] = option(help="packed games (see the command pack)")
    validation: Path | None = option(None, "packed games that are only measured")
    results: float = option(0.0, "positions of a game that teach its result in a pass, on average; 0: all")
    sizes: str = option("", "share of batches by board size, 19=0.8,9=0.2; by default in proportion to positions")
    vary: float = option(0.5, "share of samples shown under other rules and komi, with the result they give", most=1)
    workers: int | None = option(
        None, "threads that make batches; by default 1, on a machine with a GPU half of its cores", least=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_packs("--data", *self.data)
        check_packs("--validation", *([self.validation] if self.validation else []))
        board_shares(self.sizes)
        if not self.results >= 0:
            raise ValueError(f"--results {self.results}: a number of positions, 0 for all")
        if self.workers is not None and self.workers < 1:
            raise ValueError("workers must be at least 1")


@dataclass(frozen=True)
class TrainingBenchOptions:
    """Measure how fast this machine makes training samples and trains on them, and whether training waits for samples."""

    data: tuple[Path, ...] = option((), "packs to draw from; by default random games, made for this")
    sizes: tuple[int, ...] = option((19,), "board sizes of random games", least=2, most=25)
    net: str = option("b4c64", "an architecture (a preset such as b4c64, or a text such as c96:rrgrdgrr), or a weights file")
    batch: int = option(256, "positions per step", least=1)
    optimizer: Literal["sgd", "adamw", "muon"] = option("muon", "kind of optimizer")
    workers: int | None = option(
        None, "threads that make batches; by default all cores for samples alone, as in training else", least=1
    )
    threads: int | None = option(None, "threads of the net on a CPU; by default all cores", least=1, most=MOST_THREADS)
    device: str = option("auto", "cpu, cuda, cuda:1; auto takes a GPU where there is one")
    half: bool | None = option(None, "compute in bfloat16; by default where the GPU or CPU has it")
    compile: bool | None = option(None, "let torch compile the net first; by default on a GPU")
    seconds: float = option(3.0, "how long each figure is measured", most=3600)
    steps: bool = option(True, "measure training steps too")
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        check_packs("--data", *self.data)
        if not 0 < self.seconds <= 3600 or self.batch < 1 or (self.workers is not None and self.workers < 1):
            raise ValueError("seconds, batch and workers must be above 0, seconds at most 3600")
        if not self.sizes or not all(2 <= size <= 25 for size in self.sizes):
            raise ValueError("--sizes takes board sizes from 2 to 25")


@dataclass(frozen=True, kw_only=True)
class SupervisedOptions(TrainingOptions, ManyWorkers):
    """Train a net to predict the moves and results of recorded games; the same command goes on where a run stopped."""

    net: str = option("b4c64", "an architecture (b4c64, c96:rrgrdgrr ...) for a fresh net, or a weights file to begin with")
    features: str = option("zero", "feature set of a fresh net")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_workers(self.batch)


@dataclass(frozen=True, kw_only=True)
class TaughtOptions(TrainingOptions):
    """What every command takes that lets a net learn from another one, its teacher, beside the games."""

    hard_weight: float = option(0.3, "weight of the move played in the game")
    teacher_weight: float = option(1.0, "weight of the teacher's policy")
    soft_weight: float = option(0.25, "weight of its softened policy, before the factor temperature squared")
    temperature: float = option(4.0, "of the softened policy")
    trust: float = option(
        0.7, "share of the teacher in the targets of value, score and ownership; the game has the rest", most=1
    )
    teacher_views: int = option(
        1, "symmetries of each position over which the teacher's answers are averaged, an ensemble of up to 8", least=1, most=8
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.teacher_views <= 8:
            raise ValueError(f"--teacher-views {self.teacher_views}: there are 1 to 8 views of a position")
        if not 0 <= self.trust <= 1:
            raise ValueError(f"--trust {self.trust}: is a share of one")
        if not self.temperature > 0:
            raise ValueError(f"--temperature {self.temperature}: must be above 0")


@dataclass(frozen=True, kw_only=True)
class DistillOptions(TaughtOptions, SupervisedOptions):
    """Train a small net on what a larger one, its teacher, says of the positions of recorded games."""

    teacher: Path = option(help="weights file of the net to learn from; it must see the same features")
    hint_weight: float = option(0.0, "weight of the distance to the middle of the teacher's trunk; 0: no hints")
    hint_share: float = option(0.3, "share of the run over which hints fade out", most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.hint_share <= 1:
            raise ValueError(f"--hint-share {self.hint_share}: is a share of the run")


@dataclass(frozen=True, kw_only=True)
class CodistillOptions(TaughtOptions, SupervisedOptions):
    """Train a net on recorded games and, in the same steps, smaller ones that learn from what it says: its students."""

    students: tuple[str, ...] = option(help="architectures of fresh nets, or weights files to begin with")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.teacher_views > 1:
            raise ValueError("--teacher-views: a teacher that learns in the same steps answers one view; distill takes several")
        names = [student_name(student) for student in self.students]
        if len(set(names)) != len(names):
            raise ValueError(f"--students {' '.join(self.students)}: their names must differ")
        if TEACHER in names:
            raise ValueError(f"--students: one is named {TEACHER}, which is the name of --net here; rename its file")


TEACHER = "teacher"  # name of the net that teaches, among those trained together


def student_name(student: str) -> str:
    """What a student is called: its architecture as a file may be named, or its file's name without ending."""
    if is_architecture(student):
        return file_name(student)
    return Path(student).stem.replace(".", "-")


@dataclass(frozen=True, kw_only=True)
class QuantizeOptions(TaughtOptions):
    """Train a net on until it loses little when it computes on 8-bit integers, taught by what it said before."""

    weights: Path = option(help="the net (net.safetensors of a run)")
    teacher: Path | None = option(None, "weights file of a stronger net to learn from; by default the net as it was")
    calibration: int = option(512, "training positions that the steps of roundings are found on", least=1)
    rate: float | None = option(0.001, "peak learning rate; more shakes the net before it helps")
    average: float = option(0.99, "decay of the averaged weights, which are the result", most=1)
    hard_weight: float = option(0.0, "weight of the move played in the game")
    trust: float = option(
        1.0, "share of the teacher in the targets of value, score and ownership; the game has the rest", most=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.calibration < 1:
            raise ValueError(f"--calibration {self.calibration}: at least one position is needed")


@dataclass(frozen=True, kw_only=True)
class RolloutOptions:
    """Fit a linear policy over small patterns to recorded games: the first AlphaGo's rollout policy, or its tree policy."""

    data: tuple[Path, ...] = option(help="packed games (see the command pack)")
    run: Path = option(help="folder of the run: its state, log and the policy")
    validation: Path | None = option(None, "packed games that are only measured")
    kind: Literal["rollout", "tree"] = option("rollout", "rollout: fast enough for rollouts; tree: knows more of each move")
    games: int | None = option(None, "learn from so many games, drawn at random; by default from all", least=1)
    size: int = option(19, "board size of the games that are used", least=2, most=25)
    mined: int = option(20_000, "of these games, so many tell which patterns are frequent", least=1)
    every: int = option(5, "patterns are counted in every so-many-th position", least=1)
    rate: float = option(1.0, "learning rate at the beginning; it falls to 0")
    validated: int = option(500, "games that are measured", least=1)
    seed: int = option(1, "of the order of games")
    threads: int | None = option(
        None,
        "by default one per core; their steps mix by chance, so only one repeats a fit exactly",
        least=1,
        most=MOST_THREADS,
    )

    def __post_init__(self) -> None:
        check_packs("--data", *self.data)
        check_packs("--validation", *([self.validation] if self.validation else []))
        for name in ("games", "mined", "every", "validated", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name} must be at least 1")
        if not 0 < self.rate < float("inf"):
            raise ValueError(f"--rate {self.rate}: must be above 0")


@dataclass(frozen=True, kw_only=True)
class GrowOptions:
    """Let a trained net grow: new blocks behind its own, or new inputs, that do nothing yet, to be trained on."""

    weights: Path = option(help="the net to grow (net.safetensors of a run)")
    net: str = option("", "its architecture afterwards: the one it has with more blocks behind, such as b6c64 or c64:rrgrgr")
    features: str = option("", "feature set that it sees afterwards: one that begins with its own, such as zero_ranked")
    out: Path = option(help="weights file to write")
    seed: int = option(0, "of the new blocks")

    def __post_init__(self) -> None:
        if bool(self.net) == bool(self.features):
            raise ValueError("either --net, for more blocks, or --features, for more inputs")
        try:
            if self.net:
                check(self.net)
        except ArchitectureError as error:
            raise ValueError(f"--net {error}") from None


@dataclass(frozen=True)
class ReviveOptions:
    """Bring silent hidden units of a net's value head back to life: it says the same, and can learn more."""

    weights: Path = option(help="the net (net.safetensors of a run or of a shipped net)")
    data: tuple[Path, ...] = option(help="packed games or self-play shards: on their positions a unit is silent or not")
    out: Path = option(help="weights file to write")
    positions: int = option(2048, "positions to listen to, of all board sizes alike", least=1, most=1 << 20)
    seed: int = option(0, "of the positions and the fresh weights")


@dataclass(frozen=True)
class RestemOptions:
    """Let a trained net see another feature set: its first convolution is fitted by least squares, all behind it stays."""

    weights: Path = option(help="the net (net.safetensors of a run or of a shipped net)")
    features: str = option(help="feature set that it sees afterwards, such as lee48")
    data: tuple[Path, ...] = option(help="packed games or self-play shards: the positions that are shown in both ways")
    out: Path = option(help="weights file to write")
    heads: Literal["both", "policy", "value"] = option("both", "heads that it keeps")
    positions: int = option(4096, "positions, of all board sizes alike", least=1, most=1 << 20)
    seed: int = option(0, "of the positions")


@dataclass(frozen=True)
class Export:
    """Write a net as an ONNX file, for other programs: planes and globals in, policy, value, score and ownership out."""

    weights: Path = option(help="the net (net.safetensors of a run or of a shipped net)")
    out: Path = option(help="file to write, NAME.onnx")

    def __post_init__(self) -> None:
        if self.out.suffix != ".onnx":
            raise ValueError(f"--out {self.out}: an ONNX file is named NAME.onnx")


@dataclass(frozen=True)
class ShipOptions:
    """Make the shipped form of a net: float16, OpenVINO and int8 files, measured on held-out games, with a card."""

    weights: Path = option(help="the net of a run (net.safetensors)")
    name: str = option(help="name of the shipped net")
    games: Path = option(help="a pack of held-out games, to measure")
    calibration_games: Path | None = option(
        None, "a pack of training games: int8 steps are found on positions of each of its board sizes"
    )
    int8: Path | None = option(None, "the net trained with roundings (net.safetensors of quantize), for the int8 form")
    folder: Path | None = option(None, "where shipped nets lie; if not given, your own folder, where --net NAME finds them")
    description: str = option("", "what the net is, in a sentence")
    command: str = option("", "the command that trained it")
    strength: str = option("", "how strong it was measured to be, and how")
    proven: tuple[Literal["value", "score", "ownership"], ...] = option(("value",), "heads that may be trusted")
    sizes: tuple[int, ...] = option((19,), "board sizes that it was trained on", least=2, most=25)
    rank: int = option(0, "of the nets for a size, the highest rank is the default", least=None)
    form: Literal["", "int8"] = option("", "int8: the quantized form plays where nothing else is asked for")
    calibration: int = option(512, "positions of the calibration games that are used, of all board sizes together", least=1)
    positions: int = option(20_000, "held-out positions to measure on", least=1)
    threads: int = option(0, "threads of the net; 0: its own choice", most=MOST_THREADS)
    seed: int = option(0, "of the draws")

    def __post_init__(self) -> None:
        if not self.name or self.name in ("uniform", "lee") or Path(self.name).name != self.name:
            raise ValueError(f"--name {self.name}: a net's name is one plain word, and neither 'uniform' nor 'lee'")
        check_packs("--games", self.games)
        check_packs("--calibration-games", *([self.calibration_games] if self.calibration_games else []))
        if self.calibration_games and self.int8:
            raise ValueError("--calibration-games finds the steps of roundings, --int8 brings its own: give one of them")
        if not self.sizes or not all(2 <= size <= 25 for size in self.sizes):
            raise ValueError("--sizes takes board sizes from 2 to 25")
