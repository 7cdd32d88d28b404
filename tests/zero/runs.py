"""Run folders with a tiny net, for the tests of those who play and learn in them."""

import functools
import shutil
import tempfile
from pathlib import Path

from goengine.zero import run_folder
from goengine.zero.run_folder import PublishedNet, SizeSettings
from goengine.zero.selfplay_params import SelfPlayParams

SETTINGS = SelfPlayParams(size=5, visits=4, considered=4, komi=3.0)


@functools.cache
def exported(features: str = "zero") -> Path:
    """A folder with the files of a tiny net with random weights; an export takes seconds, so there is one for all tests."""
    from goengine import features as feature_sets
    from goengine.nets import architecture, build, export, weights_file

    folder = Path(tempfile.mkdtemp(prefix="tiny-net-"))
    chosen = feature_sets.get(features)
    wanted = architecture.parse("b2c16", features, chosen.planes, chosen.globals)
    weights_file.save(folder / "net.safetensors", build.build(wanted, 1), wanted)
    net, meta = weights_file.load_module(folder / "net.safetensors")
    export.save_openvino(export.openvino_model(net, meta), folder / "net.xml")
    return folder


def publish(run: Path, *settings: SelfPlayParams, features: str = "zero", samples: int = 0, step: int = 0) -> PublishedNet:
    """Publish the tiny net. settings: one for each board size, with equal shares; SETTINGS if there are none."""
    boards = [SizeSettings(each, 1 / len(settings)) for each in settings] or [SizeSettings(SETTINGS)]

    def write(folder: Path) -> None:
        for path in exported(features).iterdir():
            shutil.copy(path, folder)

    return run_folder.publish(run, write, boards, samples=samples, step=step)


def new_run(run: Path, *settings: SelfPlayParams) -> Path:
    """A run folder with one net. settings: as of `publish`."""
    run_folder.create(run, [each.size for each in settings or (SETTINGS,)], "zero", {})
    publish(run, *settings)
    return run
