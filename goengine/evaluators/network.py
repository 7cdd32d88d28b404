"""Plays a checkpoint with PyTorch, on a GPU or on a CPU. The only evaluator that imports torch, and only imported where
it is wanted.

A batch goes through buffers that are kept and used again; for a GPU they are page-locked, so that copies need no CPU. `submit`
fills a buffer, queues copy, net and copy back, and returns; `result` waits for an event. Batches are padded to few sizes,
because a GPU chooses its kernels anew for each, and each can then be a CUDA graph. A CPU takes the same path without streams,
events and graphs. Knows weights files and tensors, no Go.
"""

import contextlib
import dataclasses
from collections.abc import Sequence
from typing import Any, Final

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
from goengine.nets import devices
from goengine.nets.build import Net
from goengine.nets.cuda_graph import CudaGraph
from goengine.nets.fold import fold
from goengine.nets.net_parts import SplitNet
from goengine.nets.spec import NetSpec

PRECISIONS: Final = ("auto", "bf16", "f32")
_EXACT: Final = 8  # rows up to which a batch is computed as it is
_EQUAL: Final = 0.05  # how far the answers of a graph may be from those without: bfloat16 adds in another order


def padded_rows(rows: int, largest: int) -> int:
    """Rows that are computed for a batch of so many. largest: of the batches of this board size so far.

    Nearly full batches are made full: self-play has a few rows less whenever games end. Others go up to the next of 8, 10, 12,
    14, 16, 20, 24, 28, 32, 40 and so on, which adds less than a quarter.
    """
    if rows <= _EXACT or rows == largest:
        return rows
    step = 1 << max(1, (rows - 1).bit_length() - 3)
    padded = -(-rows // step) * step
    return largest if 8 * rows > 7 * largest else min(padded, largest)


class Network(EvaluatorBase):
    """A net in evaluation mode on `device` ('cpu', 'cuda', 'cuda:1'), or in parts on several of one kind ('cuda:0+cuda:1').

    precision: 'auto' takes bf16 where it is fast, else f32. threads: 0 leaves torch's setting, which is one for the whole
    process. graphs: record each size of batch as a CUDA graph, by default on a GPU; what cannot be recorded, or answers
    otherwise than without, is computed as usual. Raises EvaluatorError if the device cannot be used.
    """

    def __init__(
        self,
        net: Net,
        traits: Traits,
        *,
        device: str = "cpu",
        precision: str = "auto",
        threads: int = 0,
        graphs: bool | None = None,
    ):
        if precision not in PRECISIONS:
            raise EvaluatorError(f"precision: expected one of {', '.join(PRECISIONS)}, got '{precision}'")
        places = _places(device)
        if threads:
            torch.set_num_threads(threads)
        self.device, self._last, self.spec = places[0], places[-1], net.spec  # where planes go, where answers come from
        on_gpu = self.device.type == "cuda"
        try:
            self._net: Any = _on(fold(net), places)
            self.precision = ("bf16" if devices.has_bfloat16(self.device) else "f32") if precision == "auto" else precision
            self._stream = torch.cuda.Stream(self.device) if on_gpu else None
            if self._stream is not None:
                self._stream.wait_stream(torch.cuda.current_stream(self.device))  # which brings the weights there
        except RuntimeError as error:
            why = devices.failure(error, device) or str(error).splitlines()[0]
            raise EvaluatorError(f"device '{device}' cannot be used: {why}") from error
        except ValueError as error:
            raise EvaluatorError(f"device '{device}': {error}") from error
        if on_gpu:
            torch.backends.cudnn.benchmark = True  # batches have few shapes: look for the fastest convolutions
        self.traits = dataclasses.replace(traits, device=f"{device} {self.precision}")
        recorded = len(places) == 1 and (on_gpu if graphs is None else graphs)  # a graph is of one device
        self._graph = CudaGraph(self._answers) if recorded else None
        self._compared: set[torch.Size] = set()  # shapes whose graph was seen to answer as the net does
        self._largest: dict[int, int] = {}  # rows of the largest batch so far, by board size
        self._free: dict[tuple[int, int], list[_Buffers]] = {}  # that nobody uses, by rows and board size

    def submit(self, batch: Batch) -> Pending:
        if self._net is None:
            raise EvaluatorError(f"{self.name}: the evaluator is closed")
        if batch.planes.shape[1] != self.spec.planes or batch.globals.shape[1] != self.spec.globals:
            raise EvaluatorError(
                f"{self.name}: expects {self.spec.planes} planes and {self.spec.globals} globals, got "
                f"{batch.planes.shape[1]} and {batch.globals.shape[1]}"
            )
        if not batch.rows:
            return FinishedEvaluation(empty_evaluation(0, batch.size))
        try:
            return self._start(batch)
        except RuntimeError as error:
            raise self._told(error, batch.rows) from error

    def close(self) -> None:
        if self._stream is not None and self._net is not None:
            with contextlib.suppress(RuntimeError):  # a device that has failed has nothing under way
                self._stream.synchronize()  # whoever gets the weights' memory must not write there before
                torch.cuda.current_stream(self._last).synchronize()
        self._net, self._graph = None, None
        self._free.clear()

    def _start(self, batch: Batch) -> Pending:
        """Queue everything that a batch needs."""
        largest = self._largest[batch.size] = max(batch.rows, self._largest.get(batch.size, 0))
        key = padded_rows(batch.rows, largest), batch.size
        free = self._free.setdefault(key, [])
        buffers = free.pop() if free else _Buffers(self.spec, *key, self.device, self.precision)
        buffers.fill(batch)
        with torch.cuda.stream(self._stream) if self._stream else contextlib.nullcontext():
            inputs = [tensor.to(self.device, non_blocking=True) for tensor in (buffers.planes, buffers.globals)]
            buffers.answers.copy_(self._computed(inputs), non_blocking=True)
            if buffers.event is not None:
                buffers.event.record(torch.cuda.current_stream(self._last))
        return _Running(self, buffers, batch.rows)

    @torch.inference_mode()
    def _computed(self, inputs: Sequence[Tensor]) -> Tensor:
        """The answers, by a graph where there is one that works."""
        if self._graph is None:
            return self._answers(inputs)[0]
        try:
            (answers,) = self._graph(inputs)
            if inputs[0].shape in self._compared:
                return answers
            (plain,) = self._answers(inputs)
            if torch.allclose(answers, plain, rtol=_EQUAL, atol=_EQUAL, equal_nan=True):
                self._compared.add(inputs[0].shape)
                return answers
        except RuntimeError:  # if the device itself has failed, so does the next line
            pass
        self._graph = None
        return self._answers(inputs)[0]

    def _answers(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """All heads side by side, float32[B, A + 3 + N * N], on the device: one array to copy back."""
        planes, globals_ = inputs
        planes = planes.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            out = self._net(planes, globals_, True)
        three = torch.stack((torch.tanh(out.value.float() / 2), out.score.float(), out.score_stdev.float()), dim=1)
        return [torch.cat((out.policy.float(), three, out.ownership.float().flatten(1)), dim=1)]

    def _told(self, error: RuntimeError, rows: int) -> Exception:
        """What to raise for an error: in the words of the device if it is the device's, else itself."""
        why = devices.failure(error, self.device)
        return error if why is None else EvaluatorError(f"{self.name}, {rows} positions at once: {why}")


def _places(device: str) -> list[torch.device]:
    """The devices of a name such as 'cuda:0+cuda:1'. Raises EvaluatorError if one of them cannot be used."""
    names = device.split("+")
    for name in names:
        if missing := devices.missing(name):
            raise EvaluatorError(f"device '{device}' cannot be used: {missing}")
    places = [torch.device(name) for name in names]
    if len({place.type for place in places}) > 1:
        raise EvaluatorError(f"device '{device}': a net is split over devices of one kind, such as cuda:0+cuda:1")
    return places


def _on(net: Net, places: Sequence[torch.device]) -> torch.nn.Module:
    """The net on its device, or in parts on several. Raises ValueError if it has fewer blocks than there are."""
    held: torch.nn.Module = net.to(places[0]) if len(places) == 1 else SplitNet(net, places)
    return held.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch does not list it


class _Buffers:
    """Host memory for one batch at a time, page-locked where a GPU reads it. Rows beyond the batch hold anything finite."""

    def __init__(self, spec: NetSpec, rows: int, size: int, device: torch.device, precision: str):
        locked = device.type == "cuda"
        # The first convolution rounds to its own format anyway: rounded here, half as much has to be copied.
        form = torch.bfloat16 if precision == "bf16" else torch.float32
        self.rows, self.size = rows, size
        self.planes = torch.zeros((rows, spec.planes, size, size), dtype=form, pin_memory=locked)
        self.globals = torch.zeros((rows, spec.globals), pin_memory=locked)
        self.answers = torch.zeros((rows, 2 * size * size + 4), pin_memory=locked)
        self.event = torch.cuda.Event() if locked else None  # passed when the answers are there

    def fill(self, batch: Batch) -> None:
        """Copy a batch into the first rows."""
        for tensor, array in ((self.planes, batch.planes), (self.globals, batch.globals)):
            tensor[: batch.rows].copy_(torch.from_numpy(np.ascontiguousarray(array, np.float32)))


class _Running:
    """A batch under way; its answers are in `buffers` once the event has passed."""

    def __init__(self, net: Network, buffers: _Buffers, rows: int):
        self._net, self._buffers, self._rows = net, buffers, rows
        self._evaluation: Evaluation | None = None

    def ready(self) -> bool:
        event = self._buffers.event
        try:
            return self._evaluation is not None or event is None or event.query()
        except RuntimeError as error:
            raise self._net._told(error, self._rows) from error

    def result(self) -> Evaluation:
        if self._evaluation is None:
            buffers = self._buffers
            try:
                if buffers.event is not None:
                    buffers.event.synchronize()
            except RuntimeError as error:
                raise self._net._told(error, self._rows) from error
            self._evaluation = _split(buffers.answers[: self._rows].numpy(), buffers.size)
            self._net._free.setdefault((buffers.rows, buffers.size), []).append(buffers)
        return self._evaluation


def _split(answers: np.ndarray, size: int) -> Evaluation:
    """The heads out of one array. Copies, so that the memory below may be used again."""
    actions = size * size + 1
    value, score, stdev = answers[:, actions : actions + 3].T
    parts = (answers[:, :actions], value, score, stdev, answers[:, actions + 3 :])
    return Evaluation(*(np.array(part, np.float32, order="C") for part in parts))
