"""A model of OpenVINO that answers with all its outputs by name: for graphs that are no whole net.

Knows arrays; no files, no batches under way and no Go.
"""

import numpy as np

from goengine.core.openvino_import import ov
from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.openvino import best_precision, core


class Graph:
    """A model that answers batches with named arrays. threads: 0 leaves the choice to OpenVINO."""

    def __init__(self, model: ov.Model, threads: int = 0, precision: str = "auto"):
        properties: dict[str, object] = {
            "INFERENCE_PRECISION_HINT": best_precision() if precision == "auto" else precision,
            "ENABLE_CPU_PINNING": False,
        }
        if threads:
            properties["INFERENCE_NUM_THREADS"] = threads
        self._request = core().compile_model(model, "CPU", properties).create_infer_request()

    def __call__(self, planes: np.ndarray, values: np.ndarray) -> dict[str, np.ndarray]:
        """planes [B,P,N,N], values [B,G] of full boards -> float32 arrays by the names of the model's outputs."""
        self._request.infer({"planes": np.asarray(planes, np.float32), "globals": np.asarray(values, np.float32)})
        return {
            name: np.array(self._request.get_tensor(port).data, np.float32)
            for port in self._request.model_outputs
            for name in port.get_names()
        }


def read_model(graph: bytes, weights: bytes) -> ov.Model:
    """The model of a checked .xml and .bin. Raises EvaluatorError if OpenVINO cannot read them."""
    try:
        return core().read_model(model=graph, weights=weights)
    except RuntimeError as error:
        raise EvaluatorError(f"OpenVINO cannot read the net: {str(error).strip().splitlines()[-1]}; export it again") from error
