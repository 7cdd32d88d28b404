"""A net in the forms in which it plays: OpenVINO IR (float32, float16 weights, int8) and ONNX.

Knows how to turn a trained module into a graph with the inputs planes [B,P,M,M] and globals [B,G] and the outputs policy
[B,M*M+1] (logits), value [B] in [-1,1], score [B], score_stdev [B] (points) and ownership [B,M,M] in [-1,1], all for the
player to move.

**The board fills the planes.** An exported graph has no mask: it must be given M x M planes for a board of size M, never a
padded one (plane 0 is all ones). Batch and board size are dynamic, so one file plays every size.

Needs PyTorch and the format's own library (openvino, onnxscript), each imported where it is used. Playing needs none
of this module.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from goengine.core.files import replacing
from goengine.nets.build import Net
from goengine.nets.fold import fold
from goengine.nets.owners_head import OwnersHead
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.spec import NetSpec
from goengine.nets.weights_file import FORMAT, Meta

if TYPE_CHECKING:
    from openvino import Model

INPUTS: Final = ("planes", "globals")
OUTPUTS: Final = ("policy", "value", "score", "score_stdev", "ownership")
HEAD_OUTPUTS: Final = ("ownership", "points", "stones")  # of a head that divides the board
_TRACING: Final = threading.Lock()  # PyTorch traces one module at a time: it keeps the names of its layers in a global
RT_INFO: Final = "goengine"  # the section of an IR's runtime information that holds `labels`


class ExportedNet(nn.Module):
    """A folded net with the outputs of an exported graph."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = fold(net).cpu().float()

    def forward(self, planes: Tensor, globals_: Tensor) -> tuple[Tensor, ...]:
        """planes [B,P,M,M] of full boards, globals [B,G] -> the tensors of OUTPUTS."""
        out = self.net(planes, globals_, True)
        return out.policy, torch.tanh(out.value * 0.5), out.score, out.score_stdev, out.ownership


def labels(meta: Meta) -> dict[str, str]:
    """What an exported file says about itself; sha256 is the checksum of the weights file it was made from."""
    step, spec = str(meta.step), meta.spec
    return {"format": FORMAT, "spec": spec.to_json(), "features": spec.features, "step": step, "sha256": meta.sha256}


def export_onnx(net: Net, meta: Meta, path: str | os.PathLike[str]) -> None:
    """Writes the net as one ONNX file (opset 18 or later), the labels in its metadata. Takes some seconds."""
    dim = torch.export.Dim
    batch, size = dim("batch"), dim("size", min=2, max=25)
    shapes = ({0: batch, 2: size, 3: size}, {0: batch})
    with quiet(), torch.no_grad():
        program = torch.onnx.export(
            ExportedNet(net),
            _example(net),
            dynamo=True,
            verbose=False,
            input_names=INPUTS,
            output_names=OUTPUTS,
            dynamic_shapes=shapes,
        )
    program.model.metadata_props.update(labels(meta))
    with replacing(path) as beside:
        program.save(str(beside), external_data=False)


def openvino_plays(spec: NetSpec) -> bool:
    """Whether OpenVINO (2026.4) answers such a net; of others it gives empty answers without an error."""
    return spec.norm not in ("group", "instance") or not any(block.kind.startswith("down_up") for block in spec.blocks)


def _check_blocks(spec: NetSpec) -> None:
    """Raises WeightsError for a net that OpenVINO does not answer."""
    if not openvino_plays(spec):
        raise WeightsError(
            f"OpenVINO gives no answers of down-up blocks with {spec.norm} norm: play the .safetensors file by torch "
            "(--device torch-cpu or cuda), or train with batch, layer or fixed norm"
        )


def openvino_model(net: Net, meta: Meta) -> Model:
    """As `openvino_graph`, with the labels of the weights file that the net came from."""
    model = openvino_graph(net)
    for key, value in labels(meta).items():
        model.set_rt_info(value, [RT_INFO, key])
    return model


