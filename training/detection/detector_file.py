"""A detector on the disk: weights with the description that rebuilds them, and the graph that plays.

Knows the safetensors format and OpenVINO's; no pictures.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from goengine.nets.export import save_openvino
from goengine.nets.fold import fold
from goengine.nets.safetensors_file import WeightsError, read_file, write_file
from goengine.vision.default_boxes import SCALE, SHIFT, SIDE, default_boxes
from training.detection.detector import Detector, DetectorSpec

FORMAT = "goengine-detector-1"


def save(path: Path, arrays: Mapping[str, np.ndarray], spec: DetectorSpec, card: Mapping[str, object]) -> None:
    """Write a detector's weights; card: what it learned, for people (JSON values)."""
    write_file(path, arrays, {"format": FORMAT, "spec": json.dumps(asdict(spec)), "card": json.dumps(card)})


def load(path: str | os.PathLike[str]) -> Detector:
    """The detector of a file, in evaluation mode. Raises WeightsError if it is of another kind or its arrays do not fit."""
    arrays, metadata = read_file(path)
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{path}: holds no detector, but {metadata.get('format', 'something unknown')}")
    try:
        data = json.loads(metadata["spec"])
        net = Detector(DetectorSpec(tuple(data["channels"]), tuple(data["blocks"]), int(data["expansion"])))
        net.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path}: the weights do not belong to the detector that the file describes: {error}") from None
    return net.eval()


class ExportedDetector(nn.Module):
    """A folded detector that answers with probabilities, and with boxes in pixels."""

    def __init__(self, net: Detector) -> None:
        super().__init__()
        self.net = fold(net).cpu().float()
        self.register_buffer("defaults", torch.from_numpy(default_boxes()))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """pictures [B,3,S,S] -> classes [B,D,4], boxes [B,D,4], sides [B,D,4]."""
        told = self.net(pictures)
        defaults = self.get_buffer("defaults")
        centres = defaults[:, :2] + told.boxes[..., :2] * SHIFT * defaults[:, 2:]
        spans = defaults[:, 2:] * torch.exp(torch.clamp(told.boxes[..., 2:] * SCALE, -8.0, 8.0))
        return torch.sigmoid(told.classes), torch.cat((centres, spans), dim=2), torch.sigmoid(told.sides)


def export(net: Detector, path: Path) -> None:
    """Write PATH.xml with its .bin: one picture at a time, its weights in 16 bits."""
    from goengine.core.openvino_import import ov, unreported

    with unreported(), torch.no_grad():
        shape = ov.PartialShape([1, 3, SIDE, SIDE])
        model = ov.convert_model(ExportedDetector(net), example_input=torch.zeros(1, 3, SIDE, SIDE), input=[shape])
    model.inputs[0].get_tensor().set_names({"pictures"})
    for port, name in zip(model.outputs, ("classes", "boxes", "sides"), strict=True):
        port.get_tensor().set_names({name})
    save_openvino(model, path)
