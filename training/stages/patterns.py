"""The command rollout: from recorded games to a linear policy.

Knows the run's folder and its parts: mining patterns, then fitting weights, part by part of the games, each part by as many
threads as there are cores, on the same weights (Niu et al., Hogwild!, 2011). Stopped or killed, it goes on after the last part
that was saved. What a feature is stands in `goengine.patterns`, how one learns in `training.stages.pattern_kernels`.
"""

import dataclasses
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from goengine.core.machine import usable_cores
from goengine.core.options import format_duration
from goengine.core.progress import Progress
from goengine.core.stopping import told_to_stop
from goengine.dataio.records import RecordError
from goengine.patterns.candidates import Patterns
from goengine.patterns.dictionary import most_frequent, new_counts
from goengine.patterns.policy import COLUMNS, MOST, TREE, LinearPolicy, features_of
from goengine.patterns.shipped_policies import PolicyCard, write
from training.core.checkpoint import Counters, RunError, load_state, save_state, write_text
from training.core.command_options import RolloutOptions
from training.core.messages import say, warn
from training.core.run_lock import lock_run
from training.data import packs
from training.data.sampling import Games
from training.stages.pattern_kernels import AdaGrad, FitScratch, PatternCounts, count_patterns, fit, new_fit_scratch

STATE, LOG = "state.safetensors", "log.jsonl"
PARTS = 100  # of the games; the rate falls from part to part
SAVE_SECONDS = 30.0
BEGIN = 1.0  # of the sums of squared gradients: from 0 the weights of rare patterns run away
MINED_AT_ONCE = 500  # games
_SLOTS = (1 << 14, 1 << 22, 1 << 18, 1 << 24)  # of the counts, for the kinds of MOST
_BOUND = ("kind", "games", "size", "mined", "every", "rate", "seed")  # options that a run keeps


@dataclass
class Fit:
    """A fit under way."""

    keys: dict[str, np.ndarray]  # by kind of pattern
    weights: np.ndarray  # float32[features]
    squares: np.ndarray  # float32[features]: sums of squared gradients
    part: int = 0  # the next one
    positions: int = 0  # learned from
    seconds: float = 0.0


def run(config: RolloutOptions) -> bool:
    """Fit. Returns whether the run is complete (False: told to stop; everything is saved).

    Raises RunError if the run cannot begin, go on or be saved; RecordError if no pack can be used.
    """
    config.run.mkdir(parents=True, exist_ok=True)
    lock = lock_run(config.run)
    try:
        return _fitted(config)
    finally:
        lock.release()


def _fitted(config: RolloutOptions) -> bool:
    games = _games(config)
    order = np.random.default_rng(config.seed).permutation(len(games.size))[: config.games]
    scratches = [new_fit_scratch(config.size) for _ in range(config.threads or usable_cores())]
    held_out = packs.load_sizes((config.validation,), warn).get(config.size) if config.validation is not None else None
    with ThreadPoolExecutor(len(scratches), "patterns") as pool:
        workers = Workers(pool, scratches)
        state = _resumed(config) or _begun(config, scratches[0], games, order)
        policy = LinearPolicy(config.kind, **state.keys, weights=state.weights)
        patterns = policy.patterns()
        with told_to_stop() as stop, Progress(f"fit {config.run.name}", PARTS) as bar:
            saved = time.monotonic()
            while state.part < PARTS and not stop.is_set():
                bar.update(state.part, _step(config, workers, games, order, patterns, state))
                if time.monotonic() - saved >= SAVE_SECONDS:
                    _save(config, state)
                    saved = time.monotonic()
        _save(config, state)
        if state.part < PARTS:
            return False
        state.weights[:] = state.weights.astype(np.float16)  # rounded as in the file of the policy: measure what is used
        figures = _measured(config, workers, held_out, patterns, state) if held_out is not None else {}
    _finish(config, state, len(order), figures)
    return True


@dataclass(frozen=True)
class Workers:
    """Threads, each with its own board and tables."""

    pool: ThreadPoolExecutor
    scratches: list[FitScratch]

    def fit(self, games: Games, order: np.ndarray, patterns: Patterns, columns: int, state: Fit, rate: float, learn: int):
        """`training.stages.pattern_kernels.fit` by all threads. Returns float64[3]: positions, best moves named,
        cross-entropies.
        """
        parts = np.array_split(order.astype(np.int64), len(self.scratches))
        rest = (patterns, columns, AdaGrad(state.weights, state.squares, np.float32(rate), learn))
        jobs = [self.pool.submit(fit, games, part, desk, *rest) for part, desk in zip(parts, self.scratches, strict=True)]
        return np.sum([job.result() for job in jobs], axis=0)


def _games(config: RolloutOptions) -> Games:
    """The games of the size asked for. Raises RecordError if there are none."""
    sizes = packs.load_sizes(config.data, warn)
    if config.size not in sizes:
        raise RecordError(f"--size {config.size}: the packs have games of {', '.join(map(str, sizes))} only")
    return sizes[config.size]


