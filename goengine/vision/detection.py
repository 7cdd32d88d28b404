"""What a detector finds on a picture of its own size: boxes with scores, and how sure it is of every default box.

Knows the net's graph (OpenVINO) and its answers; neither grids nor boards.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from goengine.vision.default_boxes import SIDE, kept_boxes

OVERLAP: Final = 0.4  # IoU: of two boxes that share more, one is left out


@dataclass(frozen=True)
class Found:
    """Boxes float32 [N,4] (centre x, centre y, width, height), scores float32 [N], the surest first."""

    boxes: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Answer:
    """Of each default box: probabilities of classes float32 [D,4], box float32 [D,4] in pixels, probabilities of the sides
    (left, top, right, bottom) float32 [D,4] on which the board ends."""

    classes: np.ndarray
    boxes: np.ndarray
    sides: np.ndarray

    def found(self, kinds: tuple[int, ...], least: float, overlap: float = OVERLAP) -> Found:
        """Boxes of some classes, whichever of these it is, that are at least so sure, each thing once."""
        scores = self.classes[:, kinds].max(axis=1)
        sure = np.flatnonzero(scores >= least)
        kept = sure[kept_boxes(self.boxes[sure], scores[sure], overlap)]
        return Found(self.boxes[kept], scores[kept])


class Detector:
    """The net. threads: 0 leaves the choice to OpenVINO. Raises OSError if a file is missing."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        self._path, self._threads = path, threads

    @cached_property
    def _request(self) -> object:
        from goengine.evaluators.graph import read_model
        from goengine.evaluators.openvino import best_precision, core

        model = read_model(self._path.read_bytes(), self._path.with_suffix(".bin").read_bytes())
        properties: dict[str, object] = {"INFERENCE_PRECISION_HINT": best_precision(), "ENABLE_CPU_PINNING": False}
        if self._threads:
            properties["INFERENCE_NUM_THREADS"] = self._threads
        return core().compile_model(model, "CPU", properties).create_infer_request()

    def __call__(self, picture: np.ndarray) -> Answer:
        """picture uint8 [SIDE,SIDE,3], red, green, blue."""
        if picture.shape != (SIDE, SIDE, 3):
            raise ValueError(f"a detector sees pictures of {SIDE} x {SIDE}, not {picture.shape}")
        planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)
        request = self._request
        request.infer({"pictures": planes})  # type: ignore[attr-defined]
        told = [
            np.array(request.get_tensor(name).data[0], np.float32)  # type: ignore[attr-defined]
            for name in ("classes", "boxes", "sides")
        ]
        return Answer(*told)
