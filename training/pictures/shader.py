"""One board drawn into a picture, pixel by pixel: each pixel's ray meets stones, the board's surface or its side.

Stones are flattened spheres (discs in a flat picture), so that they hide each other, cast shadows and shine as in a photo.
Lines, marks and outlines cover pixels by their share of it, so that nothing is jagged. Colours are 0 to 255.

A board's own coordinates (u, v, z) are those of `camera`. Arrays that are indexed by crossing have one more crossing on each
side, [rows + 2, columns + 2]: coordinates stand there.
"""

from typing import NamedTuple

import numpy as np

from goengine.core.jit import inlined_kernel, kernel


class Surface(NamedTuple):
    """A board ready to be drawn. Lengths are distances between lines."""

    inverse: np.ndarray  # float64[3, 3]  from pixels to the plane
    eye: np.ndarray  # float64[3]
    light: np.ndarray  # float64[3]  unit vector towards the light
    flat: bool
    rows: int
    columns: int
    extent: np.ndarray  # float64[4]  least u, least v, most u, most v of the board's wood or paper
    line_ends: np.ndarray  # float64[4]  the same of the lines: beyond the outer crossings where the board goes on
    edges: np.ndarray  # bool[4]     top, right, bottom, left: whether the outer line is the board's edge
    thickness: float  # 0: none is seen
    board: np.ndarray  # float32[3]  colour
    side: np.ndarray  # float32[3]
    clear: float  # how much of what is below shows through the board: 1 draws no surface
    wood: np.ndarray  # float32[T, T]  tile of brightness
    wood_map: np.ndarray  # float64[2, 3]  from (u, v, 1) to pixels of the tile
    line: np.ndarray  # float32[3]
    line_width: float
    edge_width: float
    line_strength: float
    hoshi: np.ndarray  # uint8[rows + 2, columns + 2]
    hoshi_radius: float
    stones: np.ndarray  # uint8[rows + 2, columns + 2]
    centres: np.ndarray  # float32[rows + 2, columns + 2, 3]  offsets of stones in u and v; brightness
    radius: np.ndarray  # float64[3]  of black stones 1, white stones 2
    height: float  # of a stone
    colours: np.ndarray  # float32[3, 3]  by stone
    ambient: np.ndarray  # float64[3]  light from everywhere, by stone
    diffuse: np.ndarray  # float64[3]
    shine: np.ndarray  # float64[3]
    gloss: np.ndarray  # float64[3]  exponent
    outline: np.ndarray  # float64[3]  width of a stone's outline; 0: none
    outline_colour: np.ndarray  # float32[3]
    shell: np.ndarray  # float32[T, T]  tile for white stones
    shell_strength: float
    shadow: float  # strength of the stones' shadows
    shadow_soft: float
    marks: np.ndarray  # int16[rows + 2, columns + 2]  tiles of `glyphs`
    mark_colours: np.ndarray  # float32[rows + 2, columns + 2, 3]
    mark_size: np.ndarray  # float32[rows + 2, columns + 2]  of a tile
    patches: np.ndarray  # uint8[rows + 2, columns + 2]  1: no lines below this mark
    atlas: np.ndarray  # uint8[tiles, S, S]


@inlined_kernel
def _covered(inside, footprint):
    """Share of a pixel that is covered, from how far its middle lies inside an edge."""
    share = inside / footprint + 0.5
    return min(max(share, 0.0), 1.0)


@inlined_kernel
def _tile_at(tile, x, y):
    """A repeating tile at a place, the nearest pixel."""
    mask = tile.shape[0] - 1
    return tile[np.int64(np.floor(y)) & mask, np.int64(np.floor(x)) & mask]


@inlined_kernel
def _mark_at(atlas, mark, x, y):
    """Coverage of a mark at (x, y) in [0, 1] of its tile, between pixels."""
    side = atlas.shape[1]
    px, py = x * side - 0.5, y * side - 0.5
    left, top = np.int64(np.floor(px)), np.int64(np.floor(py))
    if left < 0 or top < 0 or left >= side - 1 or top >= side - 1:
        return 0.0
    fx, fy = px - left, py - top
    tile = atlas[mark]
    upper = tile[top, left] * (1 - fx) + tile[top, left + 1] * fx
    lower = tile[top + 1, left] * (1 - fx) + tile[top + 1, left + 1] * fx
    return (upper * (1 - fy) + lower * fy) / 255.0


