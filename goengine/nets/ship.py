"""Makes the folder in which a net is shipped: weights in float16, the OpenVINO forms, and the card over them.

Knows the layout NAME/: net.safetensors, NAME.xml and NAME.bin, NAME-int8.xml and .bin where wanted, card.json. Does not know
what the net achieved: results are handed in. `card` reads what this module writes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from goengine.core.files import remove_parts, replacing
from goengine.nets import card
from goengine.nets.weights_file import FORMAT, Meta, convert_to_half, load_module

if TYPE_CHECKING:
    from goengine.nets.build import Net

NET: Final = "net.safetensors"
SUFFIXES: Final = frozenset({".safetensors", ".xml", ".bin", ".onnx"})


def ship(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    results: Mapping[str, object] | None = None,
    int8: Callable[[Net, Meta], tuple[Net, Meta]] | None = None,
) -> Path:
    """Makes the shipped form of the weights file `source` in `folder`, whose last part is the net's name; returns the folder.

    The OpenVINO forms are made from the float16 weights, so all say the same. results: what the card's Results hold.
    int8: the float16 net and its meta -> a prepared net with steps (see `quantize`) and the meta its file tells; None ships
    no int8 form.
    Raises WeightsError if the source is damaged, ValueError if the results are not what a card takes.
    """
    from goengine.nets.export import int8_model, openvino_model, save_openvino

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    remove_parts(folder)
    convert_to_half(source, folder / NET)
    net, meta = load_module(folder / NET)
    save_openvino(openvino_model(net, meta), folder / f"{folder.name}.xml")
    if int8 is not None:
        save_openvino(int8_model(*int8(net, meta)), folder / f"{folder.name}-int8.xml")
    write_card(folder, results)
    return folder


def write_card(folder: str | os.PathLike[str], results: Mapping[str, object] | None = None) -> card.Card:
    """Writes card.json over the files that lie in the folder, and returns it; again when results were measured.

    Raises WeightsError if net.safetensors is missing or damaged, ValueError if the results are not what a card takes.
    """
    from goengine.nets.build import parameter_count

    folder = Path(folder)
    net, meta = load_module(folder / NET)
    names = sorted(p.name for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith("."))
    content = {
        "format": FORMAT,
        "name": folder.name,
        "spec": meta.spec.to_dict(),
        "parameters": parameter_count(net),
        "step": meta.step,
        "config": meta.config,
        "data": meta.data,
        "results": {} if results is None else dict(results),
        "files": {name: _facts(folder / name) for name in names},
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    checked = card.Card.from_json(text)
    with replacing(folder / card.FILE) as beside:
        beside.write_text(text, encoding="utf-8")
    return checked


def _facts(path: Path) -> dict[str, object]:
    with open(path, "rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
