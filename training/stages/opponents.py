"""Policies from files, and the pool of earlier forms of a net that it learns against.

The pool is a folder of weights files, named by the iteration whose beginning they show: 000000 is the net that the run began
with. Which of them belong to the pool is a function of the iteration alone, so a run that was killed goes on with those that it
had; files of later iterations, which a killed process has left, are written again. Knows no learning.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import nn

from goengine import features
from goengine.nets import weights_file
from goengine.nets.architecture import to_text
from goengine.nets.build import Net
from goengine.nets.spec import NetSpec
from training.core.checkpoint import RunError


def load_policy(path: Path) -> tuple[Net, weights_file.Meta]:
    """The net of a weights file, in evaluation mode, and what the file says.

    Raises WeightsError if the file is damaged, RunError if the net has no policy or sees features that are unknown here.
    """
    module, meta = weights_file.load_module(path)
    if "policy" not in meta.spec.outputs:
        raise RunError(f"{path}: the net has no policy to play by")
    known_features(path, meta.spec)
    return module, meta


def known_features(path: Path, spec: NetSpec) -> None:
    """Raises RunError if there is no such feature set here, or one of another shape."""
    chosen = features.get(spec.features) if spec.features in features.names() else None
    if chosen is None or (chosen.planes, chosen.globals) != (spec.planes, spec.globals):
        raise RunError(
            f"{path}: sees the features {spec.features} ({spec.planes} planes, {spec.globals} globals), which are not known "
            f"here; known are {', '.join(features.names())}"
        )


class Pool:
    """Earlier forms of a net; every one is as likely to be the opponent."""

    def __init__(self, folder: Path, spec: NetSpec, every: int):
        """every: iterations from one member to the next."""
        self.folder, self.spec, self.every = folder, spec, every

    def path(self, iteration: int) -> Path:
        """Where the net of the beginning of that iteration lies."""
        return self.folder / f"{iteration:06d}.safetensors"

    def members(self, iteration: int) -> range:
        """The iterations at which the pool's members, as of this iteration, were saved."""
        return range(0, iteration + 1, self.every)

    def join(self, iteration: int, net: nn.Module | Mapping[str, np.ndarray], story: Mapping[str, object]) -> None:
        """Add the net to the pool, if its turn comes with this iteration. Raises RunError if the disk does not take it."""
        if iteration % self.every:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            weights_file.save(self.path(iteration), net, self.spec, step=iteration, data=story)
        except OSError as error:
            raise RunError(
                f"cannot write {self.path(iteration)}: {error.strerror or error}; make room and start again"
            ) from error

    def drawn(self, iteration: int, chance: np.random.Generator) -> int:
        """The iteration of a member drawn at random."""
        return int(chance.choice(self.members(iteration)))

    def net(self, member: int) -> Net:
        """A member's net in evaluation mode.

        Raises WeightsError if its file is damaged or gone, RunError if it is a net of another form.
        """
        found = weights_file.load(self.path(member))
        if found.spec != self.spec:
            raise RunError(
                f"{self.path(member)}: is another net than the run's: it sees the features {found.spec.features} and is "
                f"{to_text(found.spec)}, the run's {self.spec.features} and {to_text(self.spec)}; take another --run folder"
            )
        return found.module()
