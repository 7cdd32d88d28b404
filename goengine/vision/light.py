"""Other views of the same picture, for boards under coloured lamps or in the dark: what colours would look like in white light.

Knows arrays of pixels only.
"""

from typing import Final

import numpy as np

BRIGHT: Final = 230.0  # to which the brightest parts of each colour are raised
DARKEST: Final = 25.0  # a colour that is nowhere brighter is left as it is, or noise would be all that is seen


def stretched(pixels: np.ndarray) -> np.ndarray:
    """Each colour made so bright that its brightest parts are nearly white: uint8 as `pixels` [H, W, 3]."""
    top = np.percentile(pixels[::3, ::3].reshape(-1, 3), 95, axis=0)
    return np.clip(pixels * (BRIGHT / np.maximum(top, DARKEST)), 0, 255).astype(np.uint8)


def brightest(pixels: np.ndarray) -> np.ndarray:
    """Grey, of each pixel's brightest colour: a lamp of one colour leaves nothing in the others."""
    return np.repeat(pixels.max(axis=2, keepdims=True), 3, axis=2)


VIEWS: Final = (stretched, brightest)
