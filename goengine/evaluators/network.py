"""Plays a checkpoint with PyTorch, on a GPU or on a CPU. The only evaluator that imports torch, and only imported where
it is wanted.

On CUDA the batch goes through page-locked memory: `submit` queues copy, net and copy back, and returns; `result` waits
for an event. Knows weights files and tensors, no Go.
"""

from typing import Final

import numpy as np
import torch
from torch import Tensor

from goengine.evaluators.base import (
    Batch,
    Evaluation,
    EvaluatorBase,
    EvaluatorError,
    FinishedEvaluation,
    Pending,
    Traits,
    empty_evaluation,
)
from goengine.nets.build import Net
from goengine.nets.fold import fold

PRECISIONS: Final = ("auto", "bf16", "f32")


class Network(EvaluatorBase):
    """A net in evaluation mode on `device` ('cpu', 'cuda', 'cuda:1').

    precision: 'auto' takes bf16 where it is fast. threads: 0 leaves torch's setting, which is one for the whole
    process. compiled: use torch.compile, which pays only for long runs with one batch size (4-24 s per shape).
    """

    def __init__(
        self,
        net: Net,
        traits: Traits,
        *,
        device: str = "cpu",
        precision: str = "auto",
        threads: int = 0,
        compiled: bool = False,
    ):
        if precision not in PRECISIONS:
            raise EvaluatorError(f"precision: expected one of {', '.join(PRECISIONS)}, got '{precision}'")
        if threads:
            torch.set_num_threads(threads)
        try:
            self.device = torch.device(device)
            self._net = fold(net).to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch does not list it
        except (RuntimeError, AssertionError) as error:
            raise EvaluatorError(f"device '{device}' cannot be used: {str(error).splitlines()[0]}") from error
        self.traits, self.spec = traits, net.spec
        self.precision = _best_precision(self.device) if precision == "auto" else precision
        self._forward = torch.compile(self._net) if compiled else self._net
        self._stream = torch.cuda.Stream(self.device) if self.device.type == "cuda" else None

    def submit(self, batch: Batch) -> Pending:
        if self._forward is None:
            raise EvaluatorError(f"{self.name}: the evaluator is closed")
        if batch.planes.shape[1] != self.spec.planes or batch.globals.shape[1] != self.spec.globals:
            raise EvaluatorError(
                f"{self.name}: expects {self.spec.planes} planes and {self.spec.globals} globals, got "
                f"{batch.planes.shape[1]} and {batch.globals.shape[1]}"
            )
        if not batch.rows:
            return FinishedEvaluation(empty_evaluation(0, batch.size))
        planes, globals_ = (torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in batch[:2])
        if self._stream is None:
            return FinishedEvaluation(_split(self._answers(planes, globals_).numpy(), batch.size))
        return self._submit_cuda(planes, globals_, batch.size)

    def close(self) -> None:
        self._forward = self._net = None

    @torch.inference_mode()
    def _answers(self, planes: Tensor, globals_: Tensor) -> Tensor:
        """All heads side by side, float32[B, A + 3 + N * N], on the device: one array to copy back."""
        planes = planes.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            out = self._forward(planes, globals_, True)
        three = torch.stack((torch.tanh(out.value.float() / 2), out.score.float(), out.score_stdev.float()), dim=1)
        return torch.cat((out.policy.float(), three, out.ownership.float().flatten(1)), dim=1)

    def _submit_cuda(self, planes: Tensor, globals_: Tensor, size: int) -> Pending:
        with torch.cuda.stream(self._stream):
            moved = [tensor.pin_memory().to(self.device, non_blocking=True) for tensor in (planes, globals_)]
            answers = self._answers(*moved)
            target = torch.empty(answers.shape, dtype=torch.float32, pin_memory=True)
            target.copy_(answers, non_blocking=True)
            event = torch.cuda.Event()
            event.record(self._stream)
        return _Running(event, target, size)


class _Running:
    """A batch on the GPU; `target` is page-locked and filled once the event has passed."""

    def __init__(self, event: torch.cuda.Event, target: Tensor, size: int):
        self.event, self.target, self.size = event, target, size
        self.evaluation: Evaluation | None = None

    def ready(self) -> bool:
        return self.evaluation is not None or self.event.query()

    def result(self) -> Evaluation:
        if self.evaluation is None:
            self.event.synchronize()
            self.evaluation = _split(self.target.numpy(), self.size)
        return self.evaluation


def _split(answers: np.ndarray, size: int) -> Evaluation:
    """The heads out of one array. Copies, so that the memory below may be used again."""
    actions = size * size + 1
    value, score, stdev = answers[:, actions : actions + 3].T
    parts = (answers[:, :actions], value, score, stdev, answers[:, actions + 3 :])
    return Evaluation(*(np.array(part, np.float32, order="C") for part in parts))


def _best_precision(device: torch.device) -> str:
    """bf16 on GPUs and CPUs that compute it directly, else f32."""
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "f32"
    return "bf16" if torch.ops.mkldnn._is_mkldnn_bf16_supported() else "f32"
