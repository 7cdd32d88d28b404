"""The linear policies that come with the engine, and the card beside each: how it was made, what it achieved, its checksum.

A policy's folder holds policy.npz and policy.json; `python -m training rollout` writes both into its run, and the shipped ones
are copies in weights/rollout and weights/tree. Policies are no nets: `goengine.evaluators.shipped_nets` does not see them.
Trusts no file: a card with a wrong key is an error, and a policy is used only after its checksum was compared.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goengine.core.array_file import MAX_FILE
from goengine.core.files import read_outside, replacing
from goengine.patterns.policy import COLUMNS, LinearPolicy, PolicyError, load, save

FOLDER: Final = Path(__file__).resolve().parent.parent / "weights"
POLICY, CARD = "policy.npz", "policy.json"
MAX_CARD: Final = 1 << 20  # bytes
FORMAT: Final = "goengine linear policy card"
_PLAIN: Final = {"data": tuple, "seconds": (int, float), "patterns": dict, "validation": dict}  # what isinstance understands


@dataclass(frozen=True, kw_only=True)
class PolicyCard:
    """policy.json: the story of one policy."""

    kind: str  # 'rollout' or 'tree'
    command: str  # what made it
    data: tuple[str, ...]  # names of the packs of games
    games: int
    positions: int  # learned from
    seconds: float  # of learning, mining not included
    patterns: Mapping[str, int]  # by kind of pattern
    weights: int
    validation: Mapping[str, float]  # figures of the file's own weights on games that were not learned from; may be empty
    sha256: str = ""  # of policy.npz

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            expected = _PLAIN.get(field.name, field.type)
            if not isinstance(value, expected) or isinstance(value, bool):
                raise ValueError(f"{field.name}: unexpected {value!r}")
        if self.kind not in COLUMNS:
            raise ValueError(f"kind: '{self.kind}' is none of {', '.join(COLUMNS)}")


def write(folder: Path, policy: LinearPolicy, card: PolicyCard) -> None:
    """Write a policy and, with its checksum, its card. Raises OSError if the disk does not take them."""
    save(policy, folder / POLICY)
    digest = hashlib.sha256((folder / POLICY).read_bytes()).hexdigest()
    told = {"format": FORMAT} | dataclasses.asdict(dataclasses.replace(card, sha256=digest))
    with replacing(folder / CARD) as beside:
        beside.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of the shipped policies, by alphabet; a name is a folder with a policy's card."""
    return tuple(sorted(path.parent.name for path in (FOLDER if folder is None else folder).glob(f"*/{CARD}")))


def read(name: str, folder: Path | None = None) -> PolicyCard:
    """The card of a shipped policy. Raises PolicyError if there is none or it is wrong."""
    path = (FOLDER if folder is None else folder) / name / CARD
    try:
        told = json.loads(read_outside(path, MAX_CARD))
        if not isinstance(told, dict) or told.pop("format", None) != FORMAT:
            raise ValueError(f"it is not of the format '{FORMAT}'")
        return PolicyCard(**told | {"data": tuple(told.get("data", ()))})
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise PolicyError(f"{path}: {error}") from None


def read_policy(name: str, folder: Path | None = None) -> LinearPolicy:
    """A shipped policy. Raises PolicyError if a file is missing, damaged, or the checksum is not the card's."""
    card, path = read(name, folder), (FOLDER if folder is None else folder) / name / POLICY
    try:
        digest = hashlib.sha256(read_outside(path, MAX_FILE)).hexdigest()
    except OSError as error:
        raise PolicyError(f"{path}: cannot be read: {error.strerror}") from None
    if digest != card.sha256:
        raise PolicyError(f"{path}: the checksum is not the one on the card; get the file again")
    policy = load(path)
    if policy.kind != card.kind:
        raise PolicyError(f"{path}: it is a {policy.kind} policy, and its card is that of a {card.kind} policy")
    return policy


def problems(folder: Path | None = None) -> list[str]:
    """What is wrong with the files of the shipped policies; empty if nothing is."""
    found = []
    for name in names(folder):
        try:
            read_policy(name, folder)
        except PolicyError as error:
            found.append(str(error))
    return found
