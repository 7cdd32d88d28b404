"""What light, lens, sensor and file make of a scene: shade and tint, blur, noise, JPEG."""

import cv2
import numpy as np

from goengine.core.jit import kernel
from training.pictures import textures


@kernel
def _expose(picture, light, gain, curve, noise, strength, start):
    """picture (uint8[H, W, 3]) times light (float32[H, W]) and gain (float32[3]), through a curve (float32[256]), with noise
    (float32[N], read from `start`)."""
    count = noise.size
    at = start
    for y in range(picture.shape[0]):
        for x in range(picture.shape[1]):
            for c in range(3):
                value = min(picture[y, x, c] * light[y, x] * gain[c], 255.0)
                value = curve[np.int64(value)] + noise[at] * strength
                at += 1
                if at == count:
                    at = 0
                picture[y, x, c] = np.uint8(min(max(value, 0.0), 255.0))


def _light(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """float32[height, width]: light that falls off, and shadows of people."""
    coarse = 1 + np.clip(rng.normal(0, rng.uniform(0, 0.12), (4, 4)), -0.4, 0.4)
    slope = rng.uniform(-0.3, 0.3, 2) if rng.random() < 0.5 else np.zeros(2)
    ramp = np.linspace(-1, 1, 4)
    coarse += slope[0] * ramp[:, None] + slope[1] * ramp[None, :]
    light = cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.25:  # a shadow with an edge
        mask = np.zeros((height, width), np.uint8)
        points = rng.uniform(-0.3, 1.3, 2) * (width, height) + rng.normal(0, 0.4, (5, 2)) * (width, height)
        cv2.fillConvexPoly(mask, cv2.convexHull(points.astype(np.int32)), 255)
        soft = int(rng.integers(1, 12)) * 2 + 1
        light *= 1 - cv2.blur(mask, (soft, soft)).astype(np.float32) * np.float32(rng.uniform(0.1, 0.55) / 255)
    return np.maximum(light, 0.05)


def photograph(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture that a camera takes of a scene."""
    height, width = picture.shape[:2]
    light = _light(height, width, rng)
    if rng.random() < 0.2:  # a lamp that shines back from the board
        glare = np.zeros((height // 8 + 1, width // 8 + 1), np.uint8)
        at = (int(rng.uniform(0, glare.shape[1])), int(rng.uniform(0, glare.shape[0])))
        cv2.circle(glare, at, int(rng.integers(1, 6)), 255, -1)
        soft = cv2.resize(cv2.blur(glare, (5, 5)), (width, height), interpolation=cv2.INTER_LINEAR)
        picture = cv2.addWeighted(picture, 1.0, cv2.merge([soft] * 3), float(rng.uniform(0.1, 0.7)), 0)
    gain = rng.uniform(0.6, 1.15) * (1 + np.clip(rng.normal(0, 0.09, 3), -0.25, 0.25))
    if rng.random() < 0.11:  # coloured lamps
        gain *= rng.uniform(0.05, 1.0, 3)
        gain *= rng.uniform(0.7, 1.4) / max(gain.max(), 0.3)
    picture = blur(picture, rng)
    gamma = np.exp(rng.normal(0, 0.2))
    curve = (255 * (np.arange(256) / 255) ** gamma).astype(np.float32)
    noise = textures.noise()
    strength = float(abs(rng.normal(0, 5))) if rng.random() < 0.8 else float(rng.uniform(5, 16))
    _expose(picture, light, gain.astype(np.float32), curve, noise, strength, int(rng.integers(noise.size)))
    return jpeg(picture, int(rng.integers(25, 96)))


def blur(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Out of focus, or moved, or sharp."""
    kind = rng.random()
    if kind < 0.5:
        sigma = float(rng.uniform(0.3, 1.4))
        return cv2.GaussianBlur(picture, (0, 0), sigma)
    if kind < 0.6:
        length = int(rng.integers(2, 5))
        streak = np.zeros((5, 5), np.float32)
        turn = rng.uniform(0, np.pi)
        off = np.array([np.cos(turn), np.sin(turn)]) * length / 2
        cv2.line(streak, (int(2 - off[0]), int(2 - off[1])), (int(2 + off[0]), int(2 + off[1])), 1.0)
        return cv2.filter2D(picture, -1, streak / max(float(streak.sum()), 1.0))
    return picture


def scan(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A scanned page: a little noise and blur, more or less contrast."""
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.3, 1.0)))
    low, high = rng.uniform(-60, 50), rng.uniform(205, 330)
    curve = (np.linspace(0, 1, 256) * (high - low) + low).astype(np.float32)
    light = _light(*picture.shape[:2], rng) if rng.random() < 0.3 else np.ones(picture.shape[:2], np.float32)
    noise = textures.noise()
    strength = float(abs(rng.normal(0, 6))) if rng.random() < 0.5 else 0.0
    _expose(picture, light, np.ones(3, np.float32), curve, noise, strength, int(rng.integers(noise.size)))
    return jpeg(picture, int(rng.integers(20, 96))) if rng.random() < 0.7 else picture


def screenshot(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As it is, or made smaller and larger again, or kept as JPEG."""
    height, width = picture.shape[:2]
    if rng.random() < 0.25:
        share = rng.uniform(0.55, 0.95)
        small = cv2.resize(picture, (int(width * share), int(height * share)), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return jpeg(picture, int(rng.integers(20, 96))) if rng.random() < 0.5 else picture


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """The picture after it was a JPEG file of this quality."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)
