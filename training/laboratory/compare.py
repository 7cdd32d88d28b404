"""A comparison of architectures, step by step: widths of equal time, learning, costs, games, the table.

Each step writes what it found into the folder of the comparison and is not done again; it knows the order of the steps, not how
they are done.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from goengine.core.canvas import PictureError
from goengine.core.progress import Progress
from goengine.core.stopping import told_to_stop
from goengine.nets import architecture, weights_file
from training.core.checkpoint import RunError, write_text
from training.core.messages import warn
from training.laboratory import costs, forms, same_batches, widths
from training.laboratory.compare_options import OPEN, CompareOptions
from training.laboratory.compare_picture import draw
from training.laboratory.meetings import equal_time_visits, meet
from training.laboratory.prices import measured
from training.laboratory.report import TIME, VISITS, Entry, to_json, to_markdown, to_text
from training.laboratory.same_batches import SameBatches
from training.stages.supervised import supervised

WIDTHS, RESULTS, TABLE = "widths.json", "compare.json", "compare.md"  # in the folder of a comparison


def run(config: CompareOptions) -> bool:
    """Compare, and print the table. Returns whether everything is done; False after a signal, with everything saved."""
    found = same_batches.same_batches(config)
    texts = with_widths(config, found)
    for text in texts:
        if not learn(config, text, found):
            return False
    with told_to_stop() as stop:
        entries = [entry(config, text) for text in texts]
        calibration = found.calibration()
        for text in texts:
            forms.write(config.folder(text), calibration)
        for size, prices in measured(config, texts, found.sizes).items():
            for one in entries:
                if one.net in prices:
                    one.prices[size] = prices[one.net]
        complete = play(config, entries, found, stop.is_set)
    tell(config, entries, found)
    return complete


def entry(config: CompareOptions, text: str) -> Entry:
    """A trained net without its costs and games."""
    data: Mapping[str, Any] = weights_file.load(config.folder(text) / forms.WEIGHTS).meta.data
    return Entry(text, data["samples"], data["seconds"], data["validation"])


def play(config: CompareOptions, entries: Sequence[Entry], found: SameBatches, should_stop: Callable[[], bool]) -> bool:
    """All games, those at equal time first, which count most. Returns whether none is missing."""
    for what in (TIME, VISITS) if config.games else ():
        for size in map(str, found.sizes):
            for one in entries[1:]:
                speed = one.prices[size].relative(config.form) if what == TIME else 1.0
                visits = equal_time_visits(config.visits, speed)
                meeting = meet(config, one.net, int(size), visits, should_stop)
                if meeting is None:
                    return False
                one.meetings.setdefault(size, {})[what] = meeting
                save(config, entries, found)
    return True


def save(config: CompareOptions, entries: Sequence[Entry], found: SameBatches) -> None:
    """Write what is known so far."""
    sizes = [str(size) for size in found.sizes]
    write_text(config.run / RESULTS, to_json(config, entries, found.games.card))
    write_text(config.run / TABLE, to_markdown(entries, sizes))


def tell(config: CompareOptions, entries: Sequence[Entry], found: SameBatches) -> None:
    """Write, draw and print everything."""
    save(config, entries, found)
    sizes = [str(size) for size in found.sizes]
    for size in sizes:
        try:
            draw(entries, size, config.run / f"compare-{size}x{size}.svg")
        except PictureError as error:  # the table is worth having without it
            warn(f"no picture: {error}")
    if config.json:
        sys.stdout.write(to_json(config, entries, found.games.card))
    else:
        sys.stdout.write(f"{to_text(entries, sizes)}\n{RESULTS}, {TABLE} and pictures are in {config.run}\n")


def learn(config: CompareOptions, text: str, found: SameBatches) -> bool:
    """Train one net, or see that it is trained. Returns False after a signal."""
    bound = {"data": found.digest, "batch": str(config.batch), "seed": str(config.seed)}
    bound |= {"samples": str(config.samples), "budget": str(config.budget), "rate": str(config.rate)}
    return supervised(config.learning(text), time.monotonic(), found.games, found.held_out, bound)


def with_widths(config: CompareOptions, found: SameBatches) -> list[str]:
    """The nets with widths of equal time in place of '?', found now or before. Raises RunError if two nets become one."""
    path = config.run / WIDTHS
    known = _known_widths(path)
    missing = [text for text in config.nets if OPEN in text and text not in known]
    if missing:
        terms = widths.Terms(config.features, found.sizes[0], config.form, costs.Timing(config.rounds, config.seconds))
        clock = widths.Clock(config.nets[0], terms)
        with Progress("widths", len(missing)) as bar:
            for done, text in enumerate(missing, 1):
                known[text] = widths.width_for(text, clock, lambda text, ratio: bar.message(f"{text}: {ratio:.2f} of the time"))
                bar.update(done, known[text])
                config.run.mkdir(parents=True, exist_ok=True)
                write_text(path, json.dumps(known, indent=1) + "\n")
    texts = [known.get(text, text) for text in config.nets]
    for number, text in enumerate(texts):
        if text in texts[:number]:
            raise RunError(f"--nets {config.nets[number]}: becomes {text}, which is in the list already; leave one away")
    return texts


def _known_widths(path: Path) -> dict[str, str]:
    """What was found before. Raises RunError if the file is damaged."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        for found in known.values():
            architecture.check(found)
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is damaged ({error}); delete it to find the widths anew") from None
    return dict(known)
