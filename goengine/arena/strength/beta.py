"""The beta distribution: distribution function and quantiles, for intervals that stay right with few games.

Pure mathematics in the standard library, because the engine does not bring scipy. Knows nothing of games.
"""

import math

_TINY = 1e-300  # stands for a zero denominator


def probability(x: float, a: float, b: float) -> float:
    """P(X <= x) of a Beta(a, b) variable: the regularised incomplete beta function. a, b > 0.

    By the continued fraction https://dlmf.nist.gov/8.17#E22, on the side of the mean where it converges fast.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - probability(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / (a * _fraction(x, a, b))


def quantile(share: float, a: float, b: float) -> float:
    """x with P(X <= x) = `share` of a Beta(a, b) variable, 0 < share < 1; by bisection of its logit.

    The logit, because x itself may be as near to 1 as a float can be. The answer is always inside (0, 1).
    """
    low, high = -36.0, 36.0  # 1 / (1 + exp(-36)) is the last float below 1, about
    for _ in range(45):
        middle = (low + high) / 2
        if probability(1 / (1 + math.exp(-middle)), a, b) < share:
            low = middle
        else:
            high = middle
    return 1 / (1 + math.exp(-(low + high) / 2))


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)) with the coefficients of DLMF 8.17.23, by Lentz's method."""
    value, upper, lower = 1.0, 1.0, 0.0
    for n in range(1, 10_000):
        m = n // 2
        if n % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        upper = 1 + d / upper or _TINY
        lower = 1 / (1 + d * lower or _TINY)
        value *= upper * lower
        if abs(upper * lower - 1) < 1e-14:
            break
    return value
