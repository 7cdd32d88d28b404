"""How boards look: the woods and stones of photos, the styles of programs, the print of books.

Each function makes a `Surface` out of a camera and a content. Knows no backgrounds and no lenses.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.pictures import glyphs, textures
from training.pictures.camera import Camera
from training.pictures.content import Content
from training.pictures.shader import Surface

UP = np.array([0.0, 0.0, 1.0])


@dataclass
class Look:
    """What `Surface` has beside camera and content; changed while a look is drawn."""

    values: dict[str, Any]

    def __init__(self, rng: np.random.Generator):
        self.values = {
            "light": UP,
            "thickness": 0.0,
            "board": np.full(3, 255, np.float32),
            "side": np.full(3, 90, np.float32),
            "clear": 0.0,
            "wood": textures.tiles()[int(rng.choice(list(textures.PAPERS)))],
            "wood_map": wood_map(rng, 8.0),
            "line": np.zeros(3, np.float32),
            "line_width": 0.05,
            "edge_width": 0.05,
            "line_strength": 1.0,
            "hoshi_radius": 0.1,
            "radius": np.full(3, 0.47),
            "height": 0.3,
            "ambient": np.ones(3),
            "diffuse": np.zeros(3),
            "shine": np.zeros(3),
            "gloss": np.full(3, 20.0),
            "outline": np.zeros(3),
            "outline_colour": np.zeros(3, np.float32),
            "shell": textures.tiles()[textures.SHELL],
            "shell_strength": 0.0,
            "shadow": 0.0,
            "shadow_soft": 0.2,
            "jitter": 0.0,
            "uneven": 0.0,
        }

    def set(self, **values: Any) -> None:
        self.values |= values


def wood_map(rng: np.random.Generator, pixels: float) -> np.ndarray:
    """From the board's plane to a tile: so many of its pixels between two lines, turned by a quarter or not, from anywhere."""
    turn = rng.normal(0, 0.02) + (np.pi / 2 if rng.random() < 0.6 else 0)
    cos, sin = np.cos(turn) * pixels, np.sin(turn) * pixels
    shift = rng.uniform(0, textures.TILE, 2)
    return np.array([(cos, -sin, shift[0]), (sin, cos, shift[1])])


def wood_colour(rng: np.random.Generator) -> np.ndarray:
    """float32[3]: yellow and brown woods mostly, sometimes pale, dark or painted."""
    kind = rng.random()
    if kind < 0.7:
        red = rng.uniform(170, 250)
        return np.array([red, red * rng.uniform(0.66, 0.88), red * rng.uniform(0.28, 0.66)], np.float32)
    if kind < 0.85:
        grey = rng.uniform(140, 235)
        return np.array([grey, grey * rng.uniform(0.88, 1.0), grey * rng.uniform(0.7, 1.0)], np.float32)
    if kind < 0.95:
        red = rng.uniform(90, 170)
        return np.array([red, red * rng.uniform(0.6, 0.8), red * rng.uniform(0.3, 0.55)], np.float32)
    return rng.uniform(110, 240, 3).astype(np.float32)