@inlined_kernel
def _lines(surface, u, v, fu, fv):
    """Coverage by lines and hoshi."""
    ends = surface.line_ends
    i, j = np.int64(np.floor(v + 0.5)), np.int64(np.floor(u + 0.5))
    covered = 0.0
    last_row, last_column = surface.rows - 1, surface.columns - 1
    if 0 <= j <= last_column:
        edge = (j == 0 and surface.edges[3]) or (j == last_column and surface.edges[1])
        width = surface.edge_width if edge else surface.line_width
        reach = width / 2
        if abs(u - j) < reach + 0.5 * fu and ends[1] - reach - fv < v < ends[3] + reach + fv:
            share = _covered(reach - abs(u - j), fu) * min(1.0, width / fu * 1.2)
            share *= _covered(v - ends[1] + reach, fv) * _covered(ends[3] + reach - v, fv)
            covered = max(covered, share)
    if 0 <= i <= last_row:
        edge = (i == 0 and surface.edges[0]) or (i == last_row and surface.edges[2])
        width = surface.edge_width if edge else surface.line_width
        reach = width / 2
        if abs(v - i) < reach + 0.5 * fv and ends[0] - reach - fu < u < ends[2] + reach + fu:
            share = _covered(reach - abs(v - i), fv) * min(1.0, width / fv * 1.2)
            share *= _covered(u - ends[0] + reach, fu) * _covered(ends[2] + reach - u, fu)
            covered = max(covered, share)
    if 0 <= i <= last_row and 0 <= j <= last_column and surface.hoshi[i + 1, j + 1]:
        off = np.sqrt((u - j) ** 2 + (v - i) ** 2)
        covered = max(covered, _covered(surface.hoshi_radius - off, max(fu, fv)))
    return covered * surface.line_strength


@inlined_kernel
def _shadow(surface, u, v):
    """How much a point of the surface lies in the shadow of stones."""
    light, height = surface.light, surface.height
    middle = height * 0.5
    pu, pv = u + light[0] / light[2] * middle, v + light[1] / light[2] * middle
    i, j = np.int64(np.floor(pv)), np.int64(np.floor(pu))
    dark = 0.0
    for di in range(2):
        for dj in range(2):
            row, column = i + di + 1, j + dj + 1
            if row < 1 or column < 1 or row > surface.rows or column > surface.columns:
                continue
            stone = surface.stones[row, column]
            if stone == 0:
                continue
            cu = column - 1 + surface.centres[row, column, 0] - pu
            cv = row - 1 + surface.centres[row, column, 1] - pv
            reach = surface.radius[stone] + 0.5 * surface.shadow_soft
            off2 = cu * cu + cv * cv
            if off2 < reach * reach:
                dark = max(dark, _covered(surface.radius[stone] - np.sqrt(off2), surface.shadow_soft))
    return dark


@inlined_kernel
def _surface_colour(surface, u, v, fu, fv, colour):
    """The board's top at (u, v), over what `colour` (float64[3]) holds."""
    matrix = surface.wood_map
    grain = _tile_at(
        surface.wood,
        matrix[0, 0] * u + matrix[0, 1] * v + matrix[0, 2],
        matrix[1, 0] * u + matrix[1, 1] * v + matrix[1, 2],
    )
    clear = surface.clear
    for c in range(3):
        colour[c] = colour[c] * clear + surface.board[c] * grain * (1 - clear)
    i, j = np.int64(np.floor(v + 0.5)) + 1, np.int64(np.floor(u + 0.5)) + 1
    on_grid = 0 <= i <= surface.rows + 1 and 0 <= j <= surface.columns + 1
    lines = _lines(surface, u, v, fu, fv)
    mark = 0
    if on_grid and surface.stones[i, j] == 0:
        mark = surface.marks[i, j]
        if mark and surface.patches[i, j]:
            off = np.sqrt((u - j + 1) ** 2 + (v - i + 1) ** 2)
            lines *= 1 - _covered(0.33 - off, max(fu, fv))
    for c in range(3):
        colour[c] += (surface.line[c] - colour[c]) * lines
    if mark:
        _put_mark(surface, i, j, u - j + 1, v - i + 1, colour)
    if surface.shadow > 0:
        left = 1 - surface.shadow * _shadow(surface, u, v)
        for c in range(3):
            colour[c] *= left


@inlined_kernel
def _put_mark(surface, i, j, du, dv, colour):
    size = surface.mark_size[i, j]
    share = _mark_at(surface.atlas, surface.marks[i, j], du / size + 0.5, dv / size + 0.5)
    for c in range(3):
        colour[c] += (surface.mark_colours[i, j, c] - colour[c]) * share


