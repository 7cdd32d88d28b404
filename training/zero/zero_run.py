"""The command zero: a run from its first net to its last, on one machine.

Knows the run's folder, which processes belong to a run, and what to say of it while it goes. Self-play is another program
(`python -m selfplay worker`), of which it knows the command line; learning is `training.zero.learner`, ratings are
`training.zero.rating`.
"""

import dataclasses
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from goengine.arena.log import LogError
from goengine.core.machine import importable
from goengine.evaluators.base import EvaluatorError
from goengine.zero import run_folder
from goengine.zero.run_folder import RunFolderError
from training.core import launch
from training.core.checkpoint import RunError
from training.core.messages import say
from training.core.run_lock import lock_run
from training.zero import anchors, division, rating, status
from training.zero.processes import ProcessGroup, WatchedProcess
from training.zero.rating import RatingGames
from training.zero.zero_options import Rate, ZeroOptions

if TYPE_CHECKING:
    from goengine.nets import build
    from training.zero.learner import Standing

TICK_SECONDS = 1.0  # between two looks at processes and nets
SAY_SECONDS = 60.0  # between two lines


def run(config: ZeroOptions, began: float | None = None) -> bool:
    """Lead a run, or help the process that leads it. Returns whether it is complete (False: stopped, everything saved).

    began: what `time.monotonic` showed when the command started, where the budget begins. Raises RunError or RunFolderError if
    the run cannot begin or go on: the message says why.
    """
    began = time.monotonic() if began is None else began
    config = config.resolve_defaults()
    if not launch.leads():
        from training.zero import learner  # torch

        return learner.learn(config, config.run, began)
    _check_machine(config)
    run_folder.check(config.run, list(config.shares), config.features)  # before a file of ours is put there
    config.run.mkdir(parents=True, exist_ok=True)
    lock = lock_run(config.run)
    try:
        return _tested(config) and _led(config, began)
    finally:
        lock.release()


def _check_machine(config: ZeroOptions) -> None:
    """Say what torch's device is. Raises RunError if it cannot be used, or a package is missing."""
    from goengine.nets import devices  # torch
    from training.stages.supervised import device_name

    device_name(config)
    if config.rate_games and not importable("sgfmill"):
        raise RunError("ratings write SGF files, for which sgfmill is missing: pip install it, or give --rate-games 0")
    if config.device == division.OPENVINO:
        return
    try:
        say(devices.description(config.device))
    except RuntimeError as error:
        raise RunError(f"--device {config.device}: {devices.failure(error, config.device) or error}") from error


def _tested(config: ZeroOptions) -> bool:
    """The self-test, if there is to be one. Returns False if a signal stopped it. Raises RunError if it fails."""
    if not config.self_test or launch.launched() > 1:  # processes that learn together cannot step alone
        return True
    from training.zero import self_test  # torch

    return self_test.run(config, say)


def _led(config: ZeroOptions, began: float) -> bool:
    """Lead the run, with the lock in hand."""
    from training.zero import (
        publishing,  # torch
        takeover,
    )

    run_folder.remove_leftovers(config.run)
    takeover.finish_takeover(config, say)
    net = publishing.begin(config)
    candidate = publishing.larger(config, net)
    if candidate is not None and (launch.launched() > 1 or config.parallel != "data"):
        alone = "without torchrun, and with --parallel sync"
        raise RunError(f"a larger net learns in one process until it has taken over: start it {alone}")
    config = _without_missing_anchor(config)
    say(f"{config.run}: net {net.name}; {division.words(config.division, division.here(), config.threads)}")
    with ProcessGroup(members(config), say) as processes:
        complete = _learned(config, candidate, began, Tick(config, processes))
    if complete and config.rate_games:
        _rate_last(config)
    return complete


def _learned(config: ZeroOptions, candidate: "build.Net | None", began: float, tick: "Tick") -> bool:
    """Learn, beginning with a larger net if there is one. Returns whether the run is complete."""
    from training.zero import learner, takeover

    if candidate is not None:
        ended = takeover.succeed(config, candidate, began, tick, say)
        if ended is not None:
            return ended
        began = time.monotonic()  # the time before is in the state of the one that took over
    # Go on from the net that is there: the file of --net may be gone, or the folder may be on another machine.
    net = run_folder.newest(config.run).folder / "net.safetensors"
    return learner.learn(dataclasses.replace(config, net=str(net)), config.run, began, tick)


def _without_missing_anchor(config: ZeroOptions) -> ZeroOptions:
    """The options without a program that is not here: a run may move to another machine."""
    try:
        anchors.find(config)
    except RunError as error:
        say(f"{error}; the run goes on without it")
        return dataclasses.replace(config, anchor="")
    return config


def members(config: ZeroOptions) -> list[WatchedProcess]:
    """The processes of a run: workers w1, w2 and so on, the one that leads a cluster of them, and the one that rates."""
    found: list[WatchedProcess] = []
    gpus = division.here().gpus
    for number in range(1, config.workers + 1):
        name = f"w{number}"
        device = division.worker_device(config.device, number - 1, gpus)
        options = ["--run", str(config.run), "--name", name, "--games", str(config.games), "--device", device, "--attached"]
        found.append(_member(config, name, "selfplay", "worker", *options))
        found[-1].environment = {} if config.device == division.OPENVINO else division.ONE_THREAD
    if config.cluster:
        options = ["--run", str(config.run), "--address", config.cluster, "--attached"]
        found.append(_member(config, "cluster", "selfplay", "cluster", *options))
    if config.rate_games:
        options = ["--run", str(config.run), "--games", str(config.rate_games), "--visits", str(config.rate_visits)]
        device = division.rating_device(config.device, config.export)
        options += ["--nth", str(config.rate_nth), "--device", device, "--watch"]
        if config.anchor:
            options += ["--anchor", config.anchor, "--anchor-games", str(config.anchor_games)]
            options += ["--anchor-nth", str(config.anchor_nth)]
        found.append(_member(config, "rating", "training", "rate", *options))
        found[-1].required = False
        found[-1].environment = {} if device == division.OPENVINO else division.ONE_THREAD
    return found


