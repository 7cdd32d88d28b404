"""From self-play's parameters to those of its searches. Knows what each method's noise and constants are; runs no search."""

from goengine.search.batched_roots import Noise
from goengine.search.params import GUMBEL, SearchParams
from goengine.zero.selfplay_params import SelfPlayParams


def noise_of(settings: SelfPlayParams) -> Noise:
    """The settings' noise as scalars."""
    if settings.method == "gumbel":
        return Noise(settings.considered, 1.0, 0.0, 0.0)
    return Noise(0, float(settings.root_temperature), float(settings.dirichlet_total), float(settings.dirichlet_weight))


def params_of(settings: SelfPlayParams, full: bool) -> SearchParams:
    """The search's constants for a full or a cheap search."""
    if settings.method == "gumbel":
        return GUMBEL.with_(c_visit=settings.c_visit, c_scale=settings.c_scale, cpuct=settings.cpuct, ownership=False)
    forced = settings.forced_playouts if full else 0.0
    reduction = 0.0 if full else 0.1  # KataGo: none at a root with noise
    return SearchParams(
        cpuct=settings.cpuct, fpu_relative=True, root_fpu_reduction=reduction, forced_playouts=forced, ownership=False
    )
