"""A net over pictures, as OpenVINO computes it: pixels in, maps of probabilities out. Knows nothing of what the maps mean."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np


class PictureNet:
    """The net of a pair PATH (.xml) and .bin, read at its first use. threads: 0 leaves the choice to OpenVINO.

    Raises EvaluatorError if a file is missing or is no net.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._path, self._threads = path, threads

    @cached_property
    def _request(self) -> Any:
        from goengine.evaluators.graph import read_model
        from goengine.evaluators.openvino import best_precision, core, read_pair

        properties: dict[str, object] = {"INFERENCE_PRECISION_HINT": best_precision(), "ENABLE_CPU_PINNING": False}
        if self._threads:
            properties["INFERENCE_NUM_THREADS"] = self._threads
        return core().compile_model(read_model(*read_pair(self._path)), "CPU", properties).create_infer_request()

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """float32[C, h, w] of a picture uint8[H, W, 3], red, green, blue."""
        planes = np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)
        self._request.infer({"pixels": planes})
        return np.array(self._request.get_tensor("answers").data[0], np.float32)
