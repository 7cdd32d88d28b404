"""What the command `prune` prints: the table of a family of nets, or those of the experiment with single weights."""

from goengine.core.tables import table
from training.laboratory import channels, magnitude
from training.laboratory.prune_options import PruneOptions
from training.stages.pruned import as_it_was


def tables(config: PruneOptions) -> str | None:
    """Do what the options ask for, and tell it. None: stopped by a signal, everything is saved."""
    if config.alphas:
        if (cuts := magnitude.run(config)) is None:
            return None
        found = table(magnitude.rows(cuts, as_it_was(config, config.weights)), header=magnitude.HEADER)
        by_layer = ("layer, removed at alpha", *(f"{cut.alpha:g}" for cut in cuts))
        return found + "\n" + table(magnitude.layers(cuts), header=by_layer)
    if (members := channels.run(config)) is None:
        return None
    return table(channels.rows(members, as_it_was(config, config.weights)), header=channels.HEADER)
