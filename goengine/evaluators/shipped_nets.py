"""The nets that come with the engine: which there are, which is the default, whether their files are whole.

Reads cards and checksums only; imports no backend, so that a list costs nothing.
"""

from pathlib import Path
from typing import Final

from goengine.nets import card as cards
from goengine.nets.card import Card
from goengine.nets.safetensors_file import WeightsError

FOLDER: Final = Path(__file__).resolve().parent.parent / "weights"


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the shipped nets, by alphabet; a name is a folder with a card."""
    folder = FOLDER if folder is None else folder
    if not folder.is_dir():
        return ()
    return tuple(sorted(path.parent.name for path in folder.glob(f"*/{cards.FILE}")))


def read(name: str, folder: Path | None = None) -> Card:
    """The card of a shipped net. Raises WeightsError if there is no such net or its card is wrong."""
    folder = FOLDER if folder is None else folder
    if name not in names(folder):
        raise WeightsError(f"no net named '{name}'; there are: {', '.join((*names(folder), 'uniform'))}")
    return cards.read(folder / name)


_ABOUT: Final = 2  # points on a side
WHOLE: Final = frozenset({"policy", "value"})  # what a net that plays alone tells


def default(size: int | None = None, folder: Path | None = None, outputs: frozenset[str] = WHOLE) -> str:
    """Name of the net to play with: of those trained on boards of the size nearest to this one, the one of highest rank.

    No size: of all. ``tells``: what it says of policy and value; the first AlphaGo's nets tell one of both. Raises WeightsError
    if no such net is shipped.
    """
    folder = FOLDER if folder is None else folder
    every = [card for card in (read(name, folder) for name in names(folder)) if card.spec.outputs & WHOLE == outputs]
    if not every:
        what = " and ".join(sorted(outputs))
        other = "or play without one: --net uniform" if outputs == WHOLE else f"or leave it out: --no-{what}"
        raise WeightsError(f"no net that tells {what} in {folder}; name a file with --net, {other}")

    def suits(card: Card) -> tuple[int, int]:
        return (-min(abs(size - known) for known in card.results.sizes) if size else 0, card.results.rank)

    return max(every, key=suits).name


def knows(name: str, size: int, folder: Path | None = None) -> bool:
    """Whether a shipped net has learned on boards of about that size. Raises WeightsError if there is no such net."""
    return any(abs(size - known) <= _ABOUT for known in read(name, folder).results.sizes)


def problems(name: str, folder: Path | None = None) -> list[str]:
    """What is wrong with the files of a shipped net; empty if every checksum holds."""
    folder = FOLDER if folder is None else folder
    found = []
    try:
        card = read(name, folder)
    except WeightsError as error:
        return [str(error)]
    for file in card.files:
        try:
            cards.read_checked(folder / name, card, file)
        except WeightsError as error:
            found.append(str(error))
    return found