@inlined_kernel
def _stone_colour(surface, i, j, seen, ray, footprint, colour):
    """A stone's colour where a ray meets it.

    seen: float64[6]: the normal of the sphere that was flattened, u and v from the stone's middle, distance from its outline.
    """
    normal, du, dv, rim = seen, seen[3], seen[4], seen[5]
    stone = surface.stones[i, j]
    squash = 2 * surface.radius[stone] / surface.height
    nz = normal[2] * squash
    length = np.sqrt(normal[0] ** 2 + normal[1] ** 2 + nz * nz) + 1e-9
    nx, ny, nz = normal[0] / length, normal[1] / length, nz / length
    light = surface.light
    lit = max(0.0, nx * light[0] + ny * light[1] + nz * light[2])
    hx, hy, hz = light[0] + ray[0], light[1] + ray[1], light[2] + ray[2]
    half = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-9
    mirrored = max(0.0, (nx * hx + ny * hy + nz * hz) / half)
    shine = 0.0
    if surface.shine[stone] > 0 and mirrored > 0.5:
        shine = surface.shine[stone] * 255.0 * mirrored ** surface.gloss[stone]
    strength = (surface.ambient[stone] + surface.diffuse[stone] * lit) * surface.centres[i, j, 2]
    if stone == 2 and surface.shell_strength > 0:
        turn = i * 2.399 + j * 0.755  # each stone lies in another direction
        cos, sin = np.cos(turn) * 60, np.sin(turn) * 60
        grain = _tile_at(surface.shell, du * cos - dv * sin + i * 37 + j * 61, du * sin + dv * cos + i * 91 + j * 13)
        strength *= 1 + (grain - 1) * surface.shell_strength
    for c in range(3):
        colour[c] = min(surface.colours[stone, c] * strength + shine, 255.0)
    width = surface.outline[stone]
    if width > 0:
        share = _covered(width - rim, footprint)
        for c in range(3):
            colour[c] += (surface.outline_colour[c] - colour[c]) * share
    if surface.marks[i, j]:
        _put_mark(surface, i, j, du, dv, colour)


@inlined_kernel
def _stone_hit(surface, i, j, u, v, ray, footprint, normal):
    """Where a ray through (u, v, 0) meets the stone of array place (i, j): (coverage, distance from its outline, height along
    the ray), and the sphere's normal into `normal`. Coverage 0: it does not."""
    radius = surface.radius[surface.stones[i, j]]
    stretch = 2 * radius / surface.height
    x = u - (j - 1 + surface.centres[i, j, 0])
    y = v - (i - 1 + surface.centres[i, j, 1])
    z = -surface.height * 0.5 * stretch
    dz = ray[2] * stretch
    square = ray[0] * ray[0] + ray[1] * ray[1] + dz * dz
    along = -(x * ray[0] + y * ray[1] + z * dz) / square
    px, py, pz = x + along * ray[0], y + along * ray[1], z + along * dz
    off2 = px * px + py * py + pz * pz
    limit = radius + footprint
    if off2 >= limit * limit:
        return 0.0, 0.0, 0.0
    off = np.sqrt(off2)
    share = _covered(radius - off, footprint)
    forward = np.sqrt(max(radius * radius - off2, 0.0) / square)
    normal[0] = (px + forward * ray[0]) / radius
    normal[1] = (py + forward * ray[1]) / radius
    normal[2] = max((pz + forward * dz) / radius, 0.0)
    return share, radius - off, along + forward


@inlined_kernel
def _stones_met(surface, u, v, ray, footprint, normal):
    """The two highest stones that the ray through (u, v, 0) meets.

    Returns (row, column, coverage) of the first one and (row, column) of the second one, as places in the arrays; rows are -1
    where there is none.
    """
    lift = surface.height * 0.5 / ray[2]
    i0, j0 = np.int64(np.floor(v + ray[1] * lift)) + 1, np.int64(np.floor(u + ray[0] * lift)) + 1
    first, second, covered = 0.0, 0.0, 0.0
    best_i, best_j, next_i, next_j = -1, -1, -1, -1
    for di in range(2):
        for dj in range(2):
            i, j = i0 + di, j0 + dj
            if i < 1 or j < 1 or i > surface.rows or j > surface.columns or surface.stones[i, j] == 0:
                continue
            share, _, height = _stone_hit(surface, i, j, u, v, ray, footprint, normal)
            if share <= 0:
                continue
            if best_i < 0 or height > first:
                next_i, next_j, second = best_i, best_j, first
                best_i, best_j, first, covered = i, j, height, share
            elif next_i < 0 or height > second:
                next_i, next_j, second = i, j, height
    return best_i, best_j, covered, next_i, next_j


@inlined_kernel
def _draw_stone(surface, place, u, v, ray, footprint, work, colour):
    """The stone of an array place, as the ray through (u, v, 0) sees it, over `colour`. work: float64[2, 6]."""
    i, j = place
    seen, painted = work[0], work[1]
    share, rim, height = _stone_hit(surface, i, j, u, v, ray, footprint, seen)
    seen[3] = u + height * ray[0] - (j - 1 + surface.centres[i, j, 0])
    seen[4] = v + height * ray[1] - (i - 1 + surface.centres[i, j, 1])
    seen[5] = rim
    _stone_colour(surface, i, j, seen, ray, footprint, painted)
    for c in range(3):
        colour[c] += (painted[c] - colour[c]) * share


