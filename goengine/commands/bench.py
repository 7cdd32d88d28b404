"""The command `goengine bench`: the speed of every part on this machine, at 9x9 and 19x19.

Each figure is the best of several short runs, because what disturbs a measurement only slows it down. Compares nothing and
judges nothing: results with the machine they ran on belong into benchmarks/.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np

from goengine import features
from goengine.board import playout
from goengine.board.game_kernels import game_play
from goengine.board.position import Position
from goengine.board.random import new_generator
from goengine.board.rules import Rules
from goengine.board.state import BLACK, NONE, TO_PLAY, Game, copy_game, new_board, new_game
from goengine.commands import review_bench
from goengine.commands.encoding_bench import encoding_of_leaves
from goengine.commands.search_bench import search_figures
from goengine.core import machine
from goengine.core.figures import Figure
from goengine.core.options import MOST_THREADS, option, parse
from goengine.core.tables import short, table
from goengine.evaluators import shipped_nets
from goengine.evaluators.base import Batch, Evaluator, EvaluatorError
from goengine.evaluators.load import LEE as LEE_NETS
from goengine.evaluators.load import load
from goengine.features import lee, zero
from goengine.nets.safetensors_file import WeightsError
from goengine.patterns import shipped_policies as policies
from goengine.patterns.policy import ROLLOUT, PolicyError
from goengine.patterns.rollout import new_rollouts, play_rollouts
from goengine.player.generations import Lee
from goengine.search.params import PLAY, Limits, SearchParams
from goengine.search.search import Search
from goengine.search.tree_bench import overhead

RUNS = 3  # each figure is the best of so many
BATCHES = (1, 8, 32)
# (figure, feature set, its kernel)
ENCODINGS = (
    ("encoding, with ladders", "zero", zero.encode),
    ("encoding, without", "zero", zero.encode_without_ladders),
    ("encoding by lee48", "lee48", lee.encode),
    ("encoding by lee49", "lee49", lee.encode_with_color),
)
_PLAYED = ("OpenVINO bf16", "OpenVINO int8", "torch CUDA bf16")  # what one plays with; the others are for comparison


@dataclass(frozen=True)
class BenchOptions:
    """Measure the speed of every part of the engine on this machine."""

    seconds: float = option(1.0, "how long each figure is measured", most=3600)
    sizes: tuple[int, ...] = option((9, 19), "board sizes", least=2, most=25)
    net: str = option("", "a shipped net, or the folder of one; by default the one that would be played")
    threads: int = option(1, "threads of a net; 0 = all cores", most=MOST_THREADS)
    selfplay: bool = option(True, "measure games of the net against itself too")
    training: bool = option(True, "measure training samples and steps too, where torch is installed")
    json: bool = option(False, "write JSON")

    def __post_init__(self) -> None:
        if not 0 < self.seconds <= 3600:
            raise ValueError(f"--seconds: expected more than 0 and at most 3600, not {self.seconds:g}")
        if not all(2 <= size <= 25 for size in self.sizes):
            raise ValueError("--sizes: board sizes are 2 to 25")


def main(argv: list[str] | None = None) -> int:
    """Run the command."""
    options = parse(BenchOptions, argv, "goengine bench")
    found = []
    for figure in measure(options):
        found.append(figure)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{figure.part} {figure.size}x{figure.size}: {short(figure.value)} {figure.unit}")
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    here = machine.describe()
    if options.json:
        data = {"machine": asdict(here), "options": asdict(options), "figures": [asdict(figure) for figure in found]}
        sys.stdout.write(json.dumps(data, indent=1) + "\n")
    else:
        sys.stdout.write(_text(here, options, found))
    return 0


def measure(options: BenchOptions) -> Iterator[Figure]:
    """All figures, one after the other."""
    seconds = options.seconds / RUNS
    for size in options.sizes:
        yield Figure("random playouts", size, playouts_per_second(size, seconds), "1/s")
        yield from rollout_figures(size, seconds)
        games = games_along(size)
        for part, name, encode in ENCODINGS:
            yield Figure(part, size, encodings_per_second(games, name, encode, seconds), "positions/s")
        rate, times = encoding_of_leaves(size, options.seconds)
        yield Figure("encoding along searches, with ladders", size, rate, "positions/s")
        yield Figure("encoding along searches, against plain", size, times, "times the plain encoder")
        yield Figure("search without net and encoding", size, 1e6 * overhead(size), "µs/visit")
        for label, evaluator in _evaluators(options, size):
            for rows in BATCHES:
                rate = evaluations_per_second(evaluator, batch_of_games(evaluator, games[:rows]), seconds)
                yield Figure(f"{label}, batch {rows}", size, rate, "evaluations/s")
            if label.endswith(_PLAYED):
                yield Figure(f"search with {label}", size, visits_per_second(evaluator, size, seconds), "visits/s")
            evaluator.close()
        yield from kept_figures(options, size, games[: BATCHES[-1]], seconds)
        yield from review_figures(options, size)
        yield from lee_figures(options, size, seconds)
    common = ["--seconds", str(options.seconds), "--sizes", *map(str, options.sizes)]
    if options.selfplay:
        threads = str(options.threads or machine.usable_cores())
        yield from figures_of("selfplay", ["--net", options.net, "--threads", threads, *common])
    if options.training and machine.installed("torch"):
        yield from figures_of("training", common)


def figures_of(package: str, arguments: list[str]) -> Iterator[Figure]:
    """What the command bench of a package measures, in a process of its own: nothing here may know those packages."""
    command = [sys.executable, "-m", package, "bench", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        sys.stderr.write(f"goengine bench: {package} left out: {last}\n")
        return
    for figure in json.loads(done.stdout)["figures"]:
        yield Figure(**figure)


def best_rate(run: Callable[[], int], seconds: float, runs: int = RUNS) -> float:
    """Units per second, the best of `runs` stretches of `seconds`; `run()` does some work and returns the units done."""
    run()
    best = 0.0
    for _ in range(runs):
        start, done = time.perf_counter(), 0
        while (elapsed := time.perf_counter() - start) < seconds or not done:
            done += run()
        best = max(best, done / elapsed)
    return best


def playouts_per_second(size: int, seconds: float) -> float:
    """Random playouts from the empty board, who owns what counted at the end of each."""
    board, scratch, generator = new_board(size), new_board(size), new_generator(1)
    owned = np.zeros(size * size, np.int64)

    def run() -> int:
        playout.playouts(board, scratch, BLACK, generator, 100, owned)
        return 100

    return best_rate(run, seconds)


def rollout_figures(size: int, seconds: float) -> Iterator[Figure]:
    """Rollouts by the shipped rollout policy from the empty board, who owns what counted too; nothing where none is shipped."""
    try:
        factors = policies.read_policy(ROLLOUT).factors()
    except PolicyError as error:
        sys.stderr.write(f"goengine bench: rollouts left out: {error}\n")
        return
    board, rollouts, generator, moves = new_board(size), new_rollouts(size, factors), new_generator(1), []

    def run() -> int:
        moves.append(play_rollouts(board, rollouts, NONE, BLACK, generator, 50)[1])
        return 50

    rate = best_rate(run, seconds)
    yield Figure("rollouts by small patterns", size, rate, "1/s")
    yield Figure("a move of such a rollout", size, 1e6 * 50 * len(moves) / (rate * sum(moves)), "µs")


def games_along(size: int, count: int = 64) -> list[Game]:
    """Games at `count` moments of random games, up to the middle of a game's usual length."""
    generator, found = new_generator(7), []
    while len(found) < count:
        game = new_game(size)
        for ply in range(size * size // 2):
            if ply % 8 == 7 and len(found) < count:
                copy = new_game(size)
                copy_game(copy, game)
                found.append(copy)
            color = game.status[TO_PLAY]
            game_play(game, playout.random_move(game.board, color, generator), color)
    return found


def encodings_per_second(games: list[Game], name: str, encode: Callable[..., None], seconds: float) -> float:
    """Positions that `encode`, a kernel of the feature set `name`, encodes."""
    chosen, size = features.get(name), int(games[0].board.info[0])
    scratch, rules = chosen.new_scratch(size), Rules().code()
    planes, values = np.zeros((chosen.planes, size, size), np.float32), np.zeros(chosen.globals, np.float32)

    def run() -> int:
        for game in games:
            encode(game, rules, scratch, planes, values)
        return len(games)

    return best_rate(run, seconds)


def evaluations_per_second(evaluator: Evaluator, batch: Batch, seconds: float) -> float:
    """Rows answered, one batch after the other."""

    def run() -> int:
        evaluator.evaluate(batch)
        return batch.rows

    return best_rate(run, seconds)


def batch_of_games(evaluator: Evaluator, games: list[Game]) -> Batch:
    """The games' positions, encoded for the evaluator; the keys say that nothing may be cached."""
    chosen, size = features.get(evaluator.features), int(games[0].board.info[0])
    encoded = [chosen.encode_one(game, Rules().code(), size) for game in games]
    planes, values = (np.stack(arrays).astype(np.float32) for arrays in zip(*encoded, strict=True))
    return Batch(planes, values, np.zeros(len(encoded), np.uint64))


def visits_per_second(evaluator: Evaluator, size: int, seconds: float, params: SearchParams = PLAY) -> float:
    """Visits of a search from the empty board, without a cache."""
    best, search = 0.0, Search(evaluator, params, seed=1)
    for run in range(RUNS + 1):  # the first one warms up
        search.set_position(Position(size))
        search.clear()
        result = search.run(Limits(seconds=seconds if run else seconds / 4))
        best = max(best, result.playouts / result.seconds) if run else best
    return best


def kept_figures(options: BenchOptions, size: int, games: list[Game], seconds: float) -> Iterator[Figure]:
    """What the search keeps of the speed of the net that would be played on the CPU; nothing where none is shipped."""

    def net(threads: int) -> Evaluator:
        return load(options.net, size=size, device="cpu", threads=threads)

    try:
        yield from search_figures(net, lambda evaluator: batch_of_games(evaluator, games), size, seconds)
    except EvaluatorError as error:
        sys.stderr.write(f"goengine bench: the search's share left out: {error}\n")


def review_figures(options: BenchOptions, size: int) -> Iterator[Figure]:
    """How long the analysis of a whole game takes on all cores, as reviews use them; nothing where no net is shipped."""
    if not (options.net or shipped_nets.names()):
        return
    try:
        yield from review_bench.figures(options.net or None, size, options.seconds)
    except EvaluatorError as error:
        sys.stderr.write(f"goengine bench: the review of a game left out: {error}\n")


def lee_figures(options: BenchOptions, size: int, seconds: float) -> Iterator[Figure]:
    """The first AlphaGo's search, one thread of rollouts beside those of its nets; nothing where these are not shipped."""
    whole, threads = Lee(), options.threads or machine.usable_cores()
    try:
        with load(LEE_NETS, size=size, device="cpu", threads=whole.net_threads(threads)) as nets:
            rate = visits_per_second(nets, size, seconds, whole.params(threads))
        yield Figure(f"search with rollouts and {nets.name}", size, rate, "visits/s")
    except (EvaluatorError, PolicyError) as error:
        sys.stderr.write(f"goengine bench: the first AlphaGo left out: {error}\n")


def _evaluators(options: BenchOptions, size: int) -> Iterator[tuple[str, Evaluator]]:
    """(label, evaluator) for every backend that can play the net here; nothing where no net is shipped."""
    try:
        name = options.net or shipped_nets.default(size)
    except WeightsError as error:
        sys.stderr.write(f"goengine bench: {error}\n")
        return
    kinds = [("cpu", "f32"), ("cpu", "bf16")]
    kinds += [("cpu", "int8")] if _has_int8(name) else []
    kinds += [("torch-cpu", "f32"), ("torch-cpu", "bf16"), ("cuda", "bf16")] if machine.installed("torch") else []
    for device, precision in kinds:
        try:
            evaluator = load(name, device=device, precision=precision, threads=options.threads)
        except EvaluatorError as error:
            if device != "cuda":
                sys.stderr.write(f"goengine bench: {device} {precision} left out: {error}\n")
            continue
        backend = "OpenVINO" if device == "cpu" else "torch" if device == "torch-cpu" else "torch CUDA"
        yield f"{evaluator.name} on {backend} {precision}", evaluator


def _has_int8(name: str) -> bool:
    return name in shipped_nets.names() and f"{name}-int8.xml" in shipped_nets.read(name).files


def _text(here: machine.Machine, options: BenchOptions, found: list[Figure]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in here.versions.items())
    threads = "all cores" if options.threads == 0 else f"{options.threads} thread{'s' * (options.threads != 1)}"
    lines = [
        f"{here.processor}, {here.cores} cores, {here.memory:.0f} GiB; load {here.load:.1f}; nets on {threads}",
        f"{here.system}; Python {here.python}, {versions}",
        "",
    ]
    by_part: dict[tuple[str, str], dict[int, float]] = {}
    for figure in found:
        by_part.setdefault((figure.part, figure.unit), {})[figure.size] = figure.value
    rows = [
        (part, *(short(values[size]) if size in values else "" for size in options.sizes), unit)
        for (part, unit), values in by_part.items()
    ]
    header = ("", *(f"{size}x{size}" for size in options.sizes), "")
    return "\n".join(lines) + "\n" + table(rows, header=header)