def stone_colours(rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """float32[3, 3] by stone: blacks of at most `low`, whites of at least `high`, nearly grey."""
    black, white = rng.uniform(5, low), rng.uniform(high, 255)
    tint = rng.normal(0, 0.03, (3, 3))
    return np.clip(np.array([0, black, white])[:, None] * (1 + tint), 0, 255).astype(np.float32)


def photo_look(rng: np.random.Generator) -> Look:
    """Wood, lines that were drawn or burnt in, stones of glass, slate and shell, light from somewhere."""
    look, tiles = Look(rng), textures.tiles()
    direction, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0.1, 1.1)
    light = np.array([np.sin(slope) * np.cos(direction), np.sin(slope) * np.sin(direction), np.cos(slope)])
    board = wood_colour(rng)
    glossy = rng.random() < 0.6
    big = rng.uniform(0.42, 0.5)
    look.set(
        light=light,
        thickness=float(rng.choice([0.0, 0.15, 0.6, 1.0, 3.0])) * rng.uniform(0.5, 1.3),
        board=board,
        side=(board * rng.uniform(0.35, 0.95)).astype(np.float32),
        wood=tiles[int(rng.choice(list(textures.WOODS)))],
        wood_map=wood_map(rng, float(rng.uniform(8, 30))),
        line=(board * rng.uniform(0.05, 0.45)).astype(np.float32),
        line_width=float(rng.uniform(0.025, 0.08)),
        edge_width=float(rng.uniform(0.03, 0.12)),
        line_strength=float(rng.uniform(0.55, 1.0)),
        hoshi_radius=float(rng.uniform(0.07, 0.14)),
        radius=np.array([0.0, big, big * rng.uniform(0.95, 1.0)]),
        height=float(rng.uniform(0.25, 0.55)),
        colours=stone_colours(rng, 70, 195),
        ambient=np.array([0, rng.uniform(0.6, 0.9), rng.uniform(0.6, 0.85)]),
        diffuse=np.array([0, rng.uniform(0.2, 1.0), rng.uniform(0.15, 0.45)]),
        shine=np.array([0, rng.uniform(0.1, 0.9), rng.uniform(0, 0.4)]) * (1.0 if glossy else 0.25),
        gloss=np.array([0, *rng.uniform(4, 60, 2)]),
        shell_strength=float(rng.choice([0.0, 0.0, 1.0])),
        shadow=float(rng.uniform(0.05, 0.6)),
        shadow_soft=float(rng.uniform(0.1, 0.5)),
        jitter=float(rng.choice([0.02, 0.06, 0.1, 0.14])),
        uneven=0.05,
    )
    return look


def screen_look(rng: np.random.Generator) -> Look:
    """The styles of programs: plain colours or wood, flat discs, balls with a glint, stripes of shell."""
    look, tiles = Look(rng), textures.tiles()
    board = wood_colour(rng) if rng.random() < 0.9 else np.full(3, rng.uniform(60, 255), np.float32)
    plain = rng.random() < 0.45
    thin = float(rng.uniform(0.02, 0.07))
    big = float(rng.uniform(0.42, 0.5))
    look.set(
        board=board,
        wood=tiles[int(rng.choice(list(textures.WOODS)))] if not plain else np.ones_like(tiles[0]),
        wood_map=wood_map(rng, float(rng.uniform(6, 25))),
        line=(board * rng.uniform(0, 0.5)).astype(np.float32),
        line_width=thin,
        edge_width=thin * float(rng.choice([1.0, 1.0, 2.0, 3.0])),
        line_strength=float(rng.uniform(0.6, 1.0)),
        hoshi_radius=float(rng.uniform(0.07, 0.15)),
        radius=np.array([0.0, big, big * (1.0 if rng.random() < 0.7 else 0.96)]),
        colours=stone_colours(rng, 85, 185),
    )
    if rng.random() < 0.5:
        _ball_stones(look, rng)
    else:
        outline = float(rng.uniform(0.02, 0.09)) if rng.random() < 0.7 else 0.0
        look.set(outline=np.array([0, outline * (rng.random() < 0.3), outline]))
        if not outline:
            look.set(colours=stone_colours(rng, 60, 225))
    if rng.random() < 0.4:
        look.set(shadow=float(rng.uniform(0.1, 0.6)), shadow_soft=float(rng.uniform(0.05, 0.4)))
        direction, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 1.0)
        slant = np.array([np.sin(slope) * np.cos(direction), np.sin(slope) * np.sin(direction), np.cos(slope)])
        look.set(light=slant)
    return look


