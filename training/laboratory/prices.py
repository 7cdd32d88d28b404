"""What the trained nets of a comparison cost: measured once, each beside the first net, and kept in its folder.

A net that joins later is timed with the first one again, so that speeds over the first's are always of the same minutes. Knows
files and which nets are missing; how nets are timed is `training.laboratory.costs`'s business.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from goengine.core.progress import Progress
from goengine.nets import build, weights_file
from training.core.checkpoint import RunError, write_text
from training.laboratory import forms
from training.laboratory.compare_options import CompareOptions
from training.laboratory.costs import (
    PRICE_BATCH,
    Compute,
    Form,
    Timing,
    by_openvino,
    by_torch,
    multiply_adds,
    random_inputs,
    rates,
)
from training.laboratory.forms import FORMS, WEIGHTS

FILE: Final = "costs.json"
BATCHES: Final = (1, PRICE_BATCH, 32)


Speeds = dict[str, dict[str, float]]  # evaluations a second by form and batch
NEXT: Final[dict[Form, tuple[Form, ...]]] = {"int8": ("int8", "bf16", "f32"), "bf16": ("bf16", "f32"), "f32": ("f32",)}


@dataclass(frozen=True)
class Price:
    """What a net costs on one board size. first: speeds of the first net in the same rounds."""

    parameters: int
    multiply_adds: int
    bytes: dict[str, int]
    speeds: Speeds = field(default_factory=dict)
    first: Speeds = field(default_factory=dict)

    def speed(self, form: Form, batch: int) -> float | None:
        """Evaluations a second, None where there is no such form."""
        return self.speeds.get(form, {}).get(str(batch))

    def relative(self, form: Form) -> float:
        """Evaluations a second over those of the first net, each in that form or, where it has none, the next."""
        return _playing(self.speeds, form) / _playing(self.first, form)


def _playing(speeds: Speeds, form: Form) -> float:
    return next(speeds[name][str(PRICE_BATCH)] for name in NEXT[form] if name in speeds)


Prices = dict[str, dict[str, Price]]  # by board size and net


def measured(config: CompareOptions, texts: Sequence[str], sizes: Sequence[int]) -> Prices:
    """The prices of these nets, whose files are in their folders; those that are not known yet are measured now."""
    prices = load(config)
    for size in sizes:
        known = prices.setdefault(str(size), {})
        missing = [text for text in texts if text not in known]
        if missing:
            known |= _measure(config, missing, size)
            plain = {size: {text: asdict(price) for text, price in own.items()} for size, own in prices.items()}
            write_text(config.run / FILE, json.dumps(plain, indent=1) + "\n")
    return prices


def load(config: CompareOptions) -> Prices:
    """What was measured before. Raises RunError if the file is damaged."""
    path = config.run / FILE
    if not path.exists():
        return {}
    try:
        found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        return {size: {text: Price(**price) for text, price in own.items()} for size, own in found.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is damaged ({error}); delete it to measure anew") from None


def _measure(config: CompareOptions, texts: Sequence[str], size: int) -> dict[str, Price]:
    first = config.nets[0]
    own: dict[str, Price] = {}
    players: dict[tuple[str, Form], Compute] = {}
    for text in dict.fromkeys((first, *texts)):
        net, _ = weights_file.load_module(config.folder(text) / WEIGHTS)
        own[text] = Price(build.parameter_count(net), multiply_adds(net, size), forms.sizes(config.folder(text)))
        for form in FORMS:
            if (made := _compute(config.folder(text), net, form)) is not None:
                players[text, form] = made
    for batch in BATCHES:
        given = random_inputs(config.features, size, batch)
        with Progress(f"speed {size}x{size}, batch {batch}", config.rounds) as bar:
            found = rates(players, given, Timing(config.rounds, config.seconds), bar.update)
        for (text, form), several in found.items():
            own[text].speeds.setdefault(form, {})[str(batch)] = round(max(several), 1)
    return {text: replace(own[text], first=own[first].speeds) for text in texts}


def _compute(folder: Path, net: build.Net, form: Form) -> Compute | None:
    """What computes a form of the net in a folder: its graph if there is one, else torch."""
    graph = folder / forms.graph_name(form)
    if graph.exists():
        return by_openvino(str(graph), form)
    return None if (folder / forms.graph_name("f32")).exists() else by_torch(net, form)
