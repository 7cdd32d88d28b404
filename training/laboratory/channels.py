"""A family of faster nets from one: inner channels are cut a little at a time, and what is left is trained in between.

Each round judges channels (`training.stages.taylor`), cuts some, and trains what is left by distillation from the net as it
was, until the net takes no more than the share of time that is wanted; each member of the family may be trained on. Everything
lies in the run's folder, a folder for each round and member, so that a run that was stopped goes on. Knows no criterion and no
loop.
"""

import dataclasses
import itertools
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from goengine.core.progress import Progress
from goengine.nets import architecture, weights_file
from goengine.nets.build import Net
from goengine.nets.export import openvino_model
from goengine.nets.narrow import groups, narrowed
from goengine.nets.weights_file import Meta
from training.core.checkpoint import RunError, write_text
from training.core.device_feed import Batch, DeviceFeed
from training.core.losses import total_loss
from training.laboratory import costs
from training.laboratory.prune_options import PruneOptions
from training.stages import taylor
from training.stages.pruned import NET, PrunedStage, Result, finished, retrained, source_of
from training.stages.supervised import GamesStage, computes_half, device_name, fresh_or_loaded, loss_weights

CUT, TIME = "cut.safetensors", "time.json"  # in a round's folder: the net before its training, and the share of time it takes
TIMING = costs.Timing(7, 0.3)
ROUNDS = 200  # at most; each cuts a chunk at least


class Member(NamedTuple):
    """A net of the family. share: of the time of the net that it was cut from; samples: seen since; scratch: the same size from
    scratch, by how it was taught."""

    text: str
    net: Path
    share: float
    samples: int
    figures: dict[str, float]
    scratch: dict[str, Result]