def _ball_stones(look: Look, rng: np.random.Generator) -> None:
    """Stones shaded like balls, lit from above left or so."""
    direction, slope = rng.normal(-2.3, 0.5), rng.uniform(0.2, 1.0)
    light = np.array([np.sin(slope) * np.cos(direction), np.sin(slope) * np.sin(direction), np.cos(slope)])
    look.set(
        light=light,
        height=float(rng.uniform(0.35, 0.9)),
        ambient=np.array([0, rng.uniform(0.2, 0.8), rng.uniform(0.4, 0.75)]),
        diffuse=np.array([0, rng.uniform(0.3, 2.5), rng.uniform(0.25, 0.6)]),
        shine=np.array([0, rng.uniform(0.1, 0.8), rng.uniform(0, 0.3)]),
        gloss=np.array([0, rng.uniform(8, 40), rng.uniform(3, 40)]),  # a broad glint would make black stones white
        shell_strength=float(rng.choice([0.0, 0.0, rng.uniform(0.5, 5)])),
    )


def print_look(rng: np.random.Generator) -> Look:
    """Black on white paper, or on a tone; white stones are circles."""
    look = Look(rng)
    paper = rng.uniform(215, 255) if rng.random() < 0.8 else rng.uniform(150, 215)
    ink, thin = float(rng.uniform(0, 60)), float(rng.uniform(0.025, 0.09))
    big, outline = float(rng.uniform(0.43, 0.5)), float(rng.uniform(0.03, 0.1))
    colours = np.array([(0, 0, 0), (ink, ink, ink), (paper, paper, paper)], np.float32)
    if rng.random() < 0.3:
        colours[2] = 255
    look.set(
        board=np.full(3, paper, np.float32),
        line=np.full(3, ink, np.float32),
        line_width=thin,
        edge_width=thin * float(rng.choice([1.0, 1.5, 2.5])),
        hoshi_radius=float(rng.uniform(0.08, 0.15)),
        radius=np.array([0.0, big, big]),
        colours=colours,
        outline=np.array([0, 0, outline]),
        outline_colour=np.full(3, ink, np.float32),
    )
    return look


def surface(look: Look, camera: Camera, content: Content, margins: np.ndarray, rng: np.random.Generator) -> Surface:
    """A board ready to be drawn. margins: float64[4] of the surface around the outer crossings: left, top, right, bottom."""
    values = dict(look.values)
    jitter, uneven = values.pop("jitter"), values.pop("uneven")
    rows, columns = content.rows, content.columns
    shape = (rows + 2, columns + 2)
    stones = np.zeros(shape, np.uint8)
    stones[1:-1, 1:-1] = content.stones
    centres = np.zeros((*shape, 3), np.float32)
    centres[..., :2] = np.clip(rng.normal(0, 1, (*shape, 2)), -2, 2) * jitter
    centres[..., 2] = 1 + np.clip(rng.normal(0, 1, shape), -2, 2) * uneven
    beyond = np.where(np.array(content.edges)[[3, 0, 1, 2]], 0.0, rng.uniform(0.25, 0.6))
    ends = np.array([0, 0, columns - 1, rows - 1]) + np.array([-1, -1, 1, 1]) * beyond
    extent = np.array([0, 0, columns - 1, rows - 1]) + np.array([-1, -1, 1, 1]) * margins
    step = np.sqrt(abs(np.linalg.det(camera.plane)))  # pixels between lines, about
    centre = camera.plane[2] @ np.array([(columns - 1) / 2, (rows - 1) / 2, 1])
    level = int(np.clip(np.floor(np.log2(glyphs.SIDES[0] * centre**1.5 / max(step, 1e-9)) + 0.5), 0, len(glyphs.SIDES) - 1))
    return Surface(
        inverse=np.linalg.inv(camera.plane),
        eye=camera.eye,
        flat=camera.flat,
        rows=rows,
        columns=columns,
        extent=extent,
        line_ends=ends,
        edges=np.array(content.edges),
        hoshi=content.hoshi(),
        stones=stones,
        centres=centres,
        marks=content.marks,
        mark_colours=content.colours,
        mark_size=content.sizes,
        patches=content.patches,
        atlas=glyphs.atlas()[level],
        **values,
    )