def _member(config: ZeroOptions, name: str, *command: str) -> WatchedProcess:
    return WatchedProcess(name, (sys.executable, "-m", *command), config.run / run_folder.STATUS / f"{name}.log")


class Tick:
    """What is done while the learner learns: watch the processes, remove nets, report. Cheap to call."""

    def __init__(self, config: ZeroOptions, processes: ProcessGroup, clock: Callable[[], float] = time.monotonic):
        self.config, self.processes, self.clock = config, processes, clock
        self._next = clock()
        self._say = clock() + SAY_SECONDS

    def __call__(self, standing: "Standing") -> None:
        """To be called often. Raises RunError if a worker fails again and again."""
        if self.clock() < self._next:
            return
        self.processes.watch()
        self._prune()
        self._next = self.clock() + TICK_SECONDS
        if self.clock() >= self._say:
            say(line(self.config, standing))
            self._say = self.clock() + SAY_SECONDS

    def _prune(self) -> None:
        """Keep every net that is or will be rated."""
        run, nth = self.config.run, self.config.rate_nth
        numbers = [net.number for net in run_folder.nets(run)]
        if any(number % nth for number in numbers[1 : -run_folder.LAST]):
            run_folder.prune(run, keep={n for n in numbers if n % nth == 0} | {int(name) for name in rating.rated(run)})


def line(config: ZeroOptions, standing: "Standing") -> str:
    """How the run goes: games, speed, share of the time that nets compute, window, losses, rating."""
    play = status.figures(config.run, standing.window, {})
    words = [f"{100 * standing.progress:.1f} %", f"{play['games']:,} games"]
    if "net_busy" in play:
        words += [f"{play['evaluations_per_second']:,.0f} evaluations/s", f"net busy {100 * play['net_busy']:.0f} %"]
    words.append(f"window {play['window']:,} of {standing.made:,}, drawn {standing.samples:,}")
    losses = _last_losses(config.run / standing.learner / "log.jsonl")
    words += [f"{name} {losses[name]:.3f}" for name in ("policy", "mse") if name in losses]
    elo = rating.last_elo(config.run)
    words += [] if elo is None else [f"Elo {elo:+.0f}"]
    return "  ".join(words)


def _last_losses(log: Path) -> dict[str, float]:
    """The last line of a learner's log that has losses; empty before there is one."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().splitlines()
    except OSError:
        return {}
    for text in reversed(lines):
        try:
            found = json.loads(text)
        except ValueError:
            continue  # being written, or cut by the seek
        if isinstance(found, dict) and "loss" in found:
            return found
    return {}


def _rate_last(config: ZeroOptions) -> None:
    """Rate the net that the run has made."""
    net, device = run_folder.newest(config.run), division.rating_device(config.device, config.export)
    try:
        if net.name not in rating.rated(config.run):
            rating.rate_net(config.run, net, RatingGames(config.rate_games, config.rate_visits, device), say=say)
        elo = {found.name: found.elo for found in rating.write_ratings(config.run, say)}
        if net.name in elo:  # there is none if its games have no result
            say(f"net {net.name}: {elo[net.name]:+.0f} Elo above a random player; {config.run / rating.PICTURE}")
        if (anchor := anchors.find(config)) is not None:
            anchors.play(config.run, net, anchor, visits=config.rate_visits, device=device, say=say)
    except (EvaluatorError, LogError, RunFolderError) as error:
        say(f"net {net.name} is not rated: {error}")


def rate(config: Rate, stop: threading.Event) -> None:
    """The command rate. Raises RunFolderError if the folder is no run, RunError if the program to play against is missing."""
    if config.watch and hasattr(os, "nice"):
        os.nice(10)  # what a run is for comes first
    anchor, device = anchors.find(config), _rating_device(config)

    def against(net: run_folder.PublishedNet) -> None:
        if anchor is not None:
            played = {"visits": config.visits, "device": device}
            anchors.play(config.run, net, anchor, **played, should_stop=stop.is_set, say=say)

    def then(net: run_folder.PublishedNet) -> None:
        if config.anchor_nth and len(rating.rated(config.run)) % config.anchor_nth == 0:
            against(net)

    wanted = RatingGames(config.games, config.visits, device)
    rating.rate_all(config.run, wanted, nth=config.nth, watch=config.watch, stop=stop, say=say, then=then)
    if not config.watch and not stop.is_set() and (last := rating.last_rated(config.run)) is not None:
        against(last)


def _rating_device(config: Rate) -> str:
    """Where nets compute for their ratings: as asked for, else as in the run; where that GPU is not here, on the CPU."""
    options = run_folder.read_config(config.run).get("options", {})
    exports = options.get("export") and division.here().openvino
    device = config.device or division.rating_device(str(options.get("device", division.OPENVINO)), exports)
    if device == "auto":
        return division.OPENVINO  # of versions that played on OpenVINO alone
    if config.device or not device.startswith("cuda") or division.here().gpus:
        return device
    newest = run_folder.newest(config.run)
    graph = newest is not None and (newest.folder / run_folder.GRAPH[0]).exists() and division.here().openvino
    instead = division.OPENVINO if graph else "torch-cpu"
    say(f"{config.run}: the run is on {device}, of which there is none here; ratings on {instead}")
    return instead
