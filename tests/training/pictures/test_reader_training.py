"""Training of the reader's nets: it learns, it goes on exactly where it was stopped, its nets play the same in OpenVINO."""

import json
import threading

import numpy as np
import pytest
import torch

from goengine.nets import safetensors_file
from goengine.nets.safetensors_file import WeightsError
from goengine.vision.picture_net import PictureNet
from training import cli
from training.core.device_feed import DeviceFeed
from training.pictures import nets, reader_file
from training.pictures.nets import ReaderSpec
from training.pictures.reader_options import ReaderOptions
from training.stages import picture_reader
from training.stages.supervised import loop_config

WIDTHS = {"segment": (8, 8, 8, 8, 8), "crossings": (8, 8, 8, 8)}


def options(run, net, **more):
    values = {"batch": 2, "steps": 4, "validation_pictures": 2, "threads": 1, "half": False, "log_every": 1}
    return ReaderOptions(run=run, net=net, widths=",".join(map(str, WIDTHS[net])), **(values | more))


def weights(run):
    return safetensors_file.read_file(run / "net.safetensors")[0]


@pytest.mark.parametrize("net", ["segment", "crossings"])
def test_a_stopped_run_goes_on_exactly(tmp_path, net):
    assert picture_reader.run(options(tmp_path / "whole", net))

    config = options(tmp_path / "halves", net)
    spec = ReaderSpec(net, WIDTHS[net])
    stop = threading.Event()

    class Stopping(picture_reader.ReaderStage):
        def stepped(self, step):
            if step == 2:
                stop.set()

    stage = Stopping(config, spec)
    module = nets.build(spec, config.seed).to(memory_format=torch.channels_last)
    trainer = picture_reader.Trainer(config.run, module, stage, loop_config(config), described={}, bound={})
    assert not trainer.run(stop)
    assert picture_reader.run(config)

    whole, halves = weights(tmp_path / "whole"), weights(tmp_path / "halves")
    assert whole.keys() == halves.keys()
    assert all(np.array_equal(whole[name], halves[name]) for name in whole)


@pytest.mark.parametrize("net", ["segment", "crossings"])
def test_a_few_pictures_are_learned(tmp_path, net):
    """The same four pictures again and again."""
    stage = picture_reader.ReaderStage(options(tmp_path, net, batch=4), ReaderSpec(net, WIDTHS[net]))
    module = nets.build(stage.spec, 1)
    batch = DeviceFeed("cpu", False).put(next(stage.batches(0)))
    optimizer = torch.optim.Adam(module.parameters(), 0.01)
    losses = []
    for _ in range(25):
        loss, _ = stage.loss(module, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.7 * losses[0]


def test_the_command_writes_a_net_with_its_story(tmp_path):
    words = ["--net", "crossings", "--widths", "8,8,8,8", "--steps", "2", "--batch", "2", "--threads", "1"]
    assert cli.main(["reader", "--run", str(tmp_path), *words, "--log-every", "1", "--validation-pictures", "2"]) == 0
    _, spec, story = reader_file.load(tmp_path / "net.safetensors")
    assert spec == ReaderSpec("crossings", (8, 8, 8, 8))
    assert story["pictures"] == 4 and story["figures"]["loss"] > 0
    out = tmp_path / "shipped"
    assert cli.main(["export-reader", "--weights", str(tmp_path / "net.safetensors"), "--out", str(out)]) == 0
    card = json.loads((out / "crossings.json").read_text())
    assert card["made_by"][0]["pictures"] == 4 and str(tmp_path) not in json.dumps(card)
    assert {path.suffix for path in out.iterdir()} == {".xml", ".bin", ".json"}
    assert json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])["step"] == 1


@pytest.mark.parametrize("net,shape", [("segment", (128, 192)), ("crossings", (11 * 16, 8 * 16))])
def test_an_exported_net_answers_as_in_torch(tmp_path, net, shape):
    module = nets.build(ReaderSpec(net, WIDTHS[net]), 3).eval()
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    reader_file.export(module, ReaderSpec(net, WIDTHS[net]), tmp_path / "net.xml")
    answers = PictureNet(tmp_path / "net.xml", 1)(pixels)
    with torch.no_grad():
        logits = module(torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()).float())[0]
    stones = slice(3, 6) if net == "segment" else slice(0, 3)
    assert np.abs(answers[stones] - torch.softmax(logits[stones], 0).numpy()).max() < 0.05
    assert np.allclose(answers[stones].sum(0), 1, atol=0.02)


def test_a_file_of_another_kind_is_refused(tmp_path):
    safetensors_file.write_file(tmp_path / "other.safetensors", {"x": np.zeros(2, np.float32)}, {"format": "else"})
    with pytest.raises(WeightsError, match="no net of the reader"):
        reader_file.load(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="not the spec"):
        ReaderSpec.from_json('{"kind": "segment"}')
