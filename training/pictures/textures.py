"""Surfaces: wood, paper, cloth, stone, as tiles of brightness around 1. Made once, always the same."""

import functools

import numpy as np

TILE = 256  # pixels of a tile's side
WOODS, PAPERS, CLOTHS, ROUGH = range(6), range(6, 8), range(8, 11), range(11, 14)
SHELL = 14  # stripes of shell


def _noise(rng: np.random.Generator, along: float, across: float, power: float = 0.0) -> np.ndarray:
    """float32[TILE, TILE] of mean 0 and deviation 1 that repeats: smooth over so many pixels in both directions."""
    frequency = np.fft.fftfreq(TILE)
    y, x = frequency[:, None], frequency[None, :]
    shape = np.exp(-2 * (np.pi**2) * ((y * across) ** 2 + (x * along) ** 2))
    if power:
        shape = shape / np.maximum(np.hypot(y, x), 1 / TILE) ** power
    shape[0, 0] = 0
    grey = np.fft.ifft2(np.fft.fft2(rng.normal(size=(TILE, TILE))) * shape).real
    return (grey / grey.std()).astype(np.float32)


def _wood(rng: np.random.Generator, number: int) -> np.ndarray:
    """Grain along x: fine fibres, and rings that wander."""
    rings = int(rng.integers(3, 16))
    y = np.arange(TILE)[:, None] / TILE
    wander = _noise(rng, 60, 12) * (0.02 + 0.03 * (number % 3))
    bands = np.sin(2 * np.pi * rings * (y + wander)) ** (1 if number % 2 else 3)
    fibres = _noise(rng, 40, 0.7)
    return (1 + 0.045 * bands + 0.03 * fibres + 0.03 * _noise(rng, 50, 20)).astype(np.float32)


@functools.cache
def tiles() -> np.ndarray:
    """float32[15, TILE, TILE], numbered as above."""
    rng = np.random.default_rng(19)
    made = [_wood(rng, number) for number in WOODS]
    made += [1 + 0.012 * _noise(rng, 1, 1) + 0.02 * _noise(rng, 30, 30) for _ in PAPERS]
    weave = np.sin(np.arange(TILE) * 2 * np.pi / 8)
    made += [
        1 + 0.06 * weave[:, None] * weave[None, :] + 0.08 * _noise(rng, 3 + 20 * n, 3 + 20 * n) for n in range(len(CLOTHS))
    ]
    made += [1 + 0.12 * _noise(rng, 1, 1, 0.6 + 0.4 * n) for n in range(len(ROUGH))]
    y = np.arange(TILE)[:, None] / TILE
    made.append(1 + 0.05 * np.sin(2 * np.pi * 12 * (y + 0.03 * _noise(rng, 60, 40))))
    return np.ascontiguousarray(np.clip(np.stack(made), 0.4, 1.6), np.float32)


@functools.cache
def noise() -> np.ndarray:
    """float32[n]: normal noise to read from any place on."""
    return np.random.default_rng(7).normal(size=1_000_003).astype(np.float32)
