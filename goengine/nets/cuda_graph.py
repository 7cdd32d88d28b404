"""Many small launches on a GPU as one.

Knows CUDA graphs: what a function launches is recorded at its first call and replayed from then on, without Python and the
launches' own cost, which for small tensors is many times the work. Knows nothing of what is computed.
"""

from collections.abc import Callable, Sequence

import torch

Function = Callable[[Sequence[torch.Tensor]], list[torch.Tensor]]


class CudaGraph:
    """A function of tensors to tensors that does the same for all tensors of the same shapes: no branches on values, no waits.

    On a CPU it is called as it is. On a GPU the tensors that come back belong to the recording: the next call fills them anew.
    """

    def __init__(self, function: Function):
        self._function = function
        self._recordings: dict[tuple[torch.Size, ...], _Recording] = {}

    def __call__(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """What the function gives for `tensors`, which are all on one device."""
        if not tensors or tensors[0].device.type != "cuda":
            return self._function(tensors)
        shapes = tuple(tensor.shape for tensor in tensors)
        if shapes not in self._recordings:
            self._recordings[shapes] = _Recording(self._function, tensors)
        return self._recordings[shapes](tensors)


class _Recording:
    """What a function launched for tensors of these shapes."""

    def __init__(self, function: Function, tensors: Sequence[torch.Tensor]):
        self._inputs = [tensor.clone() for tensor in tensors]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # libraries make their plans and workspaces in the first call, unrecorded
            function(self._inputs)
        torch.cuda.current_stream().wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):  # other threads go on with their own work
            self._outputs = function(self._inputs)

    def __call__(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        torch._foreach_copy_(self._inputs, list(tensors))
        self._graph.replay()
        return self._outputs
