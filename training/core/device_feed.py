"""Where a net is trained: the device, its number format, and how batches get there.

Knows torch's streams and events. On a GPU the next batch is copied from page-locked memory while the present one is computed.
The CPU runs at most two steps ahead of the GPU: so the GPU never waits for the CPU, and the clock is right to within two steps.
Knows nothing of nets or losses.
"""

from collections import deque
from collections.abc import Iterator, Mapping

import numpy as np
import torch

Batch = dict[str, torch.Tensor]
AHEAD = 2  # steps that the CPU may be ahead of a GPU


class DeviceFeed:
    """The device and its number format."""

    def __init__(self, device: str, half: bool):
        self.device = torch.device(device)
        self.half = half
        self._copies = None  # the stream of copies to a GPU
        self._steps: deque[torch.cuda.Event] = deque()
        if self.device.type == "cuda":
            self._copies = torch.cuda.Stream(self.device)
            torch.backends.cudnn.benchmark = True  # a batch has one of few shapes: look for the fastest convolutions

    def put(self, batch: Mapping[str, np.ndarray | torch.Tensor]) -> Batch:
        """The batch on the device. Planes travel as they are stored, a byte a point, and become floats there.

        The arrays may be changed as soon as this returns, unless they lie in page-locked memory: for that there is `feed`.
        """
        return self._widen(self._send(batch))

    def feed(self, batches: Iterator[Mapping[str, np.ndarray | torch.Tensor] | None]) -> Iterator[Batch | None]:
        """The batches on the device, in order; `batches` may fill a batch's arrays again from the next but one on.

        On a GPU each batch is sent before the one in front of it is handed out. None, for a batch that is not there yet, is
        handed on at once.
        """
        if self._copies is None:
            yield from (None if batch is None else self.put(batch) for batch in batches)
            return
        waiting: tuple[Batch, torch.cuda.Event] | None = None
        for batch in batches:
            if batch is None:
                yield None
                continue
            with torch.cuda.stream(self._copies):
                sent, arrived = self._send(batch), torch.cuda.Event()
                arrived.record()
            if waiting is not None:
                waiting[1].synchronize()  # long ago; now its arrays may be filled again
                yield self._arrived(*waiting)
            waiting = sent, arrived

    def _send(self, batch: Mapping[str, np.ndarray | torch.Tensor]) -> Batch:
        tensors = {name: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for name, value in batch.items()}
        return {name: tensor.to(self.device, non_blocking=True) for name, tensor in tensors.items()}

    def _arrived(self, sent: Batch, arrived: torch.cuda.Event) -> Batch:
        """Hand tensors from the stream of copies to the one that computes."""
        current = torch.cuda.current_stream(self.device)
        current.wait_event(arrived)
        for tensor in sent.values():
            tensor.record_stream(current)  # its memory is not reused before this stream has finished with it
        return self._widen(sent)

    def _widen(self, batch: Batch) -> Batch:
        if "planes" not in batch:
            return batch
        form = torch.bfloat16 if self.half else torch.float32
        return {**batch, "planes": batch["planes"].to(form, memory_format=torch.channels_last)}

    def step_done(self) -> None:
        """To be called after each step: on a GPU, waits until no more than `AHEAD` steps are under way."""
        if self._copies is None:
            return
        ended = torch.cuda.Event()
        ended.record(torch.cuda.current_stream(self.device))
        self._steps.append(ended)
        if len(self._steps) > AHEAD:
            self._steps.popleft().synchronize()

    def finish(self) -> None:
        """Wait until the device has done everything that it was asked for."""
        if self._copies is not None:
            torch.cuda.synchronize(self.device)

    def autocast(self) -> torch.autocast:
        """Context for a forward pass."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.half)
