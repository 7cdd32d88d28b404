"""The command export: the file that it writes says what the net says, and a wrong one is refused."""

import numpy as np
import pytest
import torch

from goengine.evaluators.openvino import core
from goengine.nets import build, weights_file
from goengine.nets.architecture import parse
from goengine.nets.export import OUTPUTS, ExportedNet
from training.cli import main

SPEC = parse("b2c16", "zero", 22, 14)


@pytest.fixture
def weights(tmp_path):
    """A net whose running statistics are not those that it was made with."""
    net = build.build(SPEC, 3)
    net.train()
    with torch.no_grad():
        for seed in range(3):
            torch.manual_seed(seed)
            net(torch.rand(8, SPEC.planes, 9, 9).round(), torch.rand(8, SPEC.globals), True)
    path = tmp_path / "net.safetensors"
    weights_file.save(path, net.eval(), SPEC, step=5)
    return path


@pytest.mark.parametrize(("batch", "size"), [(3, 9), (1, 13)])
def test_the_file_says_what_the_net_says(batch, size, weights, tmp_path, capsys):
    pytest.importorskip("onnxscript")
    out = tmp_path / "net.onnx"
    assert main(["export", "--weights", str(weights), "--out", str(out)]) == 0
    assert str(out) in capsys.readouterr().err
    rng = np.random.default_rng(1)
    planes = rng.integers(0, 2, (batch, SPEC.planes, size, size)).astype(np.float32)
    planes[:, 0] = 1
    globals_ = rng.random((batch, SPEC.globals), np.float32)
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    found = core().compile_model(core().read_model(out), "CPU", options)({"planes": planes, "globals": globals_})
    net, _ = weights_file.load_module(weights)
    with torch.no_grad():
        expected = ExportedNet(net)(torch.from_numpy(planes), torch.from_numpy(globals_))
    for name, tensor in zip(OUTPUTS, expected, strict=True):
        assert tensor.numpy().std() > 0 or tensor.numel() == 1
        np.testing.assert_allclose(found[name], tensor.numpy(), atol=2e-3, rtol=2e-4, err_msg=name)


def test_what_cannot_be_exported_is_told(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["export", "--weights", "net.safetensors", "--out", "net.onx"])
    assert stop.value.code == 2 and "NAME.onnx" in capsys.readouterr().err
    broken = tmp_path / "net.safetensors"
    broken.write_bytes(b"no net")
    assert main(["export", "--weights", str(broken), "--out", str(tmp_path / "net.onnx")]) == 1
    assert str(broken) in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]
