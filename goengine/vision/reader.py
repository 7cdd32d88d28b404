"""Who reads pictures: the protocol, and the readers that come with the engine. Imports OpenCV when a reader is made."""

from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np

from goengine.vision.board_picture import BoardReading
from goengine.vision.door import INSTALL, PictureFileError

Name = Literal["segment", "detect"]
DEFAULT: Final[Name] = "segment"
WEIGHTS: Final = Path(__file__).resolve().parent / "weights"


class PictureReader(Protocol):
    """Who finds boards on pictures."""

    def boards(self, picture: np.ndarray) -> list[BoardReading]:
        """All boards on a picture uint8 [H,W,3], red, green, blue; an empty list where there is none."""


def load(name: Name = DEFAULT, threads: int = 0, folder: Path = WEIGHTS) -> PictureReader:
    """A reader by its name. threads: of its nets, 0: their own choice; folder: of their files.

    Raises PictureFileError where the extra is missing.
    """
    try:
        if name == "detect":
            from goengine.vision.detection_reader import DetectionReader

            return DetectionReader(folder / "detect.xml", threads)
        from goengine.vision.segment_reader import SegmentReader

        return SegmentReader(folder, threads)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("cv2", "PIL"):
            raise
        raise PictureFileError(INSTALL) from None