def openvino_graph(net: Net) -> Model:
    """The net as an OpenVINO model in float32, with dynamic batch and board size, straight from the module.

    Reshaping to a fixed batch and size gains 10-25 % at a batch of one and nothing measurable from a batch of 8; fixing the
    size alone gains nothing (b4c64 and b6c96, 9x9 and 19x19, bfloat16, one thread). So one dynamic model can serve everything.
    Raises WeightsError for a net whose model OpenVINO answers with nothing.
    """
    spec = net.spec
    _check_blocks(spec)
    from goengine.core.openvino_import import ov, unreported

    player = ExportedNet(net)
    with _TRACING, quiet(), unreported(), torch.no_grad():
        shapes = [ov.PartialShape([-1, spec.planes, -1, -1]), ov.PartialShape([-1, spec.globals])]
        model = ov.convert_model(player, example_input=_example(net), input=shapes)
    for port, name in zip(model.inputs, INPUTS, strict=True):
        port.get_tensor().set_names({name})
    for port, name in zip(model.outputs, OUTPUTS, strict=True):
        port.get_tensor().set_names({name})
    return model


class ExportedHead(nn.Module):
    """A folded head that answers with probabilities."""

    def __init__(self, head: OwnersHead) -> None:
        super().__init__()
        self.head = fold(head).cpu().float()

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """seen [B,C,M,M] -> ownership [B,M,M] in [-1, 1], points [B,3,M,M], stones [B,3,M,M]."""
        out = self.head(seen)
        points = torch.softmax(out.points, dim=1)
        return points[:, 0] - points[:, 1], points, torch.softmax(out.stones, dim=1)


def openvino_head(head: OwnersHead) -> Model:
    """The head as an OpenVINO model: input `trunk` [B,C,M,M] with free batch and size, outputs HEAD_OUTPUTS."""
    from goengine.core.openvino_import import ov, unreported

    with quiet(), unreported(), torch.no_grad():
        shape = ov.PartialShape([-1, head.spec.planes, -1, -1])
        example = torch.zeros(2, head.spec.planes, 9, 9)
        model = ov.convert_model(ExportedHead(head), example_input=example, input=[shape])
    model.inputs[0].get_tensor().set_names({"trunk"})
    for port, name in zip(model.outputs, HEAD_OUTPUTS, strict=True):
        port.get_tensor().set_names({name})
    return model


def save_openvino(model: Model, path: str | os.PathLike[str], *, compress: bool = True) -> None:
    """Writes PATH (must end in .xml) and its .bin beside it. compress: store float32 weights as float16.

    Raises ValueError if the path does not end in .xml.
    """
    from goengine.core.openvino_import import ov

    path = Path(path)
    if path.suffix != ".xml":
        raise ValueError(f"{path}: an OpenVINO file's name ends in .xml")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.stem}.") as folder:
        beside = Path(folder, path.name)
        ov.save_model(model, beside, compress_to_fp16=compress)
        _tell_checksum(beside)
        # The .bin first: whoever finds the .xml finds its weights.
        os.replace(beside.with_suffix(".bin"), path.with_suffix(".bin"))
        os.replace(beside, path)


def _tell_checksum(xml: Path) -> None:
    """Write the checksum of the .bin into the labels of the .xml, if it has any: readers compare it."""
    digest = hashlib.sha256(xml.with_suffix(".bin").read_bytes()).hexdigest()
    before, end, after = xml.read_bytes().rpartition(f"</{RT_INFO}>".encode())
    if end:
        xml.write_bytes(before + f'\t<bin_sha256 value="{digest}" />\n\t\t'.encode() + end + after)


def int8_model(prepared: Net, meta: Meta) -> Model:
    """A prepared net with its steps (see `quantize`) as an OpenVINO model whose rounded convolutions compute on integers."""
    from openvino._offline_transformations import compress_quantize_weights_transformation

    model = openvino_model(prepared, meta)
    compress_quantize_weights_transformation(model)  # the weights as the integers that they are
    return model


def openvino_labels(model: Model) -> Mapping[str, str]:
    """The labels of a model read back, empty if it is not one of ours."""
    if not model.has_rt_info([RT_INFO]):
        return {}
    keys = ("format", "spec", "features", "step", "sha256")
    return {key: str(model.get_rt_info([RT_INFO, key]).astype(str)) for key in keys if model.has_rt_info([RT_INFO, key])}


def _example(net: Net) -> tuple[Tensor, Tensor]:
    """Inputs to trace with: two boards of size 9, so that no dimension is taken for a constant 1."""
    return torch.ones(2, net.spec.planes, 9, 9), torch.zeros(2, net.spec.globals)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Sends what the exporters print to stderr (stdout belongs to results) and drops their warnings about themselves."""
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
