"""The command `goengine nets`: which nets are known by name, what they achieved, and whether their files are whole."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from goengine.core.options import option, parse
from goengine.core.tables import short, wrapped
from goengine.evaluators import shipped_nets
from goengine.nets.architecture import to_text
from goengine.nets.card import Card
from goengine.nets.safetensors_file import WeightsError


@dataclass(frozen=True)
class NetsOptions:
    """List the nets that come with the engine and those of your own; with a name, show that net's card."""

    name: str = option("", "show everything that is known of this net", positional=True)
    verify: bool = option(False, "compare every file with its checksum")
    picture: bool = option(False, "draw top-1, value error and speed on this machine of all nets, into --out")
    out: Path = option(Path("nets.svg"), "the picture: .svg or .png")
    json: bool = option(False, "write JSON")


def main(argv: list[str] | None = None) -> int:
    """Run the command; 1 if a net's card or files are wrong."""
    options = parse(NetsOptions, argv, "goengine nets")
    if options.picture:
        return _picture(options)
    names = (options.name,) if options.name else shipped_nets.names()
    wrong = {name: problems for name in names if (problems := _problems(name, options.verify))}
    cards = [shipped_nets.read(name) for name in names if name not in wrong]
    if options.json:
        sys.stdout.write(
            json.dumps({"nets": [_facts(card) for card in cards], "wrong": wrong}, indent=1, ensure_ascii=False) + "\n"
        )
    elif options.name and cards:
        rows = [(key, _line(value)) for key, value in _facts(cards[0]).items()]
        sys.stdout.write(wrapped(rows, header=("", "")))
    elif cards:
        sys.stdout.write(_list(cards))
    elif not names:
        sys.stderr.write(
            "No net comes with this copy. Play without one: --net uniform; train one: python -m training --help.\n"
        )
    for problem in (problem for problems in wrong.values() for problem in problems):
        sys.stderr.write(f"goengine nets: {problem}\n")
    return 1 if wrong else 0


def _picture(options: NetsOptions) -> int:
    """Draw all whole nets side by side; the one that was named stands out. Returns the exit status."""
    from goengine.arena.picture import PictureError
    from goengine.commands.nets_picture import draw, measured

    known = [name for name in shipped_nets.names() if not _problems(name, False)]
    if options.name and options.name not in known:
        sys.stderr.write(f"goengine nets: there is no net '{options.name}'; there are {', '.join(known) or 'none'}\n")
        return 1
    try:
        draw(measured([shipped_nets.read(name) for name in known]), options.out, options.name)
    except PictureError as error:
        sys.stderr.write(f"goengine nets: {error}\n")
        return 1
    sys.stdout.write(f"Written: {options.out}\n")
    return 0


def _problems(name: str, verify: bool) -> list[str]:
    if verify:
        return shipped_nets.problems(name)
    try:
        shipped_nets.read(name)
    except WeightsError as error:
        return [str(error)]
    return []


def _list(cards: list[Card]) -> str:
    rows = []
    for card in cards:
        boards = " ".join(str(size) for size in card.results.sizes)
        sizes = [str(size) for size in (9, 13, 19) if _is_default(card, size)]
        used = " ".join((*(["lee"] if sizes and card.spec.outputs & shipped_nets.WHOLE != shipped_nets.WHOLE else []), *sizes))
        rows.append((card.name, boards, used, f"{card.parameters / 1e6:.2f} M", card.results.description))
    text = wrapped(rows, header=("net", "boards", "default for", "weights", "what it is"), numbers=("weights",))
    own = f"Nets of your own lie in\n{shipped_nets.user_folder()}\n"
    return f"{text}\ngoengine nets NAME shows all of a card; --net NAME plays it.\n{own}"


def _is_default(card: Card, size: int) -> bool:
    """Whether this net plays on boards of that size by itself. A net with one head does so where it fits them."""
    outputs = card.spec.outputs & shipped_nets.WHOLE
    is_used = outputs == shipped_nets.WHOLE or all(shipped_nets.fits(card, head, size) for head in outputs)
    return is_used and shipped_nets.default(size, outputs=outputs) == card.name


def _facts(card: Card) -> dict[str, object]:
    """Everything on the card, as it is shown."""
    results = card.results
    return {
        "name": card.name,
        "description": results.description,
        "strength": results.strength,
        "trained on boards": list(results.sizes),
        "features": card.spec.features,
        "blocks": f"{card.spec.channels} channels: {' '.join(map(str, card.spec.blocks))}",
        "architecture": to_text(card.spec),
        "weights": card.parameters,
        "steps": card.step,
        "proven heads": list(results.proven),
        **results.numbers,
        "data": card.data,
        "command": results.command,
        "files": sorted(card.files),
    }


def _line(value: object) -> str:
    if isinstance(value, float):
        return short(value)
    if isinstance(value, list):
        return " ".join(map(str, value)) if value else "none"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {_line(entry)}" for key, entry in value.items())
    return str(value)
