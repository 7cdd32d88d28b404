"""Random draws for the root: Dirichlet and Gumbel noise, and the choice of a move by chance. All from the caller's generator.

Knows no tree: arrays in, arrays out.
"""

import math

import numpy as np

from goengine.board.random import uniform
from goengine.core.jit import kernel

_SHAPE_CAP = 0.01  # KataGo computeDirichletAlphaDistribution: priors above it count as it


@kernel
def _open_uniform(generator):
    """A uniform float64 in (0, 1)."""
    while True:
        u = uniform(generator)
        if u > 0.0:
            return u


@kernel
def _normal(generator):
    """A standard normal number (Box and Muller, 1958; the second of the pair is thrown away)."""
    return math.sqrt(-2.0 * math.log(_open_uniform(generator))) * math.cos(2.0 * math.pi * uniform(generator))


@kernel
def log_gamma_draw(generator, shape):
    """Logarithm of a Gamma(shape, 1) number (Marsaglia and Tsang, 2000); in logarithms because small shapes underflow."""
    boost = 0.0
    if shape < 1.0:
        boost = math.log(_open_uniform(generator)) / shape
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = _normal(generator)
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(_open_uniform(generator)) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
            return boost + math.log(d * v)


@kernel
def _log_gammas(generator, shapes, out):
    """A draw for each shape into ``out`` (float64[n])."""
    for i in range(shapes.size):
        out[i] = log_gamma_draw(generator, shapes[i])


@kernel
def gumbel_draw(generator):
    """A standard Gumbel number."""
    return -math.log(-math.log(_open_uniform(generator)))


@kernel
def _gumbels(generator, out):
    """Standard Gumbel draws into ``out``."""
    for i in range(out.size):
        out[i] = gumbel_draw(generator)


def dirichlet(generator: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """A draw from the Dirichlet distribution with these positive parameters (float64[n]): float64[n], sum 1."""
    draw = np.empty(len(alphas))
    _log_gammas(generator, alphas, draw)
    draw = np.exp(draw - draw.max())
    return draw / draw.sum()


def gumbel(generator: np.ndarray, count: int) -> np.ndarray:
    """``count`` draws from the standard Gumbel distribution: float64[count]."""
    draw = np.empty(count)
    _gumbels(generator, draw)
    return draw


def dirichlet_parameters(priors: np.ndarray, total: float, shaped: bool) -> np.ndarray:
    """Parameters that sum to ``total`` over the legal moves with these priors (float64[n]).

    Spread evenly; if ``shaped``, only half of it, and the other half in proportion to how far log(min(prior, 0.01)) lies above
    its mean over the moves (KataGo).
    """
    n = len(priors)
    even = np.full(n, 1.0 / n)
    if not shaped:
        return total * even
    logs = np.log(np.minimum(priors, _SHAPE_CAP) + 1e-20)
    above = np.maximum(0.0, logs - logs.mean())
    if above.sum() <= 0:
        return total * even
    return total * 0.5 * (even + above / above.sum())


def choose(generator: np.ndarray, weights: np.ndarray) -> int:
    """An index drawn in proportion to non-negative weights, of which one is positive."""
    sums = np.cumsum(weights)
    return int(min(np.searchsorted(sums, uniform(generator) * sums[-1], side="right"), np.flatnonzero(weights)[-1]))