def _begun(config: RolloutOptions, desk: FitScratch, games: Games, order: np.ndarray) -> Fit:
    """Mine the patterns; all weights are 0. Only one thread counts, because there is one table of counts."""
    counts = PatternCounts(*(new_counts(slots) for slots in _SLOTS))
    mined = order[: config.mined]
    with Progress(f"mine {config.run.name}", len(mined)) as bar:
        for first in range(0, len(mined), MINED_AT_ONCE):
            count_patterns(games, mined[first : first + MINED_AT_ONCE], config.every, desk, counts)
            bar.update(first, f"{int(counts.answers.used[0]):,} answers, {int(counts.squares.used[0]):,} squares")
    keys = {name: most_frequent(found, MOST[name]) for name, found in zip(MOST, counts, strict=True)}
    if config.kind != TREE:
        keys["diamonds"] = np.zeros(0, np.uint64)
    features = features_of(config.kind, *(len(keys[name]) for name in ("answers", "squares", "diamonds")))
    return Fit(keys, np.zeros(features, np.float32), np.full(features, BEGIN, np.float32))


def _step(config: RolloutOptions, workers: Workers, games: Games, order: np.ndarray, patterns: Patterns, state: Fit) -> str:
    """Learn from the next part. Returns the result in a line, which goes into the log, too."""
    began = time.monotonic()
    rate = config.rate * (1 - state.part / PARTS)
    part = np.array_split(order, PARTS)[state.part]
    positions, right, entropy = workers.fit(games, part, patterns, COLUMNS[config.kind], state, rate, learn=1)
    state.part += 1
    state.positions += int(positions)
    seconds = time.monotonic() - began
    state.seconds += seconds
    told = {"part": state.part, "positions": state.positions, "top1": right / max(positions, 1)}
    told |= {"cross_entropy": entropy / max(positions, 1), "positions_per_second": positions / max(seconds, 1e-9)}
    _log(config, told)
    return f"{told['positions_per_second']:,.0f} positions/s  top1 {told['top1']:.3f}  entropy {told['cross_entropy']:.3f}"


def _measured(config: RolloutOptions, workers: Workers, games: Games, patterns: Patterns, state: Fit) -> dict[str, float]:
    """Figures on held-out games."""
    order = np.arange(min(config.validated, len(games.size)))
    positions, right, entropy = workers.fit(games, order, patterns, COLUMNS[config.kind], state, 0.0, learn=0)
    figures = {"games": len(order), "positions": int(positions)}
    figures |= {"top1": round(float(right / positions), 4), "cross_entropy": round(float(entropy / positions), 4)}
    _log(config, {"validation": figures})
    return figures


def _finish(config: RolloutOptions, state: Fit, games: int, figures: dict[str, float]) -> None:
    """Write the policy and its card. Raises RunError if the disk does not take them."""
    card = PolicyCard(
        kind=config.kind,
        command=_command(config),
        data=tuple(path.name for path in config.data),
        games=games,
        positions=state.positions,
        seconds=round(state.seconds, 1),
        patterns={name: len(keys) for name, keys in state.keys.items()},
        weights=len(state.weights),
        validation=figures,
    )
    try:
        write(config.run, LinearPolicy(config.kind, **state.keys, weights=state.weights), card)
    except OSError as error:
        raise RunError(f"{config.run}: the policy could not be saved: {error.strerror}") from None
    told = "".join(f"  {name} {value:,.4g}" for name, value in figures.items())
    say(f"{state.positions:,} positions of {games:,} games in {format_duration(state.seconds)}{told}")


def _command(config: RolloutOptions) -> str:
    """The command of this fit; of files and folders the names alone."""
    words = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if value is not None and value != field.default:
            every = value if isinstance(value, tuple) else (value,)
            words.append(" ".join((f"--{field.name}", *(one.name if isinstance(one, Path) else str(one) for one in every))))
    return " ".join(("python -m training rollout", *words))


# -- the folder --


def _save(config: RolloutOptions, state: Fit) -> None:
    arrays = {"weights": state.weights, "squares_sum": state.squares}
    arrays |= {f"keys/{name}": keys.view(np.int64) for name, keys in state.keys.items()}
    counters = Counters(step=state.part, samples=state.positions, seconds=state.seconds)
    save_state(config.run / STATE, arrays, counters, _bound(config))


def _resumed(config: RolloutOptions) -> Fit | None:
    """The fit as it was saved, None where there is none. Raises RunError if it was begun with other options.

    What was logged after it is forgotten: those parts come again.
    """
    path = config.run / STATE
    if not path.exists():
        _forget(config, 0)
        return None
    arrays, counters, before = load_state(path)
    for name, value in _bound(config).items():
        if before.get(name) != value:
            raise RunError(
                f"{config.run}: begun with --{name} {before.get(name)}, not {value}; go on so, or take another --run"
            )
    keys = {name: np.array(arrays[f"keys/{name}"]).view(np.uint64) for name in MOST}
    _forget(config, counters.step)
    weights, squares = np.array(arrays["weights"]), np.array(arrays["squares_sum"])
    return Fit(keys, weights, squares, counters.step, counters.samples, counters.seconds)


def _forget(config: RolloutOptions, part: int) -> None:
    """Keep what the log says of the first ``part`` parts."""
    log = config.run / LOG
    if log.exists():
        kept = [line for line in log.read_text(encoding="utf-8").splitlines() if _part_of(line) <= part]
        write_text(log, "".join(line + "\n" for line in kept))


def _part_of(line: str) -> int:
    """The part that a line of the log is about; a number beyond all parts if it names none or was cut off."""
    try:
        return int(json.loads(line).get("part", PARTS + 1))
    except ValueError:
        return PARTS + 1


def _bound(config: RolloutOptions) -> dict[str, object]:
    return {name: getattr(config, name) for name in _BOUND} | {"data": sorted(path.name for path in config.data)}


def _log(config: RolloutOptions, told: dict) -> None:
    with open(config.run / LOG, "a", encoding="utf-8") as file:
        file.write(json.dumps(told) + "\n")
