"""The detector learns, resumes exactly, and its graph says what its net says."""

import numpy as np
import pytest
import torch

from goengine.nets.safetensors_file import WeightsError, read_file
from goengine.vision.default_boxes import SIDE, decode, default_boxes
from goengine.vision.detection import Detector
from training import cli
from training.detection import detector_file
from training.detection.detection_loss import Targets, detection_loss, focal
from training.detection.detection_options import DetectorOptions
from training.detection.detection_stage import DetectionStage
from training.detection.detector import DetectorSpec, build
from training.detection.samples import sample

SMALL = ["--channels", "4", "8", "8", "8", "8", "--blocks", "0", "0", "1", "1", "1", "--batch", "2", "--device", "cpu"]
SMALL += ["--validation-pictures", "2", "--log-every", "1", "--threads", "1"]


def train(run, steps):
    return cli.main(["detector", "--run", str(run), "--steps", str(steps), "--seed", "3", *SMALL])


def test_samples_come_again():
    for number in range(3):
        first, again = sample(5, number), sample(5, number)
        assert (first.pixels == again.pixels).all() and (first.truths.boxes == again.truths.boxes).all()
        assert first.pixels.shape == (SIDE, SIDE, 3)
    assert (sample(5, 0).pixels != sample(6, 0).pixels).any()


def test_batches_begin_with_any_sample(tmp_path):
    stage = DetectionStage(DetectorOptions(run=tmp_path, steps=1, batch=2))
    batches = stage.batches(0)
    next(batches)
    second, again = next(batches), next(stage.batches(2))
    assert all((second[name] == again[name]).all() for name in second)


def test_focal_loss_forgives_what_is_sure():
    logits = torch.tensor([4.0, -4.0, 0.0])
    found = focal(logits, torch.tensor([1.0, 1.0, 1.0]))
    assert found[0] < 1e-4 < found[2] < found[1]
    assert torch.isclose(found[2], torch.tensor(0.5 * 0.25 * float(np.log(2))))


def test_the_loss_falls_on_one_batch(tmp_path):
    stage = DetectionStage(DetectorOptions(run=tmp_path, steps=1, batch=2))
    batch = {name: torch.from_numpy(value) for name, value in next(stage.batches(0)).items()}
    targets = Targets(batch["target"], batch["boxes"], batch["sides"])
    net = build(DetectorSpec((4, 8, 8, 8, 8), (0, 0, 1, 1, 1)), 1)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-2)
    losses = []
    for _ in range(24):
        loss, _ = detection_loss(net(batch["planes"].float()), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_a_run_in_two_pieces_is_the_run_in_one(tmp_path):
    """The rate follows the steps of the whole run: a run that is stopped goes on as if it had not been."""
    import threading

    from training.core.loop import Trainer
    from training.stages.supervised import loop_config

    torch.set_num_threads(1)

    class Stopping(DetectionStage):
        def stepped(self, step):
            if step == 2:
                self.stop.set()

    def go(folder, kind):
        config = DetectorOptions(
            run=folder, steps=4, batch=2, channels=(4, 8, 8, 8, 8), blocks=(0, 0, 1, 1, 1), device="cpu", validation_pictures=1
        )
        stage = kind(config)
        stage.stop = threading.Event()
        return Trainer(folder, build(stage.spec, 1), stage, loop_config(config)).run(stage.stop)

    assert go(tmp_path / "one", DetectionStage)
    assert not go(tmp_path / "two", Stopping)
    assert go(tmp_path / "two", DetectionStage)
    one, two = (read_file(tmp_path / name / "state.safetensors")[0] for name in ("one", "two"))
    assert one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one)


def test_the_commands_train_and_ship(tmp_path, capsys):
    assert train(tmp_path / "run", 1) == 0
    weights, graph = tmp_path / "run" / "net.safetensors", tmp_path / "d.xml"
    assert cli.main(["ship-detector", str(weights), "--out", str(graph)]) == 0
    assert "MB with its .bin" in capsys.readouterr().err
    net, picture = detector_file.load(weights), sample(1, 1).pixels
    answer = Detector(graph, 1)(picture)
    with torch.inference_mode():
        told = net(torch.from_numpy(picture.transpose(2, 0, 1)[None].copy()).float())
    assert np.abs(answer.classes - torch.sigmoid(told.classes[0]).numpy()).max() < 0.05  # bfloat16 where the CPU has it
    boxes = decode(told.boxes[0].numpy(), default_boxes())
    assert np.median(np.abs(answer.boxes - boxes) / boxes[:, 2:].mean(axis=1, keepdims=True)) < 0.02
    with pytest.raises(ValueError, match="a detector sees pictures of 384 x 384"):
        Detector(graph, 1)(picture[:100])


def test_other_files_are_refused(tmp_path):
    net = build(DetectorSpec((4, 8, 8, 8, 8), (0, 0, 1, 1, 1)))
    arrays = {name: value.numpy() for name, value in net.state_dict().items()}
    detector_file.save(tmp_path / "a.safetensors", arrays, DetectorSpec(), {})
    with pytest.raises(WeightsError, match="do not belong to the detector"):
        detector_file.load(tmp_path / "a.safetensors")
    assert cli.main(["ship-detector", str(tmp_path / "a.safetensors"), "--out", str(tmp_path / "b.xml")]) == 1
