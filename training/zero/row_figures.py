"""How well a net predicts rows of self-play that nothing was learned from: the searches' policies and the games' results.

Takes any `Predict`; knows no nets and no files. Beside `training.measure.evaluate`, which measures on moves that were played.
"""

from collections.abc import Mapping

import numpy as np

from training.data.sampling import Targets
from training.measure.evaluate import Predict, Predictions, by_size
from training.zero.zero_sampling import RowSampler


def row_figures(samplers: Mapping[int, RowSampler], predict: Predict, positions: int, batch: int) -> dict[str, float]:
    """Means over so many rows of each board size, and those of each size where there are several; empty without rows.

    `policy` is the cross-entropy with the search's policy, `lag` what of it is not the search's own entropy, `top1` how often
    the search's favourite is the net's; `value_mse` and `value_right` as of `training.measure.evaluate.Figures`.
    """
    sums = {
        size: _sums_of(sampler, predict, min(positions, len(sampler.rows.position)), batch)
        for size, sampler in samplers.items()
    }
    figures = _figures(sum(sums.values())) if sums else {}
    return figures | by_size({size: _figures(own) for size, own in sums.items()})


def _sums_of(sampler: RowSampler, predict: Predict, count: int, batch: int) -> np.ndarray:
    """`_sums` over the first so many samples."""
    sums = np.zeros(7)
    for first in range(0, count, batch):
        targets = sampler.batch(first, min(batch, count - first))
        sums += _sums(targets, predict(targets.planes, targets.globals))
    return sums


def _figures(sums: np.ndarray) -> dict[str, float]:
    """Means made of `_sums`; those of the value where there was a result."""
    figures = dict(zip(("policy", "lag", "top1"), sums[:3] / sums[6], strict=True))
    if sums[5]:
        figures |= dict(zip(("value_mse", "value_right"), sums[3:5] / sums[5], strict=True))
    return {name: float(value) for name, value in figures.items()}


def _sums(targets: Targets, found: Predictions) -> np.ndarray:
    """Sums over one batch: cross-entropy, divergence, best moves found, squared errors, winners named, results, samples:
    float64[7].
    """
    logits = found.policy.astype(np.float64)
    logits -= logits.max(1, keepdims=True)
    log = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    target = targets.policy.astype(np.float64)
    own = target * np.log(np.maximum(target, 1e-30))
    right = np.sign(found.value) == np.sign(targets.value)
    weight = targets.value_weight
    return np.array(
        [
            -(target * log).sum(),
            (own - target * log).sum(),
            (log.argmax(1) == target.argmax(1)).sum(),
            ((found.value - targets.value) ** 2 * weight).sum(),
            (right * weight).sum(),
            weight.sum(),
            len(weight),
        ]
    )
