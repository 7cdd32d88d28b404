"""A larger net takes over a zero run: it learns from the stored games while workers go on with the present net.

Knows how the larger net's learning begins, when it is good enough, and in which order folders change their names. The present
learner rests meanwhile, and nothing is published. Whoever is as good as the present net on new games, in policy and in value,
becomes the run's learner. How one learns is in `training.zero.learner`.

RUN/learner-next/ the larger net learns here RUN/learner-ready/ it has been found good enough, and is to become RUN/learner
RUN/learner-b4c32/ the learner before, named after its net

Each step is a rename, and `finish_takeover` does what a kill left undone: where there is learner-ready, RUN/learner is the one
before or gone; where the learner's net is of another form than the newest published one, it has yet to be published.
"""

from collections import deque
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from goengine.nets import build, weights_file
from goengine.nets.architecture import file_name, to_text
from goengine.zero import run_folder
from goengine.zero.run_folder import LEARNER, NEXT, PublishedNet
from training.core.checkpoint import Counters, RunError, load_state, save_state
from training.core.device_feed import DeviceFeed
from training.stages.supervised import device_name
from training.zero.learner import OnTick, Standing, ZeroStage, open_replay, stage_setup
from training.zero.publishing import Story, publish_net
from training.zero.replay_window import Replay
from training.zero.zero_options import ZeroOptions

READY = "learner-ready"
MEASUREMENTS = 3  # the last ones, over which both nets' figures are averaged
JUDGED = ("policy", "value_mse")  # figures in which the larger net must not be worse
_NET, _STATE = "net.safetensors", "state.safetensors"

Say = Callable[[str], None]


class _TakesOver(Exception):
    """The larger net is good enough, and its checkpoint is written."""


class Successor(ZeroStage):
    """The learner of a net that is to take over; `ready` says when. It publishes nothing."""

    learner = NEXT

    def __init__(self, config: ZeroOptions, module: build.Net, replay: Replay, present: build.Net, on_tick: OnTick):
        """present: the net to be as good as, on the device. on_tick: see `ZeroStage`."""
        super().__init__(config, module, replay, self._kept, self._watch)
        self._present, self._tick = present, on_tick
        self.measured: deque[tuple[np.ndarray, np.ndarray]] = deque(maxlen=MEASUREMENTS)  # JUDGED of (ours, the present net)
        self.done = False  # whether it is ready, and so is its checkpoint

    @property
    def means(self) -> tuple[np.ndarray, np.ndarray]:
        """Figures of JUDGED of both nets, averaged."""
        return tuple(np.mean([pair[i] for pair in self.measured], axis=0) for i in range(2))

    @property
    def ready(self) -> bool:
        """Whether it has been measured often enough, and is no worse."""
        return len(self.measured) == MEASUREMENTS and bool(np.all(self.means[0] <= self.means[1]))

    def validate(self, module: nn.Module, device_feed: DeviceFeed) -> dict[str, float]:
        """As `ZeroStage`, and what the present net says of the same rows."""
        ours = super().validate(module, device_feed)
        theirs = super().validate(self._present, device_feed)
        if set(JUDGED) <= set(ours):
            self.measured.append(tuple(np.array([figures[name] for name in JUDGED]) for figures in (ours, theirs)))
        return ours | {f"present_{name}": value for name, value in theirs.items()}

    def _kept(self, *_: object) -> None:
        """In place of publishing: note that the checkpoint is whole."""
        self.done = self.ready

    def _watch(self, standing: Standing) -> None:
        if self.done:
            raise _TakesOver
        self._tick(standing)


