"""Models of move tokens learn, and a run that stops goes on to the same weights; ranked nets too."""

import dataclasses

import numpy as np
import pytest

from goengine.board import symmetry
from goengine.dataio.records import GamePack, GameRecord
from goengine.evaluators import shipped_nets
from goengine.nets import weights_file
from goengine.nets.sequence import sequence_file
from goengine.nets.sequence.sequence_spec import SequenceSpec
from goengine.sequence.lines import HEADS, PAD
from training.core.rank_options import RankedOptions, SequenceOptions
from training.data import packs
from training.data.sampling import Draw
from training.data.sequences import BEFORE, NOTHING, LineSampler, TokenGames
from training.measure import compare_ranks
from training.stages import ranked as ranked_stage
from training.stages import sequences


def record(number: int, **more) -> GameRecord:
    points = np.random.default_rng(number % 3).permutation(361)[:30]  # three games again and again: easy to learn
    moves = tuple((1 + i % 2, int(p)) for i, p in enumerate(np.roll(points, number % 2)))
    return GameRecord(size=19, moves=moves, black_rank="8k", white_rank="2d", place="KGS", komi=number / 2, **more)


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    path = tmp_path_factory.mktemp("games") / "games.npz"
    others = [dataclasses.replace(record(0), moves=tuple((1 + i % 2, i + k) for i in range(25))) for k in range(60)]
    GamePack.build([record(i) for i in range(20)] + [record(1, white_bot=True), *others]).save(path)
    return path


def options(pack, run, **more):
    common = {"steps": 12, "batch": 8, "threads": 1, "half": False, "validation_positions": 40, "device": "cpu", "average": 0.5}
    return SequenceOptions(**{"data": (pack,), "run": run, "width": 16, "layers": 1, "heads": 1, **common, **more})


def test_targets_are_the_next_moves_of_people(pack):
    games = packs.load([pack])
    tokens, free = TokenGames.of(games), SequenceSpec("decoder", width=16, longest=40)
    batch = LineSampler(tokens, free, Draw(1, 0, 0, 0.0), np.array([0, int(games.start[20])])).batch(0, 2)
    moves, targets = batch["tokens"], batch["targets"]
    assert (targets[0, HEADS - 1 : -1] == moves[0, HEADS:]).all() and (targets[:, 0] == NOTHING).all()
    by_people = games.colors[games.start[20] : games.start[21]] == 1
    assert ((targets[1, HEADS - 1 : -1] != NOTHING) == by_people).all() and (targets[:, -1] == NOTHING).all()
    seeing = SequenceSpec("decoder", width=16, longest=HEADS + BEFORE + 4, memory=8, trunk="b8c96")
    batch = LineSampler(tokens, seeing, Draw(1, 0, 0, 0.0), np.array([12, 2])).batch(0, 2)
    learned = batch["targets"] != NOTHING
    assert learned[0].sum() == 4 and batch["targets"][0, HEADS + BEFORE - 1] == tokens.indices[12]
    assert batch["targets"][1, HEADS + 1] == tokens.indices[2] and learned[1].argmax() == HEADS + 1


def test_lines_are_turned_as_boards_are(pack):
    games = packs.load([pack])
    sampler = LineSampler(TokenGames.of(games), SequenceSpec("gru", width=16), Draw(5, 1, 0, 0.0), np.zeros(1, np.int64))
    seen = {tuple(sampler.batch(k, 1)["tokens"][0].tolist()) for k in range(40)}
    plain = TokenGames.of(games).indices[: games.start[1]]
    assert {row[HEADS:] for row in seen} == {tuple(table[plain].tolist()) for table in symmetry.scatter(19)}
    assert not any(PAD in row for row in seen)


SEEING = pytest.param({"kind": "decoder", "trunk": "b8c96", "ahead": 4}, marks=pytest.mark.slow)  # compiles a sampler's kernel


@pytest.mark.parametrize("more", [{"kind": "gru"}, {"kind": "decoder"}, SEEING])
def test_a_run_that_stops_goes_on_to_the_same_weights(pack, tmp_path, more):
    whole, parts = options(pack, tmp_path / "whole", **more), options(pack, tmp_path / "parts", **more)
    assert sequences.run(whole)
    made = sequences.setup(parts)
    trainer = made.trainer(None)
    stop = _AfterSteps(trainer, 5)
    assert not trainer.run(stop)
    assert sequences.run(parts)
    one, other = (sequence_file.load(config.run / "net.safetensors") for config in (whole, parts))
    assert one.step == other.step == 12 and all((one.arrays[name] == other.arrays[name]).all() for name in one.arrays)
    log = (whole.run / "log.jsonl").read_text()
    assert '"bits"' in log


class _AfterSteps:
    """Asks a trainer to stop after so many steps, as a signal does."""

    def __init__(self, trainer, steps: int):
        self._trainer, self._steps = trainer, steps

    def is_set(self) -> bool:
        return self._trainer.counters.step >= self._steps


def test_a_model_learns_games_that_come_again(pack, tmp_path):
    config = options(pack, tmp_path / "run", steps=150, rate=0.01, symmetries=False, width=32, average=0.9, log_every=10)
    assert sequences.run(config)
    import json

    lines = [json.loads(line) for line in (config.run / "log.jsonl").read_text().splitlines()]
    losses = [line["policy"] for line in lines if "policy" in line]
    assert losses[-1] < losses[0] - 2


@pytest.mark.slow
def test_models_of_both_kinds_are_compared(pack, tmp_path):
    from goengine import features
    from training.core.rank_options import CompareRanksOptions
    from training.stages.grow import widen

    old = weights_file.load(shipped_nets.place("lee-policy") / "net.safetensors")
    grown = widen(weights_file.load(shipped_nets.place("b8c96") / "net.safetensors"), features.get("zero_ranked"))
    start = tmp_path / "start.safetensors"
    weights_file.save(start, grown, grown.spec)
    run = tmp_path / "ranked"
    config = RankedOptions(
        data=(pack,), run=run, net=str(start), steps=2, batch=4, threads=1, half=False, validation_positions=40, device="cpu"
    )
    assert ranked_stage.run(config) and old.spec.features != grown.spec.features
    assert sequences.run(options(pack, tmp_path / "gru", kind="gru", steps=2))
    models = (str(run / "net.safetensors"), str(tmp_path / "gru" / "net.safetensors"), "b8c96")
    told = compare_ranks.compare(CompareRanksOptions(games=(pack,), models=models, moves=60), lambda *_: None)
    assert set(told["models"]) == set(models)
    for found in told["models"].values():
        assert set(found["bands"]) == {"9k-5k", "1d-2d"} and found["bands"]["9k-5k"]["bits"] > 0
    assert "bits" in compare_ranks.tables(told)
    lied = compare_ranks.compare(CompareRanksOptions(games=(pack,), models=models[:2], moves=60, told="9d"), lambda *_: None)
    for name, found in lied["models"].items():  # the same moves of the same bands, seen otherwise
        assert found["bands"].keys() == told["models"][name]["bands"].keys()
    assert lied["models"][models[1]]["all"]["bits"] != told["models"][models[1]]["all"]["bits"]
    with pytest.raises(ValueError, match="expected 30k"):
        CompareRanksOptions(games=(pack,), models=models, told="NR")
