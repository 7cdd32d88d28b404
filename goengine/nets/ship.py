"""A folder in which a net is shipped: weights in float16, the OpenVINO form, and a card that says what is in them.

Knows the layout weights/NAME/: net.safetensors, NAME.xml and NAME.bin, card.json with sizes and checksums. Does not know what
the net achieved: results are handed in and stored as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from goengine.nets.checkpoint import FORMAT, Meta, convert_to_half, load_module
from goengine.nets.safetensors_file import WeightsError, replacing

CARD: Final = "card.json"
NET: Final = "net.safetensors"
SUFFIXES: Final = frozenset({".safetensors", ".xml", ".bin", ".onnx"})


def ship(source: str | os.PathLike[str], folder: str | os.PathLike[str], results: Mapping[str, object] | None = None) -> Path:
    """Makes the shipped form of the weights file `source` in `folder`, whose last part is the net's name; returns the folder.

    The OpenVINO form is made from the float16 weights, so both say the same. results: accuracy, Elo and so on, for the card.
    Raises WeightsError if the source is damaged.
    """
    from goengine.nets.build import parameter_count
    from goengine.nets.export import openvino_model, save_openvino

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    convert_to_half(source, folder / NET)
    net, meta = load_module(folder / NET)
    save_openvino(openvino_model(net, meta), folder / f"{folder.name}.xml")
    write_card(folder, meta, parameter_count(net), results)
    return folder


def write_card(folder: Path, meta: Meta, parameters: int, results: Mapping[str, object] | None = None) -> None:
    """Writes card.json over the files that lie in the folder."""
    names = sorted(p.name for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith("."))
    card = {
        "format": FORMAT,
        "name": folder.name,
        "spec": meta.spec.to_dict(),
        "parameters": parameters,
        "step": meta.step,
        "config": meta.config,
        "data": meta.data,
        "results": {} if results is None else dict(results),
        "files": {name: {"bytes": (folder / name).stat().st_size, "sha256": _sha256(folder / name)} for name in names},
    }
    with replacing(folder / CARD) as beside:
        beside.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_card(folder: str | os.PathLike[str]) -> dict[str, object]:
    """The card of a shipped net. Raises WeightsError if there is none or it cannot be read."""
    path = Path(folder, CARD)
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or not isinstance(card.get("files"), dict):
        raise WeightsError(f"{path}: not the card of a net of this project")
    return card


def verify(folder: str | os.PathLike[str]) -> None:
    """Compares every file of a shipped net with its card. Raises WeightsError naming the first that differs or is missing."""
    for name, facts in read_card(folder)["files"].items():
        path = Path(folder, name)
        if path.parent != Path(folder) or not isinstance(facts, dict):
            raise WeightsError(f"{Path(folder, CARD)}: {name!r} is not a file of this folder")
        if not path.is_file():
            raise WeightsError(f"{path}: missing; the card lists it")
        if _sha256(path) != facts.get("sha256"):
            raise WeightsError(f"{path}: differs from its card; get it again")


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