def succeed(config: ZeroOptions, module: build.Net, began: float, on_tick: OnTick, say: Say) -> bool | None:
    """Let this net learn until it takes over. Returns None if it has, else what the loop returned: whether the run is over.

    Called in the main thread of the process that leads the run; `on_tick` as in `training.zero.learner.learn`. Raises RunError
    if another net learns there already, or as `training.zero.learner.learn`.
    """
    run, present = config.run, run_folder.newest(config.run)
    name, now = to_text(module.spec), weights_file.load(present.folder / _NET)
    if config.threads:
        torch.set_num_threads(config.threads)
    replay = open_replay(config, run, module.spec.features)
    _begin(config, module, replay)
    say(f"{run}: {name} learns from the games of {to_text(now.spec)}, and takes over when it judges new games as well")
    stage = Successor(config, module, replay, now.module().to(device_name(config)), on_tick)
    try:
        ended: bool | None = stage_setup(config, run, module, stage).trainer(began).run()
    except _TakesOver:
        ended = None
    if ended is False or not stage.done:
        if ended:
            say(f"{run}: the run was over before {name} was as good; a longer one goes on with it")
        return ended
    (policy, value), (policy_now, value_now) = stage.means
    say(f"{name} takes over: policy {policy:.3f} against {policy_now:.3f}, value mse {value:.3f} against {value_now:.3f}")
    (run / NEXT).rename(run / READY)
    finish_takeover(config, say)
    return None


def _begin(config: ZeroOptions, module: build.Net, replay: Replay) -> None:
    """Make the folder in which the larger net learns, or go on with the one there is.

    Its clock goes on where the present learner's stands: the budget is the run's. Its samples are numbered as if those of all
    rows that have left the windows had been drawn; so the rule that learning waits for games lets it draw the windows' rows
    as often as any, and no other has to be kept. Raises RunError if a net of another form learns there.
    """
    folder = config.run / NEXT
    if (folder / _STATE).exists():
        found = weights_file.load(folder / _NET).spec
        if found != module.spec:
            raise RunError(f"{folder}: {to_text(found)} learns there; go on with --net {to_text(found)}, or remove that folder")
        return
    while replay.behind:
        replay.look()
    counters = _counters(config.run / LEARNER)
    first = int(config.uses * (replay.made - replay.rows) / config.own_share)
    counters = Counters(0, first, counters.seconds, counters.overhead, counters.reserve)
    folder.mkdir(exist_ok=True)
    weights_file.save(folder / _NET, module, module.spec)
    arrays = weights_file.arrays_of(module)
    both = {f"{part}/{name}": array for part in ("weights", "average") for name, array in arrays.items()}
    save_state(folder / _STATE, both, counters, {"bound": {}})


def _counters(folder: Path) -> Counters:
    """Where the learner of a folder stands."""
    return load_state(folder / _STATE)[1] if (folder / _STATE).exists() else Counters()


def finish_takeover(config: ZeroOptions, say: Say) -> None:
    """Make a net that is good enough the run's learner, and publish it, or whatever of that has not been done yet.

    Does nothing in any other run, nor where there is none. Raises RunFolderError if the newest net is damaged.
    """
    run = config.run
    if (present := run_folder.newest(run)) is None:
        return
    if (run / READY).exists():
        if (run / LEARNER).exists():
            kept = _free(run, f"{LEARNER}-{_name(present)}")
            (run / LEARNER).rename(kept)
            say(f"the learner before is kept in {kept}")
        (run / READY).rename(run / LEARNER)
    if not (run / LEARNER / _NET).exists():
        return
    candidate = weights_file.load(run / LEARNER / _NET)
    if candidate.spec != weights_file.load(present.folder / _NET).spec:
        # Played as the net before: what depends on how far the run is comes with the next one.
        samples = present.samples + int(candidate.meta.data.get("samples", 0))
        story = Story(samples, candidate.meta.step, candidate.meta.config, candidate.meta.data)
        net = publish_net(run, candidate.arrays, candidate.spec, present.boards, story, graph=config.exports)
        say(f"net {net.name} is the first of {to_text(candidate.spec)}")


def _name(net: PublishedNet) -> str:
    return file_name(to_text(weights_file.load(net.folder / _NET).spec))


def _free(run: Path, name: str) -> Path:
    """A folder of that name, or with a number behind, that is not there yet."""
    number, path = 1, run / name
    while path.exists():
        number += 1
        path = run / f"{name}-{number}"
    return path
