"""The reader's nets as files: weights with their spec, and the OpenVINO pair that reads pictures."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.core.files import replacing
from goengine.nets import safetensors_file
from goengine.nets.export import save_openvino
from goengine.nets.safetensors_file import WeightsError
from training.pictures import nets
from training.pictures.nets import ReaderSpec

FORMAT: Final = "goengine-reader-1"
CARD_FORMAT: Final = "goengine reader card"


def save(path: Path, arrays: Mapping[str, np.ndarray], spec: ReaderSpec, story: Mapping[str, Any]) -> None:
    """Write a net in the safetensors format. story: how it was made, as JSON values."""
    safetensors_file.write_file(
        path, arrays, {"format": FORMAT, "spec": spec.to_json(), "data": json.dumps(dict(story), sort_keys=True)}
    )


def load(path: Path) -> tuple[nn.Module, ReaderSpec, dict[str, Any]]:
    """(net, spec, story). Raises WeightsError if the file is no net of this kind, or broken."""
    arrays, metadata = safetensors_file.read_file(path)
    if metadata.get("format") != FORMAT:
        raise WeightsError(f"{path} is no net of the reader of pictures (format {metadata.get('format')!r})")
    try:
        spec = ReaderSpec.from_json(metadata["spec"])
        net = nets.build(spec)
        net.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
    except (ValueError, KeyError, RuntimeError) as error:
        raise WeightsError(f"{path}: its weights and its spec do not belong together ({error})") from error
    return net.eval(), spec, json.loads(metadata.get("data", "{}"))


class _Exported(nn.Module):
    """A net that answers with probabilities."""

    def __init__(self, net: nn.Module, spec: ReaderSpec) -> None:
        super().__init__()
        self.net, self.kind = net, spec.kind

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels [B, 3, H, W], 0 to 255; the answers in the order of MAPS or SIGNS, those of stones adding up to 1."""
        out = self.net(pixels)
        if self.kind == "segment":
            return torch.cat([torch.sigmoid(out[:, :3]), F.softmax(out[:, 3:], 1)], 1)
        return torch.cat([F.softmax(out[:, :3], 1), torch.sigmoid(out[:, 3:])], 1)


def ship(weights: Path, folder: Path) -> Path:
    """Export a net into a folder, with its card KIND.json. Returns the graph's path. Raises as `load`."""
    net, spec, story = load(weights)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{spec.kind}.xml"
    export(net, spec, path)
    digest = hashlib.sha256(path.with_suffix(".bin").read_bytes()).hexdigest()
    card = {"format": CARD_FORMAT, "spec": asdict(spec), "parameters": sum(p.numel() for p in net.parameters())}
    card |= {"made_by": _made_by(story), "bin_sha256": digest}
    with replacing(path.with_suffix(".json")) as beside:
        beside.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return path


def _made_by(story: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The runs that made a net, the first one first: pictures, seconds, options that matter, figures on held-out pictures."""
    options = {name: story["config"][name] for name in ("seed", "batch", "rate", "average", "optimizer")}
    run = {"pictures": story["pictures"], "seconds": story["seconds"], "options": options, "figures": story["figures"]}
    return [*(_made_by(story["before"]) if story.get("before") else []), run]


def export(net: nn.Module, spec: ReaderSpec, path: Path) -> None:
    """Write the OpenVINO pair PATH (.xml) and .bin, float16 weights; input `pixels`, output `answers`; any picture's size."""
    from goengine.core.openvino_import import ov, unreported

    with unreported(), torch.no_grad():
        example = torch.zeros(1, 3, 128, 128)
        shape = ov.PartialShape([-1, 3, -1, -1])
        model = ov.convert_model(_Exported(net.eval().float(), spec), example_input=example, input=[shape])
    model.inputs[0].get_tensor().set_names({"pixels"})
    model.outputs[0].get_tensor().set_names({"answers"})
    save_openvino(model, path)
