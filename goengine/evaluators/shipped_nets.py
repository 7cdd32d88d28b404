"""The nets that are known by name: which there are, which is the default, whether their files are whole.

They come with the engine, or lie in the user's folder, which is searched first. Reads cards and
checksums only; imports no backend, so that a list costs nothing.
"""

import hashlib
import os
from pathlib import Path
from typing import Final

from goengine.nets import card as cards
from goengine.nets.card import Card
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.spec import PLACED

FOLDER: Final = Path(__file__).resolve().parent.parent / "weights"


def user_folder() -> Path:
    """Where a user's own nets lie: $GOENGINE_NETS, else in the user's data folder of the platform."""
    if own := os.environ.get("GOENGINE_NETS"):
        return Path(own).expanduser()
    try:
        from platformdirs import user_data_path
    except ImportError:  # a machine that only trains may have numpy, numba and torch alone
        return Path.home() / ".local" / "share" / "goengine" / "nets"
    return user_data_path("goengine", appauthor=False) / "nets"


def _folders(folder: Path | None) -> tuple[Path, ...]:
    return (user_folder(), FOLDER) if folder is None else (folder,)


def place(name: str, folder: Path | None = None) -> Path:
    """The folder of a net. Raises WeightsError if there is no such net."""
    for parent in _folders(folder):
        if name in _in(parent):
            return parent / name
    raise WeightsError(f"no net named '{name}'; there are: {', '.join((*names(folder), 'uniform'))}")


def _in(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.parent.name for path in folder.glob(f"*/{cards.FILE}"))
    except OSError:  # a folder that we may not read counts as empty
        return frozenset()


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the nets, by alphabet; a name is a folder with a card. No folder: the user's and the engine's nets."""
    return tuple(sorted(frozenset().union(*map(_in, _folders(folder)))))


def read(name: str, folder: Path | None = None) -> Card:
    """The card of a shipped net. Raises WeightsError if there is no such net or its card is wrong."""
    return cards.read(place(name, folder))


_ABOUT: Final = 2  # points on a side
_PLACES: Final = 19  # on a side, of a head that knows points by their places; larger boards share those in the middle
WHOLE: Final = frozenset({"policy", "value"})  # what a net that plays alone tells


def default(size: int | None = None, folder: Path | None = None, outputs: frozenset[str] = WHOLE) -> str:
    """Name of the net to play with: of those trained on boards of the size nearest to this one, the one of highest rank.

    A net that does not fit the size (`fits`) is taken only where none does. No size: of all. ``outputs``: its heads among
    policy and value; the first AlphaGo's nets have one. Raises WeightsError if no such net is shipped.
    """
    every = [card for card in _cards(folder) if card.spec.outputs & WHOLE == outputs]
    if not every:
        what = " and ".join(sorted(outputs))
        folder = FOLDER if folder is None else folder
        other = "or play without one: --net uniform" if outputs == WHOLE else f"or leave it out: --no-{what}"
        raise WeightsError(f"no net that tells {what} in {folder}; name a file with --net, {other}")

    def suits(card: Card) -> tuple[bool, int, int]:
        if not size:
            return True, 0, card.results.rank
        nearest = min(abs(size - known) for known in card.results.sizes)
        return all(fits(card, head, size) for head in outputs), -nearest, card.results.rank

    return max(every, key=suits).name


def seeing(features: str, folder: Path | None = None) -> list[Card]:
    """The cards of all nets that see these features, the one of highest rank first."""
    return sorted((card for card in _cards(folder) if card.spec.features == features), key=lambda card: -card.results.rank)


def _cards(folder: Path | None) -> list[Card]:
    """The cards of all nets. Wrong cards in the user's folder are left out: they must not keep the other nets from playing."""
    found = []
    for name in names(folder):
        where = place(name, folder)
        try:
            found.append(cards.read(where))
        except WeightsError:
            if folder is not None or where.parent == FOLDER:
                raise
    return found


def digest_of_weights(graph: bytes, beside: Path) -> str | None:
    """SHA-256 that the .bin of an OpenVINO graph must have, where a card lists the graph: that in the folder `beside`, or that
    of any net that is known by name. None if none does.
    """
    digest = hashlib.sha256(graph).hexdigest()
    for folder in (beside, *(place(name) for name in names())):
        try:
            files = cards.read(folder).files
        except WeightsError:  # no card, or a wrong one: it says nothing of this file
            continue
        for name, known in files.items():
            if known == digest and name.endswith(".xml"):
                return files.get(f"{name.removesuffix('.xml')}.bin")
    return None


def fits(card: Card, head: str, size: int) -> bool:
    """Whether a head of a net ('policy' or 'value') is of use on boards of that size.

    A head without places is on all. One with places has learned what belongs to a point of the board: a value, on boards of
    about the sizes on the card; a policy, which only adds a number to each point, wherever each point's distance from the
    edges occurred on a board of the card.
    """
    if not _is_placed(card, head):
        return True
    if head == "policy":
        return min(size, _PLACES) <= max(card.results.sizes) + _ABOUT
    return any(abs(size - known) <= _ABOUT for known in card.results.sizes)


def learned(card: Card, head: str) -> str:
    """The boards that a head with places fits, in words such as '7x7 to 11x11'."""
    sizes = [size for size in range(2, 26) if fits(card, head, size)]
    first = [size for size in sizes if size - 1 not in sizes]
    last = [size for size in sizes if size + 1 not in sizes]
    return " and ".join(f"{a}x{a} to {b}x{b}" for a, b in zip(first, last, strict=True))


def _is_placed(card: Card, head: str) -> bool:
    return (card.spec.policy_head if head == "policy" else card.spec.value_head) == PLACED


def problems(name: str, folder: Path | None = None) -> list[str]:
    """What is wrong with the files of a shipped net; empty if every checksum holds."""
    found = []
    try:
        card = read(name, folder)
    except WeightsError as error:
        return [str(error)]
    for file in card.files:
        try:
            cards.read_checked(place(name, folder), card, file)
        except WeightsError as error:
            found.append(str(error))
    return found
