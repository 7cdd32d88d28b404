"""A trained net with more blocks that plays exactly as before.

Knows: a new residual block whose branch ends in zeros passes its input on, so a net may be deepened without forgetting
(net2net: Chen, Goodfellow and Shlens 2016; the zero branch: Goyal et al. 2017). Works for blocks that normalise after
a convolution: their input is never negative, so the last activation changes nothing. Does not train.
"""

from goengine.nets import build
from goengine.nets.spec import NetSpec
from goengine.nets.weights_file import Checkpoint, restore
from training.core.checkpoint import RunError


def deepen(old: Checkpoint, spec: NetSpec, seed: int = 0) -> build.Net:
    """The net `old` with fresh silent blocks behind its own, as `spec` says, in training mode.

    Raises RunError if the spec is not the old one with more blocks at the end, or if its blocks pre-activate.
    """
    if {**old.spec.to_dict(), "blocks": 0} != {**spec.to_dict(), "blocks": 0}:
        raise RunError(f"a net grows in depth only: everything but the blocks must stay as in {old.spec.to_json()}")
    kept = len(old.spec.blocks)
    if spec.blocks[:kept] != old.spec.blocks:
        raise RunError(f"the new blocks stand behind the old ones: {spec.blocks} does not begin with {old.spec.blocks}")
    if any(kind.startswith("preact") or kind == "conv" for kind in spec.blocks) or spec.activation != "relu":
        raise RunError("only nets whose blocks are residual and end with relu can grow: elsewhere a new block is not silent")
    net = build.build(spec, seed)
    arrays = {name: value.numpy() for name, value in net.state_dict().items()}
    restore(net, {**arrays, **old.arrays})
    return net.train()
