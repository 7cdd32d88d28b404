"""The card of a shipped net: what it is, what it achieved, and the checksum of every file; and files read against it.

`ship` writes cards; this module reads them for whoever plays the net, and trusts nothing: a wrong key is an error, and
no file is used before its checksum was compared. The folder NAME/ holds card.json, net.safetensors (for torch) and
NAME.xml, NAME.bin (for OpenVINO; NAME-int8.* where there is a quantized form). Knows no backend and no torch.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from goengine.core.files import read_outside
from goengine.nets.safetensors_file import MAX_FILE, WeightsError
from goengine.nets.spec import NetSpec, NetSpecError
from goengine.nets.weights_file import FORMAT

FILE: Final = "card.json"
MAX_CARD: Final = 1 << 20  # bytes
HEADS: Final = ("value", "score", "ownership")


@dataclass(frozen=True, kw_only=True)
class Results:
    """What was measured, and what follows for those who use the net.

    proven: heads that held-out games showed to carry information (from HEADS). sizes: board sizes it was trained on;
    among the nets for a size the one of highest rank is the default. form: 'int8' where the quantized form is the
    stronger one at equal time, so that it plays on CPUs that compute it exactly; else empty. numbers: everything else
    that was measured, by name (top1, ...).
    """

    description: str = ""
    command: str = ""  # what made it
    strength: str = ""  # in words, with the conditions it was measured under
    proven: tuple[str, ...] = ()
    sizes: tuple[int, ...] = (19,)
    rank: int = 0
    form: str = ""
    numbers: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Card:
    """card.json, checked. config, data: the training configuration and its games, as JSON; files: name -> SHA-256."""

    name: str
    spec: NetSpec
    parameters: int
    step: int
    config: Mapping[str, object]
    data: Mapping[str, object]
    results: Results
    files: Mapping[str, str]

    @staticmethod
    def from_json(text: str) -> "Card":
        """The card in a text. Raises ValueError that names the wrong key."""
        data = json.loads(text)
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise ValueError(f"not the card of a net of this project (format is not '{FORMAT}')")
        for key in data:
            if key not in _CHECKS:
                raise ValueError(f"{key}: unknown key; known keys are {', '.join(_CHECKS)}")
        for key in _CHECKS:
            if key not in data:
                raise ValueError(f"{key}: missing")
        return Card(**{key: check(key, data[key]) for key, check in _CHECKS.items()})


def read(folder: Path) -> Card:
    """The card of a folder. Raises WeightsError if there is none or it is wrong; compares no checksums."""
    path = Path(folder) / FILE
    try:
        return Card.from_json(read_outside(path, MAX_CARD).decode("utf-8"))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}; the folder of a net holds {FILE}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: {error}") from error


def read_checked(folder: Path, card: Card, name: str) -> bytes:
    """The content of a file that the card lists. Raises WeightsError if it is missing or its checksum differs."""
    path = Path(folder) / name
    if name not in card.files:
        raise WeightsError(f"{path}: not on the card of {card.name}, which has {', '.join(sorted(card.files))}")
    try:
        data = read_outside(path, MAX_FILE)
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}; get the net again") from error
    if hashlib.sha256(data).hexdigest() != card.files[name]:
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


def _mapping(key: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{key}: expected an object, got {value!r}")
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
    if not isinstance(value, list) or not value or not all(type(size) is int and 2 <= size <= 25 for size in value):
        raise ValueError(f"{key}: expected a list of board sizes, got {value!r}")
    return tuple(value)


def _form(key: str, value: object) -> str:
    if value not in ("", "int8"):
        raise ValueError(f"{key}: expected 'int8' or nothing, got {value!r}")
    return value


def _results(key: str, value: object) -> Results:
    known, numbers = {}, {}
    for name, entry in _mapping(key, value).items():
        if name in _RESULT_CHECKS:
            known[name] = _RESULT_CHECKS[name](f"{key}.{name}", entry)
        else:
            numbers[name] = entry
    return Results(**known, numbers=numbers)


def _files(key: str, value: object) -> dict[str, str]:
    digests = {}
    for name, facts in _mapping(key, value).items():
        if name != Path(name).name or name in ("", ".", "..") or "\\" in name:
            raise ValueError(f"{key}: '{name}' is not the name of a file in the folder")
        digest = facts.get("sha256") if isinstance(facts, dict) else None
        if not isinstance(digest, str) or len(digest) != 64:
            raise ValueError(f"{key}: '{name}' has no sha256 in hexadecimal")
        digests[name] = digest
    return digests


_CHECKS: Final = {
    "name": _text,
    "spec": _spec,
    "parameters": _whole,
    "step": _whole,
    "config": _mapping,
    "data": _mapping,
    "results": _results,
    "files": _files,
}
_RESULT_CHECKS: Final = {
    "description": _text,
    "command": _text,
    "strength": _text,
    "proven": _heads,
    "sizes": _sizes,
    "rank": _whole,
    "form": _form,
}
