"""Plays an exported net on a CPU with OpenVINO (Intel's inference runtime; it runs on AMD and ARM as well).

Takes an IR pair (NAME.xml, NAME.bin) as `goengine.nets.export` writes it: inputs 'planes' and 'globals', outputs as in
`OUTPUTS`. Knows no file formats of ours, no torch and no Go. One compiled model serves every batch and board size:
shapes fixed per size or batch were measured to gain less than a tenth. `submit` returns while OpenVINO's own threads
compute.
"""

import functools
import hashlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Final

import numpy as np

from goengine.core.files import read_outside
from goengine.core.openvino_import import ov
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
from goengine.nets.spec import NetSpec

OUTPUTS: Final = Evaluation._fields
PRECISIONS: Final = ("auto", "bf16", "f16", "f32")  # for what is not quantized; an int8 net is another file
MAX_XML: Final = 8 << 20  # bytes; a net's graph is well below 1 MB
MAX_BIN: Final = 2 << 30  # bytes


@functools.cache
def core() -> ov.Core:
    """The one core of this process; it lives as long as the process.

    OpenVINO gives the thread that first uses a core another stack for signals, and puts the old one back when the core ends.
    With two cores the older one may end first, or one may end in another thread than it began in. Then a thread keeps a stack
    that no longer exists, and its next signal, such as Ctrl-C, kills the process. So all code and tests use this core.
    """
    return ov.Core()


