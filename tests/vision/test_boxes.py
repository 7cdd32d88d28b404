"""Boxes against a slow reference: IoU by counting pixels, suppression and encoding by loops."""

import numpy as np
import pytest

from goengine.vision import default_boxes as boxes


def random_boxes(rng, count, far=60):
    return np.concatenate((rng.integers(10, far, (count, 2)), rng.integers(1, 15, (count, 2)) * 2), axis=1).astype(np.float64)


def pixels(box):
    x, y, width, height = box
    found = np.zeros((100, 100), bool)
    found[int(y - height / 2) : int(y + height / 2), int(x - width / 2) : int(x + width / 2)] = True
    return found


def reference_iou(one, other):
    return (pixels(one) & pixels(other)).sum() / (pixels(one) | pixels(other)).sum()


def test_iou_counts_shared_pixels():
    rng = np.random.default_rng(0)
    one, others = random_boxes(rng, 1)[0] + (15, 15, 10, 10), random_boxes(rng, 40) + (15, 15, 0, 0)
    assert np.allclose(boxes.iou(one, others), [reference_iou(one, other) for other in others])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("most", [0.1, 0.45])
def test_suppression_keeps_the_surest(seed, most):
    rng = np.random.default_rng(seed)
    all_boxes, scores = random_boxes(rng, 60, 40) + (15, 15, 0, 0), rng.random(60)
    kept = []
    for i in sorted(range(60), key=lambda i: -scores[i]):
        if all(reference_iou(all_boxes[i], all_boxes[j]) <= most for j in kept):
            kept.append(i)
    assert boxes.kept_boxes(all_boxes, scores, most).tolist() == kept
    assert len(boxes.kept_boxes(all_boxes[:0], scores[:0], most)) == 0


def test_boxes_come_back_from_their_code():
    defaults = boxes.default_boxes()
    rng = np.random.default_rng(1)
    moved = defaults + rng.normal(0, 2, defaults.shape)
    moved[:, 2:] = defaults[:, 2:] * rng.uniform(0.5, 2, (len(defaults), 2))
    assert np.allclose(boxes.decode(boxes.encode(moved, defaults), defaults), moved, atol=1e-3)


def test_default_boxes_cover_the_picture_on_three_scales():
    found = boxes.default_boxes()
    count = sum((boxes.SIDE // stride) ** 2 * len(sizes) for stride, sizes in zip(boxes.STRIDES, boxes.SIZES, strict=True))
    assert found.shape == (count, 4) and found.dtype == np.float32
    assert (found[:, :2] > 0).all() and (found[:, :2] < boxes.SIDE).all()
    assert sorted(set(found[:, 2])) == sorted(size for sizes in boxes.SIZES for size in sizes)
