"""The card of a net in a folder: what it is, how it was made, which heads are proven, and the checksum of every file.

A folder is NAME/ with card.json, net.safetensors (for torch) and NAME.xml, NAME.bin (for OpenVINO; NAME-int8.* if there
is a quantized form). The card is read before any other file, and no file is used before its checksum was compared.
Knows no backend.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Final

from goengine.nets.safetensors_file import WeightsError, replacing
from goengine.nets.spec import NetSpec, NetSpecError

FILE: Final = "card.json"
FORMAT: Final = "goengine-card"
VERSION: Final = 1
HEADS: Final = ("value", "score", "ownership")
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a person and the engine want to know of a net before using it.

    proven: heads that held-out games showed to carry information (from HEADS); sizes: board sizes it was trained on;
    rank: among nets for a board size the highest is the default. accuracy: measured numbers by name, such as top1.
    files: name -> SHA-256.
    """

    name: str
    description: str
    spec: NetSpec
    data: str  # the games it learned from, and their licence
    command: str  # what made it
    steps: int = 0
    accuracy: Mapping[str, float]
    strength: str = ""  # in words, with the conditions it was measured under
    proven: tuple[str, ...] = ()
    sizes: tuple[int, ...] = (19,)
    rank: int = 0
    files: Mapping[str, str]

    def to_json(self) -> str:
        """The text of card.json."""
        data = {"format": FORMAT, "version": VERSION, **asdict(self), "spec": self.spec.to_dict()}
        return json.dumps(data, indent=2, ensure_ascii=False) + "\n"

    @staticmethod
    def from_json(text: str) -> "Card":
        """The card in a text. Raises ValueError that names the wrong key."""
        data = json.loads(text)
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise ValueError(f"not the card of a net (format is not '{FORMAT}')")
        if (version := data.pop("version", None)) != VERSION:
            raise ValueError(f"version {version!r} of the card; this program reads {VERSION}")
        known = {field.name: field for field in fields(Card)}
        for key in data:
            if key not in known:
                raise ValueError(f"{key}: unknown key; known keys are {', '.join(known)}")
        for key, field in known.items():
            if key not in data and field.default is MISSING:
                raise ValueError(f"{key}: missing")
            if key in data:
                data[key] = _CHECKS[key](key, data[key])
        return Card(**data)


def read(folder: Path) -> Card:
    """The card of a folder. Raises WeightsError if there is none or it is wrong; compares no checksums."""
    path = Path(folder) / FILE
    try:
        return Card.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}; the folder of a net holds {FILE}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: {error}") from error


def write(folder: Path, card: Card) -> Card:
    """Write card.json, its `files` replaced by the checksums of all other files of the folder; returns that card."""
    folder = Path(folder)
    names = sorted(
        path.name for path in folder.iterdir() if path.is_file() and path.name != FILE and not path.name.startswith(".")
    )
    files = {name: checksum((folder / name).read_bytes()) for name in names}
    complete = Card(**{**{field.name: getattr(card, field.name) for field in fields(Card)}, "files": files})
    with replacing(folder / FILE) as beside:
        beside.write_text(complete.to_json(), encoding="utf-8")
    return complete


def checksum(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_checked(folder: Path, card: Card, name: str) -> bytes:
    """The content of a file that the card lists. Raises WeightsError if it is missing or its checksum differs."""
    path = Path(folder) / name
    if name not in card.files:
        raise WeightsError(f"{path}: not on the card of {card.name}, which has {', '.join(sorted(card.files))}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}; get the net again") from error
    if checksum(data) != card.files[name]:
        raise WeightsError(f"{path}: the checksum is not the one on the card; get the file again")
    return data


def _text(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{key}: expected a text, got {value!r}")
    return value


def _whole(key: str, value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{key}: expected a whole number, got {value!r}")
    return value


def _spec(key: str, value: object) -> NetSpec:
    try:
        return NetSpec.from_dict(value)
    except NetSpecError as error:
        raise ValueError(f"{key}: {error}") from error


def _heads(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(head in HEADS for head in value):
        raise ValueError(f"{key}: expected a list of heads from {', '.join(HEADS)}, got {value!r}")
    return tuple(value)


def _sizes(key: str, value: object) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(type(size) is int for size in value):
        raise ValueError(f"{key}: expected a list of board sizes, got {value!r}")
    return tuple(value)


def _numbers(key: str, value: object) -> dict[str, float]:
    if not isinstance(value, dict) or not all(type(number) in (int, float) for number in value.values()):
        raise ValueError(f"{key}: expected numbers by name, got {value!r}")
    return value


def _files(key: str, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError(f"{key}: expected checksums by file name, got {value!r}")
    for name, digest in value.items():
        if name != Path(name).name or name in ("", ".", "..") or "\\" in name:
            raise ValueError(f"{key}: '{name}' is not the name of a file in the folder")
        if not isinstance(digest, str) or len(digest) != 64:
            raise ValueError(f"{key}: the checksum of '{name}' is not a SHA-256 in hexadecimal")
    return value


_CHECKS: Final = {
    "name": _text,
    "description": _text,
    "spec": _spec,
    "data": _text,
    "command": _text,
    "steps": _whole,
    "accuracy": _numbers,
    "strength": _text,
    "proven": _heads,
    "sizes": _sizes,
    "rank": _whole,
    "files": _files,
}
