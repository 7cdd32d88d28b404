"""The learner of a zero run: it trains on the games that self-play makes meanwhile, and publishes nets for them.

Knows what a batch teaches, what is measured, and what self-play is told with each net. Batches of recorded games may stand
between those of self-play. Which games are drawn from is in `training.zero.replay_window`, where nets go in
`training.zero.publishing`. Starts no process, and does not know who plays.
"""

import contextlib
import dataclasses
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from goengine import features
from goengine.core.options import format_duration
from goengine.nets import build, weights_file
from goengine.nets.norms import freeze_batch_norm
from goengine.zero import run_folder
from goengine.zero.run_folder import SizeSettings
from training.core import parallel
from training.core.checkpoint import Counters, plain
from training.core.command_options import TrainingOptions
from training.core.device_feed import Batch, DeviceFeed
from training.core.loop import Numbers, Stage
from training.core.losses import total_loss
from training.core.messages import warn
from training.core.schedule import Schedule
from training.core.setup import Setup
from training.data.sampling import Draw
from training.data.stream import Mixture, Source, pinned, stream
from training.parallel import choice, cluster
from training.stages.supervised import (
    HeldOut,
    RecordedGames,
    device_name,
    fresh_or_loaded,
    loop_config,
    loss_weights,
    predictor,
)
from training.zero.publishing import Story, publish_net
from training.zero.replay_window import Replay, ReplayConfig
from training.zero.row_figures import row_figures
from training.zero.status import figures as selfplay_figures
from training.zero.zero_options import ZeroOptions

HOLD = 2 / 3  # share of the run in which the learning rate stays at its peak
CALIBRATION = 256  # positions of each board size on which the steps of roundings are found
WAIT_SECONDS = 0.5  # between two looks whether a batch can be drawn
PATIENCE = 60.0  # seconds of waiting after which that is said


@dataclass(frozen=True)
class Standing:
    """How the learning of a run stands, to be shown."""

    progress: float  # share of the run that is done, as of the last step
    samples: int  # positions drawn
    shards: int  # that were read
    games: int  # in these
    made: int  # rows (positions with a full search) that were or are learned from
    window: int  # rows that are drawn from now
    waiting: bool  # whether learning waits for games
    komi: Mapping[int, float]  # that would be fair, by board size; without sizes of which too few games are counted
    learner: str = run_folder.LEARNER  # folder of the run in which it learns


OnTick = Callable[[Standing], None]
Publish = Callable[[Mapping[str, np.ndarray], Sequence[SizeSettings], Counters, Mapping[str, object]], object]