class _Family:
    """A run of the command. Raises RunError if the net has nothing that could be cut."""

    def __init__(self, config: PruneOptions):
        self.config, self.source = config, source_of(config.weights)
        self.teacher = self.source if config.teacher is None else source_of(config.teacher, "--teacher")
        self.whole = self.source.module()
        if not groups(self.whole):
            raise RunError(
                f"--weights {config.weights}: no block of {architecture.to_text(self.source.spec)} has inner channels that can "
                "be cut; those of the kinds r, g, p, q, b, d, m and t can"
            )
        self.bound = {"net": self.source.meta.sha256, "teacher": self.teacher.meta.sha256}
        self.given = costs.random_inputs(self.source.spec.features, config.timed_size, config.timed_batch)
        self.compute = self._computed(self.whole)

    def _computed(self, net: Net) -> costs.Compute:
        model = costs.compiled(openvino_model(net, Meta(net.spec, 0, {}, {}, "")), self.config.precision)
        return lambda given: model(list(given))

    def _timed(self, nets: dict[str, costs.Compute], name: str) -> dict[str, list[float]]:
        with Progress(name, TIMING.rounds) as bar:
            return costs.rates(nets, self.given, TIMING, bar.update)

    def wanted(self) -> list[float]:
        """Shares of the net's time that are asked for, falling. Raises RunError if it is as fast already."""
        if self.config.shares:
            return sorted(self.config.shares, reverse=True)
        told = self.config.run / TIME
        if not told.exists():
            found = self._timed({"whole": self.compute}, "time")["whole"]
            self.config.run.mkdir(parents=True, exist_ok=True)
            write_text(told, json.dumps({"milliseconds": 1000 * self.config.visits / max(found)}))
        takes = json.loads(told.read_text(encoding="utf-8"))["milliseconds"]
        for asked in self.config.milliseconds:
            if asked >= takes:
                raise RunError(
                    f"--milliseconds {asked:g}: the net takes {takes:.3g} ms for {self.config.visits} visits as it is"
                )
        return sorted((asked / takes for asked in self.config.milliseconds), reverse=True)

    def share_of_time(self, net: Net, folder: Path) -> float:
        """What share of the whole net's time this one takes; measured once, and kept in the folder."""
        told = folder / TIME
        if not told.exists():
            rates = self._timed({"whole": self.compute, "ours": self._computed(net)}, f"time {folder.name}")
            write_text(told, json.dumps({"share": max(rates["whole"]) / max(rates["ours"])}))
        found: float = json.loads(told.read_text(encoding="utf-8"))["share"]
        return found

    def rounds(self, net: Net, share: float, number: Iterator[int]) -> Iterator[tuple[Path, Result] | None]:
        """Cut and train until the net takes no more than this share; (folder, result) of each round, None if it was stopped."""
        taken = 1.0
        while True:
            folder = self.config.run / f"round-{next(number):03d}"
            config = self._training(folder, self.config.steps or 1)
            start = folder / CUT
            if not start.exists():
                self._cut(net, config, start, taken)
            cut = weights_file.load(start).module()
            result = self._trained(config, cut, start)
            yield None if result is None else (folder, result)
            net = weights_file.load(folder / NET).module()
            taken = self.share_of_time(net, folder)
            if taken <= share:
                return

    def _training(self, folder: Path, steps: int) -> PruneOptions:
        """The options of one training; each draws other positions."""
        return dataclasses.replace(
            self.config, run=folder, steps=steps, seed=self.config.seed + zlib.crc32(folder.name.encode())
        )

    def _trained(self, config: PruneOptions, module: Net, source: Path) -> Result | None:
        if (found := finished(config.run)) is not None:
            return found
        stage = PrunedStage(config, module.train(), self.teacher)
        stage.card |= {"pruned_from": self.source.meta.sha256, "teacher": self.teacher.meta.sha256}
        return retrained(config, stage, module, str(source), self.bound)

    def _cut(self, net: Net, config: PruneOptions, out: Path, taken: float) -> None:
        """Judge the channels, cut some, and write the net that is left. taken: the net's share of time, for a message."""
        found = groups(net)
        stage = GamesStage(config, net)
        feed, weights = DeviceFeed(device_name(config), computes_half(config)), loss_weights(config, net.spec)
        net.to(feed.device)
        source = stage.batches(0)
        batches = (feed.put(batch) for batch in itertools.islice(source, -(-config.scored // config.batch)))

        def loss(module: Net, batch: Batch) -> Tensor:
            return total_loss(module(batch["planes"], batch["globals"], True), batch, weights)[0]

        with feed.autocast():
            importance = taylor.importances(net, batches, loss)
        source.close()
        keep = taylor.chosen(found, importance, config.cut, config.chunk)
        if all(len(kept) == group.channels for kept, group in zip(keep, found, strict=True)):
            text = architecture.to_text(net.spec)
            raise RunError(
                f"{text} takes {taken:.2f} of the time, and nothing more can be cut inside its blocks; "
                "ask for larger shares, or begin with a net of another width"
            )
        made = narrowed(net, keep)
        out.parent.mkdir(parents=True, exist_ok=True)
        weights_file.save(out, made, made.spec, data={"pruned_from": self.source.meta.sha256})

    def member(self, share: float, last: Path, samples: int) -> tuple[Path, Result] | None:
        """Train a member of the family on, if that is wanted; (folder, result)."""
        folder = self.config.run / f"share-{share:.3g}"
        config = self._training(folder, self.config.finish)
        result = self._trained(config, weights_file.load(last / NET).module(), last / NET)
        return None if result is None else (folder, result)

    def scratch(self, text: str, how: str, samples: int, folder: Path) -> Result | None:
        """The same size with fresh weights, trained for as many samples."""
        config = self._training(folder / f"scratch-{how}", -(-samples // self.config.batch))
        config = dataclasses.replace(config, rate=None)  # fresh weights want the optimizer's own
        if (found := finished(config.run)) is not None:
            return found
        module = fresh_or_loaded(text, self.source.spec.features, config.seed)
        stage = PrunedStage(config, module, self.teacher) if how == "taught" else GamesStage(config, module)
        return retrained(config, stage, module, text, self.bound)


def run(config: PruneOptions) -> list[Member] | None:
    """Make the family. None: stopped by a signal, everything is saved. Raises RunError as `_Family` does."""
    family, net, samples, number = _Family(config), None, 0, iter(range(1, ROUNDS))
    members, last = [], Path()
    for share in family.wanted():
        if net is None or family.share_of_time(net, last) > share:
            for done in family.rounds(net or family.whole, share, number):
                if done is None:
                    return None
                last, result = done
                samples += result.samples
        assert last.name
        figures = (finished(last) or Result({}, {}, 0)).after
        if config.finish:
            if (done := family.member(share, last, samples)) is None:
                return None
            taken = family.share_of_time(weights_file.load(last / NET).module(), last)
            last, result = done
            write_text(last / TIME, json.dumps({"share": taken}))
            figures, samples = result.after, samples + result.samples
        net = weights_file.load(last / NET).module()
        taken = family.share_of_time(net, last)
        members.append(Member(architecture.to_text(net.spec), last / NET, taken, samples, figures, {}))
    for member in members:
        for how in config.compare:
            if (found := family.scratch(member.text, how, member.samples, member.net.parent)) is None:
                return None
            member.scratch[how] = found
    return members


def rows(members: list[Member], whole: dict[str, float]) -> list[list[str]]:
    """Lines of the family's table, the net that it was cut from first; columns as in HEADER."""

    def told(figures: dict[str, float]) -> list[str]:
        return [f"{figures[name]:{form}}" if name in figures else "-" for name, form in (("top1", ".2%"), ("value_mse", ".3f"))]

    lines = [["as it was", "1.00", "0", *told(whole)]]
    for member in members:
        lines.append([member.text, f"{member.share:.2f}", str(member.samples), *told(member.figures)])
        for how, result in member.scratch.items():
            lines.append([f"  from scratch, {how}", "", str(result.samples), *told(result.after)])
    return lines


HEADER = ("net", "time", "samples", "top-1", "value error")
