"""The nets of a zero run: a learner's weights in the forms in which workers and raters play them.

Knows exports and where a run keeps its nets; learns nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import nn

from goengine.nets import build, export, quantize, weights_file
from goengine.nets.architecture import is_architecture, to_text
from goengine.nets.spec import NetSpec
from goengine.zero import run_folder
from goengine.zero.run_folder import PublishedNet, SizeSettings
from training.core.checkpoint import RunError, plain
from training.stages.supervised import fresh_or_loaded
from training.zero.zero_options import ZeroOptions

if TYPE_CHECKING:
    from openvino import Model


@dataclass(frozen=True)
class Story:
    """How far a run's learner is with a net, and what the net's weights file tells of it."""

    samples: int = 0
    step: int = 0
    config: Mapping[str, Any] | None = None
    data: Mapping[str, Any] | None = None


def publish_net(
    run: Path,
    weights: nn.Module | Mapping[str, np.ndarray],
    spec: NetSpec,
    boards: Sequence[SizeSettings],
    story: Story,
    *,
    graph: bool = True,
    calibration: Sequence[tuple[np.ndarray, np.ndarray]] = (),
) -> PublishedNet:
    """Publish weights as the run's next net: as a weights file, and with `graph` for OpenVINO.

    boards: how self-play plays with it. calibration: batches (planes, globals) on which the steps are found for a graph that
    computes on 8-bit integers; without any, its weights are in float16. Raises RunError if the net sees other features
    than the run's games are for, or OpenVINO cannot be imported.
    """
    features = run_folder.read_config(run)["features"]
    if spec.features != features:
        raise RunError(
            f"{run}: its games are for the features {features}, this net sees {spec.features}; take another --run folder"
        )

    def write(folder: Path) -> None:
        path = folder / run_folder.WEIGHTS
        weights_file.save(path, weights, spec, step=story.step, config=story.config, data=story.data)
        if graph:
            _save_graph(path, folder / run_folder.GRAPH[0], calibration)

    return run_folder.publish(run, write, boards, samples=story.samples, step=story.step)


def _save_graph(weights: Path, graph: Path, calibration: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    """Export a weights file for OpenVINO. Raises RunError if that cannot be imported."""
    net, meta = weights_file.load_module(weights)
    try:
        model = _int8(net, meta, calibration) if calibration else export.openvino_model(net, meta)
    except ImportError as error:
        raise RunError(
            f"OpenVINO cannot be imported ({error}): pip install openvino, or play by torch with --device torch-cpu or cuda"
        ) from error
    export.save_openvino(model, graph)


def _int8(net: build.Net, meta: weights_file.Meta, calibration: Sequence[tuple[np.ndarray, np.ndarray]]) -> "Model":
    """The net for OpenVINO on integers, without training for its roundings: a run has no time for that."""
    rounded = quantize.prepare(net)
    quantize.calibrate(rounded, calibration)
    return export.int8_model(rounded.eval(), meta)


def begin(config: ZeroOptions) -> PublishedNet:
    """Make the run folder and its first net, or go on with what is there. Returns the newest net.

    Raises RunError if --net is neither an architecture nor a weights file, sees other features than asked for or is smaller
    than the run's; RunFolderError if the folder is of another run or version. Nothing of it is changed then.
    """
    sizes = list(config.shares)
    there = run_folder.check(config.run, sizes, config.features)
    found = run_folder.newest(config.run) if there else None
    module = _asked_for(config) if found is None else larger(config, found)
    run_folder.create(config.run, sizes, config.features, plain(config))
    if found is not None:
        return found
    story = Story(config=plain(config))
    return publish_net(config.run, module, module.spec, config.boards(0.0), story, graph=config.exports)


def larger(config: ZeroOptions, present: PublishedNet) -> build.Net | None:
    """The net that --net names, where it is larger than the present one; None where it is of the same form.

    A weights file that is gone was needed once, and names nothing any more. Raises RunError as `begin`.
    """
    if not is_architecture(config.net) and not Path(config.net).exists():
        return None
    module, ours = _asked_for(config), weights_file.load(present.folder / "net.safetensors")
    if module.spec == ours.spec:
        return None
    if _numbers(weights_file.arrays_of(module)) <= _numbers(ours.arrays):
        name = to_text(ours.spec)
        raise RunError(
            f"--net {config.net}: {config.run} has a net of another size, {name}, and only a larger one takes its place; go on "
            f"with --net {name}, or take another folder"
        )
    return module


def _asked_for(config: ZeroOptions) -> build.Net:
    module = fresh_or_loaded(config.net, config.features, config.seed)
    if module.spec.features != config.features:
        raise RunError(
            f"--net {config.net}: sees the features {module.spec.features}, the run's games are for {config.features}; give "
            f"--features {module.spec.features}, or another net"
        )
    if missing := {"policy", "value"} - module.spec.outputs:
        raise RunError(f"--net {config.net}: has no {', '.join(missing)}, and a search needs both policy and value")
    return module


def _numbers(arrays: Mapping[str, np.ndarray]) -> int:
    return sum(array.size for array in arrays.values())
