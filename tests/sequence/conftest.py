"""Small sequence models with fresh weights, as files and exported."""

import pytest

from goengine.nets.sequence import sequence_export, sequence_file
from goengine.nets.sequence.sequence_model import build
from goengine.nets.sequence.sequence_spec import SequenceSpec
from goengine.nets.weights_file import arrays_of

SPECS = {
    "gru": SequenceSpec("gru", width=16, layers=2, heads=1, longest=60),
    "free": SequenceSpec("decoder", width=16, layers=2, heads=2, longest=60),
    "seeing": SequenceSpec("decoder", width=16, layers=2, heads=2, longest=26, memory=96, trunk="b8c96"),
}


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """Folder with NAME.safetensors and NAME.xml of each of SPECS."""
    folder = tmp_path_factory.mktemp("sequence")
    for name, spec in SPECS.items():
        sequence_file.save(folder / f"{name}.safetensors", arrays_of(build(spec, 3)), spec, step=7)
        sequence_export.export(sequence_file.load(folder / f"{name}.safetensors"), folder / f"{name}.xml")
    return folder