@kernel
def draw_board(picture, surface, bounds, work):
    """Draw a board into a picture (uint8[height, width, 3]) inside bounds (int64[4]: left, top, right, bottom).

    work: float64[4, 6] of scratch.
    """
    inverse, extent = surface.inverse, surface.extent
    colour, ray = work[3], work[2]
    for y in range(bounds[1], bounds[3]):
        for x in range(bounds[0], bounds[2]):
            w = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
            if w <= 1e-9:
                continue
            w = 1 / w
            u = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) * w
            v = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) * w
            if u < extent[0] - 3 or v < extent[1] - 3 or u > extent[2] + 3 or v > extent[3] + 3:
                continue
            fu = (abs(inverse[0, 0] - u * inverse[2, 0]) + abs(inverse[0, 1] - u * inverse[2, 1])) * w
            fv = (abs(inverse[1, 0] - v * inverse[2, 0]) + abs(inverse[1, 1] - v * inverse[2, 1])) * w
            footprint = min(fu, fv)
            if surface.flat:
                ray[0], ray[1], ray[2] = 0.0, 0.0, 1.0
            else:
                ray[0], ray[1], ray[2] = surface.eye[0] - u, surface.eye[1] - v, surface.eye[2]
                scale = 1 / np.sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2])
                ray[0], ray[1], ray[2] = ray[0] * scale, ray[1] * scale, ray[2] * scale
            for c in range(3):
                colour[c] = picture[y, x, c]
            best_i, best_j, covered, next_i, next_j = _stones_met(surface, u, v, ray, footprint, work[0])
            if covered < 1:  # else nothing else is seen
                _draw_slab(surface, u, v, fu, fv, ray, colour, work[0])
                if next_i >= 0:
                    _draw_stone(surface, (next_i, next_j), u, v, ray, footprint, work, colour)
            if best_i >= 0:
                _draw_stone(surface, (best_i, best_j), u, v, ray, footprint, work, colour)
            for c in range(3):
                picture[y, x, c] = np.uint8(min(max(colour[c], 0.0), 255.0))


@inlined_kernel
def _draw_slab(surface, u, v, fu, fv, ray, colour, top):
    """The board's surface, its sides and its shadow on the table, over `colour`. top: float64[3] of scratch."""
    extent = surface.extent
    inside_u, inside_v = min(u - extent[0], extent[2] - u), min(v - extent[1], extent[3] - v)
    on_top = 1.0
    if inside_u < fu or inside_v < fv:
        on_top = _covered(inside_u, fu) * _covered(inside_v, fv)
    if on_top < 1 and surface.thickness > 0:
        deep = surface.thickness / ray[2]
        bu, bv = u - ray[0] * deep, v - ray[1] * deep
        # The side is seen where the ray is inside the slab's outline somewhere between its top and its bottom.
        low_u, high_u, low_v, high_v = min(u, bu), max(u, bu), min(v, bv), max(v, bv)
        if high_u > extent[0] and low_u < extent[2] and high_v > extent[1] and low_v < extent[3]:
            if _crosses(extent, u, v, bu, bv):
                for c in range(3):
                    colour[c] = surface.side[c]
            else:
                _table_shadow(surface, bu, bv, colour)
        else:
            _table_shadow(surface, bu, bv, colour)
    if on_top > 0:
        for c in range(3):
            top[c] = colour[c]
        _surface_colour(surface, u, v, fu, fv, top)
        for c in range(3):
            colour[c] += (top[c] - colour[c]) * on_top


@inlined_kernel
def _crosses(extent, u, v, bu, bv):
    """Whether the way from (u, v) to (bu, bv) meets the rectangle."""
    first, last = 0.0, 1.0
    for axis in range(2):
        start, step = (u, bu - u) if axis == 0 else (v, bv - v)
        low, high = extent[axis], extent[axis + 2]
        if abs(step) < 1e-9:
            if start < low or start > high:
                return False
            continue
        near, far = (low - start) / step, (high - start) / step
        first, last = max(first, min(near, far)), min(last, max(near, far))
    return first <= last


@inlined_kernel
def _table_shadow(surface, u, v, colour):
    """Darkens the table at (u, v) where the board stands between it and the light."""
    light, extent = surface.light, surface.extent
    su = u + light[0] / light[2] * surface.thickness * 0.5
    sv = v + light[1] / light[2] * surface.thickness * 0.5
    inside = min(min(su - extent[0], extent[2] - su), min(sv - extent[1], extent[3] - sv))
    dark = surface.shadow * _covered(inside, 0.3 + surface.thickness)
    for c in range(3):
        colour[c] *= 1 - dark
