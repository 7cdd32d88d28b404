"""The forms in which a trained net of a comparison is timed and plays: files beside its weights, made once.

Knows where they lie and which of them there are; learns and times nothing.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from goengine.core.machine import importable
from goengine.nets import export, weights_file
from goengine.nets.safetensors_file import WeightsError
from training.laboratory.costs import Form, Inputs, openvino_graph

WEIGHTS: Final = "net.safetensors"
FORMS: Final[tuple[Form, ...]] = ("f32", "bf16", "int8")


def write(folder: Path, calibration: Sequence[Inputs]) -> None:
    """Export the net in a folder for OpenVINO, in floating point and on 8-bit integers where it computes on them.

    Writes nothing where OpenVINO is missing or cannot play the net: torch does.
    """
    if not importable("openvino"):
        return
    net, meta = weights_file.load_module(folder / WEIGHTS)
    for form in ("f32", "int8"):
        path = folder / graph_name(form)
        if path.exists() and path.stat().st_mtime_ns >= (folder / WEIGHTS).stat().st_mtime_ns:
            continue
        try:
            graph = openvino_graph(net, meta, form, calibration)
        except WeightsError:
            return
        if graph is not None:
            export.save_openvino(graph, path)


def graph_name(form: Form) -> str:
    """The file of a form; bf16 is a way to compute the one of f32."""
    return "net-int8.xml" if form == "int8" else "net.xml"


def player_file(folder: Path, form: Form) -> Path:
    """What a player of that form loads: the graph, the graph of f32 where there is no int8, the weights where there is none."""
    for name in (graph_name(form), graph_name("f32")):
        if (folder / name).exists():
            return folder / name
    return folder / WEIGHTS


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of the files there are: weights (float32), graph (with weights of float16), int8 (a graph on 8-bit integers)."""
    found = {"weights": (folder / WEIGHTS).stat().st_size}
    for name, file in (("graph", graph_name("f32")), ("int8", graph_name("int8"))):
        path = folder / file
        if path.exists():
            found[name] = path.stat().st_size + path.with_suffix(".bin").stat().st_size
    return found
