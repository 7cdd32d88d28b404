"""Sequence models as OpenVINO graphs, so that playing needs no torch. Needs torch and openvino."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from goengine.nets.export import RT_INFO, quiet, save_openvino
from goengine.nets.sequence.sequence_file import FORMAT, SequenceFile
from goengine.nets.sequence.sequence_spec import BOARD
from goengine.ranks.inputs import SIDE

if TYPE_CHECKING:
    from openvino import Model

INPUTS: Final = ("tokens", "colors", "turn", "ranks")
FEATURES: Final = "features"  # the further input of a decoder with a memory
OUTPUTS: Final = ("logits", "points")  # points: how much each token attends to the points of the board, with a memory


class Exported(nn.Module):
    """A model with the outputs of an exported graph."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, colors: Tensor, turn: Tensor, ranks: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """-> logits [B,T,MOVES], shares of attention [B,T,361]."""
        logits = self.model(tokens, colors, turn, ranks, features)
        return logits, self.model.attention(tokens, colors, turn, ranks, features)[1]


def openvino_sequence(file: SequenceFile) -> Model:
    """The model as an OpenVINO graph with free batch and length of lines."""
    from goengine.core.openvino_import import ov, unreported

    spec, model = file.spec, file.model()
    tokens = torch.zeros(2, 7, dtype=torch.int64)
    example: list[Tensor] = [tokens, tokens + 1, tokens + 1, torch.zeros(2, 2, SIDE)]
    shapes = [ov.PartialShape([-1, -1])] * 3 + [ov.PartialShape([-1, 2, SIDE])]
    names = list(INPUTS)
    if spec.memory:
        example.append(torch.zeros(2, spec.memory, BOARD, BOARD))
        shapes.append(ov.PartialShape([-1, spec.memory, BOARD, BOARD]))
        names.append(FEATURES)
    with quiet(), unreported(), torch.no_grad():
        player = Exported(model) if spec.memory else model
        graph = ov.convert_model(player, example_input=tuple(example), input=shapes)
    for port, name in zip(graph.inputs, names, strict=True):
        port.get_tensor().set_names({name})
    for port, name in zip(graph.outputs, OUTPUTS, strict=False):
        port.get_tensor().set_names({name})
    for key, value in {"format": FORMAT, "spec": spec.to_json(), "sha256": file.sha256}.items():
        graph.set_rt_info(value, [RT_INFO, key])
    return graph


def export(file: SequenceFile, path: str | os.PathLike[str]) -> None:
    """Write PATH (NAME.xml) and its .bin in float16. Raises ValueError if the path does not end in .xml."""
    save_openvino(openvino_sequence(file), path)
