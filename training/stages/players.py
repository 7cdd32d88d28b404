"""Nets as players without a search: asked through torch, or through OpenVINO, which is faster on a CPU.

With a policy of 6 blocks of 64 channels (lee48) a batch of 128 takes 0.7 to 0.8 times as long by OpenVINO as by torch, both in
bfloat16 on a CPU that has it, and 0.7 to 1.0 times in float32. To convert the net takes 1.3 s. Knows how a net's answers are
got where it learns. Knows no learning, no pool and no games.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from goengine import features
from goengine.core.machine import importable
from goengine.nets.build import Net
from goengine.nets.export import openvino_graph, openvino_plays
from goengine.nets.spec import NetSpec
from goengine.policy_play.games import PolicyRows
from training.core.device_feed import DeviceFeed

Answers = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (planes [B,C,N,N], globals [B,G]) -> float32 [B,...] of one head


def torch_answers(forward: Callable[..., Any], head: str, device_feed: DeviceFeed) -> Answers:
    """What a net in evaluation mode, or what calls it, says by torch: the logits of `policy`, `value` in [-1, 1]."""

    def answers(planes: np.ndarray, values: np.ndarray) -> np.ndarray:
        batch = device_feed.put({"planes": planes, "globals": values})
        with torch.inference_mode(), device_feed.autocast():
            said = getattr(forward(batch["planes"], batch["globals"], True), head).float()
            found: np.ndarray = (torch.tanh(said / 2) if head == "value" else said).cpu().numpy()
            return found

    return answers


def openvino_answers(net: Net, head: str, half: bool, threads: int) -> Answers:
    """What the net, as it is now, says by OpenVINO on the CPU. half: in bfloat16, if the CPU has it; threads: 0 for its choice.

    Takes 1 to 2 seconds for the conversion of a net of 6 blocks. Raises WeightsError for a net that OpenVINO does not answer.
    """
    from goengine.evaluators.openvino import capabilities, core, cpu_properties

    precision = "bf16" if half and "BF16" in capabilities() else "f32"
    # Who asks may be computing in half precision or without gradients; the graph is made of the net alone.
    with torch.inference_mode(False), torch.autocast("cpu", enabled=False):
        model = openvino_graph(net)
    request = core().compile_model(model, "CPU", cpu_properties(precision, threads)).create_infer_request()

    def answers(planes: np.ndarray, values: np.ndarray) -> np.ndarray:
        inputs = {"planes": np.ascontiguousarray(planes, np.float32), "globals": np.ascontiguousarray(values, np.float32)}
        request.infer(inputs, share_inputs=True)
        return np.array(request.get_tensor(head).data, np.float32)

    return answers


class NetPolicy:
    """A net that plays by its policy."""

    def __init__(self, answers: Answers, spec: NetSpec):
        self.features, self._answers = features.get(spec.features), answers

    def logits(self, rows: PolicyRows) -> np.ndarray:
        """As `goengine.policy_play.games.Policy`."""
        return self._answers(rows.planes, rows.globals)


@dataclass(frozen=True)
class Seat:
    """Where nets that play are asked. play: `auto` is OpenVINO where torch computes on the CPU, if it is there."""

    device_feed: DeviceFeed
    play: Literal["torch", "openvino", "auto"] = "auto"
    threads: int = 0  # of OpenVINO; 0: its own choice

    def by_openvino(self, spec: NetSpec) -> bool:
        """Whether such a net plays by OpenVINO."""
        if self.play != "auto":
            return self.play == "openvino"
        return self.device_feed.device.type == "cpu" and importable("openvino") and openvino_plays(spec)

    def answers(self, net: Net, head: str, forward: Callable[..., Any] | None = None) -> Answers:
        """What the net says of a head. forward: what calls the net where torch is asked, such as its compiled form.

        OpenVINO keeps the weights as they are now, torch has those of the moment when it is asked.
        """
        if self.by_openvino(net.spec):
            return openvino_answers(net, head, self.device_feed.half, self.threads)
        if forward is None:
            forward = net.to(self.device_feed.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return torch_answers(forward, head, self.device_feed)

    def policy(self, net: Net, forward: Callable[..., Any] | None = None) -> NetPolicy:
        """The net as a player."""
        return NetPolicy(self.answers(net, "policy", forward), net.spec)
