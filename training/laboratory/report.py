"""What a comparison found, as JSON and as a table. Knows how figures are named and written; measures nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from goengine.core.tables import table
from training.core.checkpoint import plain
from training.laboratory.compare_options import CompareOptions
from training.laboratory.forms import FORMS
from training.laboratory.meetings import Meeting
from training.laboratory.prices import BATCHES, Price

VISITS, TIME = "visits", "time"  # equal for both players
POLICY_LOSS: Final = ("policy", "cross_entropy")  # of searches' policies; of moves that were played
HIDDEN: Final = ("run", "data", "validation", "json", "device", "save_every", "processes")  # say nothing of what was found


@dataclass
class Entry:
    """A net and what is known of it so far; the board size is the key of prices and meetings."""

    net: str
    samples: int
    seconds: float
    figures: Mapping[str, float]
    prices: dict[str, Price] = field(default_factory=dict)
    meetings: dict[str, dict[str, Meeting]] = field(default_factory=dict)

    def figure(self, size: str, *names: str) -> float | None:
        """One of these figures on held-out positions, of that board size where it is told apart."""
        keys = [key for name in names for key in (f"{name}_{size}", name)]
        return next((self.figures[key] for key in keys if key in self.figures), None)


def to_json(config: CompareOptions, entries: Sequence[Entry], data: Mapping[str, Any]) -> str:
    """All of it. data: what was learned from."""
    options = {name: value for name, value in plain(config).items() if name not in HIDDEN}
    nets = [asdict(entry) for entry in entries]
    return json.dumps({"options": options, "data": dict(data), "nets": nets}, indent=1) + "\n"


def header() -> list[str]:
    """The table's columns."""
    batches = "/".join(map(str, BATCHES))
    speeds = [f"{form} evaluations/s at batch {batches}" for form in FORMS]
    learned = ["top-1", "policy loss", "value error"]
    return ["net", "parameters", "multiply-adds", "kB", *speeds, *learned, "Elo at equal visits", "Elo at equal time (visits)"]


def row(entry: Entry, size: str) -> list[str]:
    """The net's line of the table for a board size; '-' for what is not known."""
    price, met = entry.prices.get(size), entry.meetings.get(size, {})
    top1 = entry.figure(size, "top1")
    cells = [entry.net, *_costs(price)]
    cells.append(_known(top1, lambda value: f"{100 * value:.1f} %"))
    cells.append(_known(entry.figure(size, *POLICY_LOSS), "{:.3f}".format))
    cells.append(_known(entry.figure(size, "value_mse"), "{:.3f}".format))
    cells.append(_known(met.get(VISITS), elo_text))
    cells.append(_known(met.get(TIME), lambda meeting: f"{elo_text(meeting)} ({meeting.visits})"))
    return cells


def _known(value: Any, text: Any) -> str:
    return "-" if value is None else text(value)


def _costs(price: Price | None) -> list[str]:
    if price is None:
        return ["-"] * (3 + len(FORMS))
    files = [price.bytes[name] for name in ("graph", "int8") if name in price.bytes] or [price.bytes["weights"]]
    speeds = ["/".join(_known(price.speed(form, batch), "{:.0f}".format) for batch in BATCHES) for form in FORMS]
    speeds = ["-" if set(text) <= set("-/") else text for text in speeds]
    return [
        f"{price.parameters / 1e6:.3f} M",
        f"{price.multiply_adds / 1e6:.1f} M",
        "/".join(f"{bytes / 1000:.0f}" for bytes in files),
        *speeds,
    ]


def elo_text(meeting: Meeting) -> str:
    """Elo with its 95 % interval, and how many games where a test ended the match."""
    told = f"{meeting.elo:+.0f} ({meeting.low:+.0f} to {meeting.high:+.0f})"
    return f"{told}, {meeting.verdict} after {meeting.games}" if meeting.verdict else told


def to_text(entries: Sequence[Entry], sizes: Sequence[str]) -> str:
    """A table for each board size."""
    return "\n".join(f"{size}x{size}\n{table([row(entry, size) for entry in entries], header=header())}" for size in sizes)


def to_markdown(entries: Sequence[Entry], sizes: Sequence[str]) -> str:
    """The same as Markdown."""
    parts = []
    for size in sizes:
        lines = [
            header(),
            ["---"] * len(header()),
            *([f"`{first}`", *rest] for first, *rest in (row(e, size) for e in entries)),
        ]
        parts.append(f"{size}x{size}\n\n" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines))
    return "\n".join(parts)
