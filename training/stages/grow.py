"""A trained net with more blocks that plays exactly as before.

Knows: a new block whose branch ends in zeros passes its input on, so a net may be deepened without forgetting
(net2net: Chen, Goodfellow and Shlens 2016; the zero branch: Goyal et al. 2017). A block that ends with its activation does so
only where that is a rectifier and what comes in is never negative. Does not train.
"""

from goengine.nets import build
from goengine.nets.architecture import to_text
from goengine.nets.spec import NetSpec
from goengine.nets.weights_file import Checkpoint, restore
from training.core.checkpoint import RunError


def deepen(old: Checkpoint, spec: NetSpec, seed: int = 0) -> build.Net:
    """The net `old` with fresh silent blocks behind its own, as `spec` says, in training mode.

    Raises RunError if the spec is not the old one with more blocks at the end, or if one of those is not silent.
    """
    if {**old.spec.to_dict(), "blocks": 0} != {**spec.to_dict(), "blocks": 0}:
        raise RunError(
            f"a net grows in depth only: everything but the blocks must stay as in {to_text(old.spec)} for the features "
            f"{old.spec.features}; this is {to_text(spec)} for {spec.features}"
        )
    kept = len(old.spec.blocks)
    if spec.blocks[:kept] != old.spec.blocks:
        raise RunError(f"the new blocks stand behind the old ones: {to_text(spec)} does not begin as {to_text(old.spec)}")
    net = build.build(spec, seed)
    if (net.trunk.tip is None) != ("trunk.tip.weight" not in old.arrays):
        raise RunError(
            f"a first block that pre-activates adds a last normalisation: {to_text(old.spec)} has none, and would change"
        )
    for number in range(kept, len(spec.blocks)):
        if problem := _not_silent(net, number):
            raise RunError(f"a new block must pass on what it gets; block {number + 1} of {to_text(spec)} {problem}")
    arrays = {name: value.numpy() for name, value in net.state_dict().items()}
    restore(net, {**arrays, **old.arrays})
    return net.train()


def _not_silent(net: build.Net, number: int) -> str:
    """Why the fresh block with that number changes what it gets; empty if it does not."""
    spec, block = net.spec, net.trunk.blocks[number]
    if spec.blocks[number].width:
        return "has another width"
    if not block.silent:
        return "is no branch beside its input"
    if not block.activates or spec.blocks[number].kind == "squeeze":
        return ""
    if spec.activation != "relu":
        return f"ends with {spec.activation}, which changes what it gets; relu would not"
    if not all(before.activates for before in net.trunk.blocks[:number]):
        return "ends with relu, and what comes in may be negative"
    return ""