def capabilities() -> tuple[str, ...]:
    """What OpenVINO says this CPU computes fast, such as FP32, BF16, INT8."""
    return tuple(core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


def best_precision() -> str:
    """bf16 where the CPU has it (twice as fast, the same moves), else f16, else f32."""
    found = capabilities()
    return "bf16" if "BF16" in found else "f16" if "FP16" in found else "f32"


def cpu_properties(precision: str, threads: int, streams: int = 1) -> dict[str, str | int | bool]:
    """How a model is compiled for the CPU; threads: 0 leaves the choice to OpenVINO."""
    # Left alone, OpenVINO ties its threads to cores from core 0 on: two processes of one thread would share that core.
    properties: dict[str, str | int | bool] = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": streams}
    properties["ENABLE_CPU_PINNING"] = False
    return properties | ({"INFERENCE_NUM_THREADS": threads} if threads else {})


def read_pair(xml: Path) -> tuple[bytes, bytes]:
    """Both files of an IR.

    Raises EvaluatorError if one is missing or too large, if the .xml is no OpenVINO net, or if it names another checksum than
    that of the .bin (exports of older versions name none).
    """
    parts = []
    weights = xml.with_suffix(".bin")
    for path, limit in ((xml, MAX_XML), (weights, MAX_BIN)):
        try:
            parts.append(read_outside(path, limit))
        except OSError as error:
            raise EvaluatorError(f"{path}: cannot be read: {error.strerror}; a net is a .xml and a .bin") from error
    try:
        root = ElementTree.fromstring(parts[0])
    except ElementTree.ParseError as error:
        raise EvaluatorError(f"{xml}: not well-formed XML ({error}); the file is damaged, get it again") from error
    if root.tag != "net":
        raise EvaluatorError(f"{xml}: not an OpenVINO net (its first element is <{root.tag}>)")
    told = root.find("rt_info/goengine/bin_sha256")
    if told is not None and told.get("value") != hashlib.sha256(parts[1]).hexdigest():
        raise EvaluatorError(f"{weights}: the checksum is not the one in {xml.name}; get both files again")
    return parts[0], parts[1]


def written_spec(graph: bytes, path: Path) -> str:
    """The net's spec (JSON) as the export wrote it into the .xml. Raises EvaluatorError if there is none."""
    entry = ElementTree.fromstring(graph).find("rt_info/goengine/spec")
    if entry is None or "value" not in entry.attrib:
        raise EvaluatorError(f"{path}: does not say what the net takes as input; export it with this engine")
    return entry.attrib["value"]


class OpenVINO(EvaluatorBase):
    """A net from the bytes of its .xml and .bin; who reads them has checked where they come from.

    spec: says how many planes and globals the net takes, which is compared with its inputs. threads: 0 leaves the choice to
    OpenVINO. streams: batches that compute side by side, each on threads/streams threads. cache_folder: keeps the
    compiled net, which saves about 0.1 s at the next start. Raises EvaluatorError if the net cannot be compiled or has
    other inputs or outputs.
    """

    def __init__(
        self,
        graph: bytes,
        weights: bytes,
        traits: Traits,
        spec: NetSpec,
        *,
        precision: str = "auto",
        threads: int = 0,
        streams: int = 1,
        cache_folder: Path | None = None,
    ):
        if precision not in PRECISIONS:
            raise EvaluatorError(f"precision: expected one of {', '.join(PRECISIONS)}, got '{precision}'")
        self.precision = best_precision() if precision == "auto" else precision
        self.traits = traits
        self.planes, self.globals = spec.planes, spec.globals
        properties = cpu_properties(self.precision, threads, streams)
        if cache_folder is not None:
            properties["CACHE_DIR"] = str(cache_folder)
        try:
            model = core().read_model(model=graph, weights=weights)
            _check_interface(model, spec.planes, spec.globals)
            self._compiled = core().compile_model(model, "CPU", properties)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise EvaluatorError(f"{traits.name}: OpenVINO cannot load the net ({reason}); export it again") from error
        self._free: list[ov.InferRequest] = []
        self._ports = [self._compiled.output(name) for name in OUTPUTS]

    def submit(self, batch: Batch) -> Pending:
        if self._compiled is None:
            raise EvaluatorError(f"{self.name}: the evaluator is closed")
        if batch.planes.shape[1] != self.planes or batch.globals.shape[1] != self.globals:
            raise EvaluatorError(
                f"{self.name}: expects {self.planes} planes and {self.globals} globals, got "
                f"{batch.planes.shape[1]} and {batch.globals.shape[1]}"
            )
        if not batch.rows:
            return FinishedEvaluation(empty_evaluation(0, batch.size))
        request = self._free.pop() if self._free else self._compiled.create_infer_request()
        for name, array in (("planes", batch.planes), ("globals", batch.globals)):
            request.set_tensor(name, ov.Tensor(np.ascontiguousarray(array, np.float32), shared_memory=True))
        request.start_async()
        return _Running(self, request, batch)

    def close(self) -> None:
        self._compiled = None
        self._free.clear()
        self._ports.clear()

    def collect(self, request: ov.InferRequest, rows: int) -> Evaluation:
        """Wait for a request and copy its answers. Raises EvaluatorError if a number is not finite."""
        try:
            request.wait()
        except RuntimeError as error:
            raise EvaluatorError(f"{self.name}: OpenVINO failed: {str(error).strip().splitlines()[-1]}") from error
        arrays = [np.array(request.get_tensor(port).data, np.float32) for port in self._ports]
        if self._compiled is not None:
            self._free.append(request)
        for name, array in zip(OUTPUTS, arrays, strict=True):
            if not np.isfinite(array.sum()) and not np.isfinite(array).all():  # the sum takes half the time
                raise EvaluatorError(f"{self.name}: the net's {name} is not finite; try precision f32 or another net")
        policy, ownership = arrays[0].reshape(rows, -1), arrays[4].reshape(rows, -1)
        value, score, stdev = (array.reshape(rows) for array in arrays[1:4])
        return Evaluation(policy, value, score, stdev, ownership)


class _Running:
    """A request that OpenVINO is computing. Holds the batch, whose memory the request reads."""

    def __init__(self, evaluator: OpenVINO, request: ov.InferRequest, batch: Batch):
        self.evaluator, self.request, self.batch = evaluator, request, batch
        self.evaluation: Evaluation | None = None

    def ready(self) -> bool:
        try:
            return self.evaluation is not None or self.request.wait_for(0)
        except RuntimeError:
            return True  # `result` says what went wrong

    def result(self) -> Evaluation:
        if self.evaluation is None:
            self.evaluation = self.evaluator.collect(self.request, self.batch.rows)
            del self.request, self.batch
        return self.evaluation


def _check_interface(model: ov.Model, planes: int, globals: int) -> None:
    """Raises EvaluatorError if inputs or outputs are not those of our nets."""
    inputs = {name: port.get_partial_shape() for port in model.inputs for name in port.get_names()}
    outputs = {name for port in model.outputs for name in port.get_names()}
    missing = [name for name in ("planes", "globals") if name not in inputs] + [name for name in OUTPUTS if name not in outputs]
    if missing:
        raise EvaluatorError(f"not a net for this engine: no input or output named {', '.join(missing)}")
    for name, expected, rank in (("planes", planes, 4), ("globals", globals, 2)):
        shape = inputs[name]
        if shape.rank.is_dynamic or len(shape) != rank or not shape[1].compatible(ov.Dimension(expected)):
            raise EvaluatorError(f"input '{name}' has shape {shape}; the feature set gives {expected} of them")
        if not all(dimension.is_dynamic for dimension in [shape[0], *list(shape)[2:]]):
            raise EvaluatorError(f"input '{name}' has shape {shape}; batch and board size must be free: export it again")
