"""A trained net with more blocks, or with more inputs, that plays exactly as before.

Knows: a new block whose branch ends in zeros passes its input on, so a net may be deepened without forgetting
(net2net: Chen, Goodfellow and Shlens 2016; the zero branch: Goyal et al. 2017). A block that ends with its activation does so
only where that is a rectifier and what comes in is never negative. A new input has weights of zero, so nothing hears it until
the net is trained on. Does not train.
"""

import dataclasses

import numpy as np

from goengine.features import FeatureSet
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


def widen(old: Checkpoint, features: FeatureSet) -> build.Net:
    """The net `old` that sees a larger feature set, whose planes and globals begin with those of its own, in training mode.

    Raises RunError if the set has fewer of either than the net.
    """
    spec = old.spec
    planes, globals_ = features.planes - spec.planes, features.globals - spec.globals
    if planes < 0 or globals_ < 0 or not features.name.startswith(spec.features):
        raise RunError(
            f"a net of the features {spec.features} ({spec.planes} planes, {spec.globals} globals) cannot grow to "
            f"{features.name} ({features.planes}, {features.globals}): it must begin with what the net sees"
        )
    wider = dataclasses.replace(spec, features=features.name, planes=features.planes, globals=features.globals)
    net = build.build(wider)
    arrays = dict(old.arrays)
    for name, inputs in (("trunk.stem.conv.weight", planes), ("trunk.globals.weight", globals_)):
        if inputs:
            known = arrays.get(name, np.zeros((spec.channels, 0), np.float32))
            arrays[name] = np.concatenate([known, np.zeros((len(known), inputs, *known.shape[2:]), known.dtype)], axis=1)
    restore(net, arrays)
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
