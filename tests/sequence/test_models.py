"""Contract of all sequence models: causal, deaf to padding, the same on OpenVINO; attention adds up; files are checked."""

import numpy as np
import pytest
import torch

from goengine.board import coords
from goengine.board.position import Position
from goengine.evaluators.base import EvaluatorError
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.sequence import sequence_file
from goengine.nets.sequence.sequence_spec import SequenceSpec, SequenceSpecError
from goengine.review import attention
from goengine.sequence.decoder import Decoder
from goengine.sequence.lines import MOVES, as_lines, sentence_of
from tests.sequence.conftest import SPECS

VERTICES = ("Q16", "D4", "Q4", "D16", "F17", "C14", "R6", "O3")


def played(count: int) -> Position:
    found = Position(19)
    for vertex in VERTICES[:count]:
        found.play(coords.from_gtp(vertex, 19))
    return found


def inputs(name: str, *counts: int, ranks=(-4.0, 3.0)) -> list[torch.Tensor]:
    lines = as_lines([sentence_of(played(count), *ranks) for count in counts], SPECS[name].longest)
    found = [torch.from_numpy(array) for array in lines]
    if SPECS[name].memory:
        generator = torch.Generator().manual_seed(1)
        found.append(torch.randn((1, SPECS[name].memory, 19, 19), generator=generator).expand(len(counts), -1, -1, -1))
    return found


@pytest.fixture(params=SPECS)
def named(request, models):
    return request.param, sequence_file.load(models / f"{request.param}.safetensors").model()


@torch.inference_mode()
def test_later_moves_change_no_earlier_answer(named):
    name, model = named
    whole = model(*inputs(name, 8))
    assert whole.shape == (1, 10, MOVES)
    for count in range(8):
        part = model(*inputs(name, count))
        # whose turn it is after the last move is known of both alike, as sides alternate
        assert torch.allclose(part[0], whole[0, : count + 2], atol=1e-5)


@torch.inference_mode()
def test_padding_changes_nothing(named):
    name, model = named
    both, alone = model(*inputs(name, 3, 8)), model(*inputs(name, 3))
    assert torch.allclose(both[0, :5], alone[0], atol=1e-5)


@torch.inference_mode()
def test_answers_depend_on_both_ranks_and_on_every_move(named):
    name, model = named
    found = model(*inputs(name, 8))[0, -1]
    for ranks in ((-20.0, 3.0), (-4.0, 9.0), (None, 3.0)):
        assert (model(*inputs(name, 8, ranks=ranks))[0, -1] - found).abs().max() > 1e-4
    changed = inputs(name, 8)
    changed[0] = changed[0].clone()
    changed[0][0, 3] = 5
    assert (model(*changed)[0, -1] - found).abs().max() > 1e-6


def test_openvino_says_what_torch_says(models):
    for name in SPECS:
        decoder, position = Decoder(models / f"{name}.xml"), played(8)
        logits = decoder.logits([position, played(3)], -4.0, 3.0)
        sentence = decoder._begun(sentence_of(position, -4.0, 3.0))
        tensors = [torch.from_numpy(array) for array in as_lines([sentence], SPECS[name].longest)]
        seen = decoder._seen([position])
        with torch.inference_mode():
            model = sequence_file.load(models / f"{name}.safetensors").model()
            expected = model(*tensors, *([] if seen is None else [torch.from_numpy(seen)]))[0, -1]
        assert np.allclose(logits[0], expected.numpy(), atol=0.02)  # exported weights are float16
        likely = decoder.probabilities([position], -4.0, 3.0)[0]
        assert likely.sum() == pytest.approx(1, abs=1e-5) and (likely[position.legal_mask() == 0] == 0).all()


def test_a_continuation_is_legal_and_leaves_the_position_alone(models):
    for name in ("seeing", "free"):
        position = played(8)
        found = Decoder(models / f"{name}.xml").continuation(position, -4.0, 3.0, 5)
        board = position.copy()
        for step in found:
            assert step.color == board.to_play and 0 < step.probability <= 1
            board.play(step.point)
        assert len(position.moves) == 8


def test_attention_is_drawn_over_the_board(models, tmp_path):
    decoder = Decoder(models / "seeing.xml")
    shares = decoder.attention(played(8), -4.0, 3.0)
    assert shares.shape == (19, 19) and shares.sum() == pytest.approx(1, abs=1e-4) and shares.min() >= 0
    with pytest.raises(EvaluatorError, match="looks at no points"):
        Decoder(models / "gru.xml").attention(played(8), None, None)
    game = tmp_path / "game.sgf"
    game.write_text("(;GM[1]SZ[19]BR[5k]WR[NR];B[pd];W[dp];B[pp])")
    out = tmp_path / "out.svg"
    words = [str(game), "--out", str(out), "--model", str(models / "seeing.xml")]
    assert attention.main([*words, "--move", "3"]) == 0
    assert "before move 3 of Black" in out.read_text() and "Black 5k, White unknown" in out.read_text()
    assert attention.main([*words, "--move", "9"]) == 2


def test_wrong_ranks_and_boards_are_refused(models, tmp_path, capsys):
    game = tmp_path / "game.sgf"
    game.write_text("(;GM[1]SZ[9];B[aa])")
    words = [str(game), "--out", str(tmp_path / "out.svg"), "--model", str(models / "seeing.xml")]
    assert attention.main(words) == 2 and "19x19 alone" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        attention.main([*words, "--black", "NR"])
    with pytest.raises(EvaluatorError, match="cannot be read"):
        Decoder(tmp_path / "none.xml")


def test_files_are_checked(models, tmp_path):
    found = sequence_file.load(models / "gru.safetensors")
    assert found.spec == SPECS["gru"] and found.step == 7 and sequence_file.is_sequence(models / "gru.safetensors")
    data = bytearray((models / "gru.safetensors").read_bytes())
    data[-5] ^= 1
    (tmp_path / "bad.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="checksum"):
        sequence_file.load(tmp_path / "bad.safetensors")
    sequence_file.save(tmp_path / "other.safetensors", found.arrays, SPECS["free"])
    with pytest.raises(WeightsError, match="do not belong"):
        sequence_file.load(tmp_path / "other.safetensors").model()
    assert not sequence_file.is_sequence(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "lstm"}, "kind"),
        ({"width": 15, "heads": 4}, "heads"),
        ({"kind": "gru", "memory": 4, "trunk": "b8c96"}, "memory"),
        ({"memory": 4}, "trunk"),
        ({"layers": 0}, "layers"),
        ({"longest": True}, "longest"),
    ],
)
def test_wrong_specs_name_what_is_wrong(change, words):
    with pytest.raises(SequenceSpecError, match=words):
        SequenceSpec(**{"kind": "decoder", **change})
    with pytest.raises(SequenceSpecError):
        SequenceSpec.from_json('{"kind": "gru", "colour": 3}')