class ZeroStage(Stage):
    """Positions of the newest games with what their searches found, and of recorded games if asked for, for
    `training.core.loop`.
    """

    learner = run_folder.LEARNER
    drawn_by_server = True

    def __init__(self, config: ZeroOptions, module: build.Net, replay: Replay, publish: Publish, on_tick: OnTick):
        """publish: called after each checkpoint with (averaged arrays, boards for self-play, counters, data card).

        on_tick: called before every batch, and every half second while there is none. Raises RecordError if recorded games
        cannot be read.
        """
        self.config, self.spec, self.replay = config, module.spec, replay
        self.weights = loss_weights(config, module.spec)
        self.source: Source = replay
        self._recorded: dict[str, object] = {}  # recorded games, as the nets' cards name them
        leads = parallel.leads()  # it alone draws and measures
        if config.data and leads:
            draw = Draw(config.seed, int(config.symmetries), 1, TrainingOptions.vary, TrainingOptions.results)
            games = RecordedGames(config.data, module.spec.features, draw, {})
            self.source = Mixture([replay, games.source], [config.own_share, config.data_share])
            self._recorded = {"recorded": {**games.card, "share": config.data_share}}
        self.held_out = HeldOut(config.validation if leads else None, module.spec.features)
        self._publish, self._on_tick = publish, on_tick
        self.samples = 0

    def batches(self, first_sample: Numbers) -> Generator[Mapping[str, np.ndarray] | None, None, None]:
        """Batches from that sample on; None while self-play must make games first.

        A resumed run draws the same samples as long as the folder holds the same shards. Of several processes that train
        together the first draws for all: it alone knows which shards there are.
        """
        return parallel.scattered(self._drawn(first_sample) if parallel.leads() else None)

    def _drawn(self, first_sample: Numbers) -> Iterator[Mapping[str, np.ndarray] | None]:
        cuda = device_name(self.config).startswith("cuda")
        threads = self.config.sample_threads or 1
        source = stream(self.source, self.config.batch, first_sample, threads=threads, allocate=pinned if cuda else np.zeros)
        patience = _Patience(self.replay)
        if isinstance(first_sample, int):
            self.samples = first_sample
        with contextlib.closing(source):
            for targets in source:
                self._on_tick(self.standing(targets is None))
                patience.see(targets is None and not self.replay.behind)  # a resumed run first reads what is there
                if targets is None:
                    time.sleep(WAIT_SECONDS)
                    yield None
                else:
                    self.samples += self.config.batch
                    yield targets._asdict()

    def standing(self, waiting: bool = False) -> Standing:
        """How things stand."""
        replay = self.replay
        return Standing(
            self.progress,
            self.samples,
            replay.shards,
            replay.games,
            replay.made,
            replay.rows,
            waiting,
            replay.fair_komi,
            self.learner,
        )

    def around(self) -> dict[str, dict[str, float]]:
        """What self-play does meanwhile."""
        return {"selfplay": selfplay_figures(self.config.run, self.replay.rows, self.replay.plies)}

    def loss(self, module: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """The loss of all targets. Boards fill the planes, because a batch has one size."""
        return total_loss(module(batch["planes"], batch["globals"], True), batch, self.weights)

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """Figures on the newest shard of each board size, which nothing was learned from: the searches' policies and the games'
        results, together and by size; and those on recorded games, as games_top1.

        Empty while there is none of either.
        """
        config, predict = self.config, predictor(module, device_feed)
        figures = row_figures(self.replay.newest(), predict, config.validation_positions, config.batch)
        recorded = self.held_out.figures(predict, self.spec.outputs, config.validation_positions, config.batch)
        return figures | {f"games_{name}": value for name, value in recorded.items()}

    def calibration(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Positions (planes, globals) of the newest games of each board size, for `publish_net`; none if it is not to round."""
        samplers = self.replay.newest().values() if self.config.int8 else ()
        drawn = [sampler.batch(0, min(CALIBRATION, len(sampler.rows.position))) for sampler in samplers]
        return [(targets.planes, targets.globals) for targets in drawn]

    def save_net(self, path: Path, arrays: Mapping[str, np.ndarray], counters: Counters, figures: Mapping[str, float]) -> None:
        """Write the averaged net, and publish it with the settings that self-play is to use from now on."""
        komi = self.replay.fair_komi if self.config.fair_komi else {}
        card = {
            "games": self.replay.games,
            "positions": self.replay.made,
            "samples": counters.step * self.config.batch,  # a net that is to take over numbers them from elsewhere
            "seconds": round(counters.seconds, 1),
            "fair_komi": {str(size): value for size, value in komi.items()},
            **self._recorded,
            "validation": {name: value for name, value in figures.items() if np.isfinite(value)},
        }
        weights_file.save(path, arrays, self.spec, step=counters.step, config=plain(self.config), data=card)
        self._publish(arrays, self.config.boards(self.progress, komi), counters, card)


class _Patience:
    """Says on stderr what learning waits for: at once before the first batch, later only after a long wait."""

    def __init__(self, replay: Replay):
        self._replay = replay
        self._since: float | None = None  # when the wait began
        self._patience = 0.0

    def see(self, waiting: bool) -> None:
        """To be called for every batch (False), and for every moment without one (True)."""
        if not waiting:
            self._since, self._patience = None, PATIENCE
            return
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now - self._since < self._patience:
            return
        window, waited = self._replay.awaited, f" for {format_duration(now - self._since)}" if self._patience else ""
        wanted = f"it begins with {window.first_rows:.0f}" if window.made < window.first_rows else "it draws no more often"
        size = f" on {window.size}x{window.size}" if len(self._replay.windows) > 1 else ""
        warn(f"learning waits{waited} for games{size}: {window.made} positions so far, {wanted}")
        self._since, self._patience = now, 10 * PATIENCE


def learn(config: ZeroOptions, run: Path, began: float | None = None, on_tick: OnTick = lambda standing: None) -> bool:
    """Learn from a run folder's games and publish nets there, up to the end of the budget or the steps.

    The folder is made, and holds its first net (`training.zero.publishing.begin`); workers may come and go. Call it in the main
    thread: SIGTERM and SIGINT end it with everything saved and published, also while it waits for games. Returns whether
    the run is complete, False after a signal. began: what `time.monotonic` showed when the command started, where the
    budget begins. on_tick: see `ZeroStage`; what it raises ends the run without a checkpoint. Started by torchrun, all its
    processes learn together, and the first alone uses the folder.

    Raises RunError if another learner is at work in the folder, or a checkpoint cannot be written; RunFolderError if a net
    cannot be published.
    """
    config = config.resolve_defaults()
    if cluster.many(config):
        return cluster.learn(partial(setup, run=run.absolute()), config, began, on_tick)
    if config.threads:
        torch.set_num_threads(config.threads)
    with parallel.joined(device_name(config), choice.ways(config)) as mesh:
        made = setup(config, run, on_tick)
        made.stage.make_strategy = choice.strategy(config, mesh)
        return made.trainer(began).run()


def setup(config: ZeroOptions, run: Path, on_tick: OnTick = lambda standing: None) -> Setup:
    """What the learner of a run trains."""
    module = parallel.first(lambda: fresh_or_loaded(config.net, config.features, config.seed))

    def publish(arrays, boards, counters, card):
        newest = run_folder.newest(run)
        if newest is None or newest.step != counters.step:  # a run that only waited has nothing new to write
            before, step = (newest.samples, newest.step) if newest else (0, 0)
            step = step if step <= counters.step else 0  # a learner whose state was removed begins anew
            samples = before + (counters.step - step) * config.batch  # of all the run's learners
            story = Story(samples, counters.step, plain(config), card)
            publish_net(run, arrays, module.spec, boards, story, graph=config.exports, calibration=stage.calibration())

    stage = ZeroStage(config, module, open_replay(config, run, module.spec.features), publish, on_tick)
    return stage_setup(config, run, module, stage)


def stage_setup(config: ZeroOptions, run: Path, module: build.Net, stage: ZeroStage) -> Setup:
    """The set-up of a stage, in its folder of the run."""
    if config.keep_norms:
        freeze_batch_norm(module)
    if config.only:
        for name, weight in module.named_parameters():
            weight.requires_grad_(name.startswith(f"{config.only}."))
    schedule = Schedule(config.steps, config.budget, config.warmup, hold=HOLD)
    loop = dataclasses.replace(loop_config(config, splits=True), schedule=schedule)
    described = {"options": plain(config), "spec": dataclasses.asdict(module.spec)}
    return Setup(run / stage.learner, module, stage, loop, described)


def open_replay(config: ZeroOptions, run: Path, feature_name: str) -> Replay:
    """The window over a run's shards; none of them is read yet."""
    return Replay(replay_config(config), features.get(feature_name), lambda: run_folder.shard_paths(run), warn)


def replay_config(config: ZeroOptions) -> ReplayConfig:
    """The window's part of the options."""
    config = config.resolve_defaults()
    return ReplayConfig(
        shares=config.shares,
        window=config.window,
        first_rows=config.first_rows,
        uses=config.uses,
        horizon_weight=config.horizon_weight,
        other_komi=config.other_komi,
        seed=config.seed,
        symmetries=config.symmetries,
    )
