"""Nets held by two processes learn what one process learns: every strategy, on CPUs joined by gloo."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh

from goengine import features
from goengine.dataio.records import GamePack
from goengine.nets import process_sums, weights_file
from goengine.nets.architecture import parse
from goengine.nets.build import build
from tests.training.conftest import random_record
from tests.training.core.test_parallel import on_ranks
from training.core import optimizers, parallel, sharding
from training.core.checkpoint import RunError, load_state
from training.core.loop import LoopConfig, Stage, Trainer
from training.core.losses import LossWeights, total_loss
from training.core.optimizers import OptimizerConfig
from training.core.schedule import Schedule
from training.core.split_options import SplitOptions
from training.core.strategy import StepPlan
from training.data import packs
from training.data.sampling import Draw
from training.data.stream import Sampler, stream
from training.parallel import choice

WEIGHTS = LossWeights(policy=1.0, value=1.0, opponent=0.15, ownership=0.25, score=0.05, score_stdev=0.02)
# Convolutions, pooling, two blocks with two heads each; without rectifiers, whose kink makes much of a rounding.
MIXED = "c32x4:rgt2t2/silu"
BATCH, STEPS = 16, 4
# Of weights, averages and momenta, by SGD: sums in another order (3e-7 on a Zen 4), of which Adam and Muon would make steps.
EQUAL = 1e-5


class Positions(Stage):
    """Positions of random games; a process draws its own rows of each batch."""

    def __init__(self, size, net):
        pack = GamePack.build(random_record(size, seed) for seed in range(1, 5))
        self.sampler = Sampler(packs.to_games(pack), features.get("zero"), Draw(1, symmetries=1, shuffle=1, vary=0.0))
        self.spec = net.spec

    def batches(self, first_sample):
        part = process_sums.rank(), process_sums.count()
        for targets in stream(self.sampler, BATCH, first_sample, part=part):
            yield targets._asdict()

    def loss(self, module, batch):
        return total_loss(module(batch["planes"], batch["globals"], True), batch, WEIGHTS)

    def validate(self, module, device_feed):
        planes, values = (torch.from_numpy(np.asarray(part)) for part in self.sampler.batch(0, 8)[:2])
        answer = module(planes.float(), values, True)
        return {"policy": float(answer.policy.square().mean()), "training": float(module.training)}

    def save_net(self, path, arrays, counters, figures):
        weights_file.save(path, arrays, self.spec, step=counters.step)


def module_of(text):
    """A net of that text whose branches say something from the beginning."""
    chosen = features.get("zero")
    net = build(parse(text, "zero", chosen.planes, chosen.globals), 1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.05 * torch.randn(p.shape, generator=generator))
    return net


def trained(folder, text, size=5, steps=STEPS, optimizer="sgd", mesh=None, accumulate=1, recompute=False, **split):
    """A run in that folder, to its end; (its arrays, its figures)."""
    torch.set_num_threads(1)
    net = module_of(text)
    config = LoopConfig(
        batch=BATCH,
        schedule=Schedule(steps=steps),
        optimizer=OptimizerConfig(optimizer, 0.01),
        save_every=1e9,
        validate_every=1e9,
        half=False,
        accumulate=accumulate,
        recompute=recompute,
    )
    stage = Positions(size, net)
    stage.make_strategy = choice.strategy(SplitOptions(**split), mesh)
    run = Trainer(Path(folder), net, stage, config)
    assert run.run()
    return run.figures


def stepped(kind, optimizer, mesh=None):
    """Weights and states behind three steps of an optimizer along given gradients; nothing but on the first process."""
    strategy = choice.strategy(SplitOptions(parallel=kind), mesh)(module_of(MIXED), StepPlan(torch.device("cpu")))
    shapes = {name: p.shape for name, p in strategy.module.named_parameters()}
    chosen, rng = optimizers.make(strategy.module, OptimizerConfig(optimizer, 0.01)), np.random.default_rng(1)
    for _ in range(3):
        drawn = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
        own = strategy.own(drawn)
        for name, p in strategy.module.named_parameters():
            p.grad = sharding.like(p.detach(), torch.from_numpy(own[name]))
        chosen.step()
    weights = strategy.gathered(strategy.module.state_dict())
    return weights | strategy.gathered(optimizers.state_tensors(chosen, strategy.module))


def state(folder):
    return load_state(Path(folder) / "state.safetensors")[0]


def furthest(one, other):
    """The largest difference between two runs' weights, averages and optimizer states; the names must be the same."""
    first, second = state(one), state(other)
    assert first.keys() == second.keys()
    return max(float(np.abs(first[name] - second[name]).max()) for name in first)


# Runs of two processes: (name, net, board, how it is split), and what one process does for the same.
PIPELINE = {"parallel": "pipeline", "microbatches": 4}
SPLIT = {
    "pipeline-5": ("b3c8", {"size": 5, **PIPELINE}, {"accumulate": 4}),
    "pipeline-19": ("b2c8", {"size": 19, "recompute": True, **PIPELINE}, {"accumulate": 4}),
    "pipeline-mixed": (MIXED + "/layer", PIPELINE, {}),
    "tensor": (MIXED, {"parallel": "tensor", "recompute": True}, {}),
    "shard": (MIXED, {"parallel": "shard", "recompute": True}, {}),
    "shard-accumulate": ("b2c8/fixed", {"parallel": "shard", "accumulate": 2}, {}),
    "data-accumulate": ("b2c8/fixed", {"accumulate": 2}, {}),
}
# Runs that one process begins and two go on with, and the other way round.
RESUMED = {"pipeline": SPLIT["pipeline-5"], "tensor": SPLIT["tensor"], "shard": SPLIT["shard"]}
STEPPED = [(kind, optimizer) for kind in ("tensor", "shard") for optimizer in ("adamw", "muon")]
IMPOSSIBLE = {
    "blocks": ("b1c8", PIPELINE, "--stages 2: a net of 1 blocks cannot be split into 2 parts"),
    "few": ("b3c8", {"parallel": "pipeline", "microbatches": 1}, "--microbatches 1 cannot fill 2 stages"),
    "uneven": ("b3c8", {"parallel": "pipeline", "microbatches": 3}, "16 samples cannot be cut into 3 equal parts"),
    "accumulate": ("b3c8", {"parallel": "shard", "accumulate": 3}, "8 samples cannot be cut into 3 equal parts"),
    "plain": ("b3c8", {"parallel": "tensor"}, "this net has none"),
    "heads": ("c32:rt3", {"parallel": "tensor"}, "block 2 has 3 heads, which"),
}


class Everything:
    """What two processes do, by rank, in one group: a start takes longer than all of it. Picklable."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, rank):
        names = (parallel.COPIES, parallel.PARTS)
        meshes = {ways: init_device_mesh("cpu", (2 // ways, ways), mesh_dim_names=names) for ways in (1, 2)}
        self.meshes = {kind: meshes[2 if kind in ("pipeline", "tensor") else 1] for kind in ("data", *RESUMED)}
        found = {}
        for name, (net, options, _) in SPLIT.items():
            found[name] = self.learn(name, net, **options)
        for name, (net, options, _) in RESUMED.items():
            self.learn(f"begun-by-two-{name}", net, steps=2, **options)
            self.learn(f"begun-by-one-{name}", net, **options)
        found["stepped"] = [self.stepped(*chosen) for chosen in STEPPED]
        found["errors"] = {name: self.error(name, net, options) for name, (net, options, _) in IMPOSSIBLE.items()}
        found["poisoned"] = [self.poisoned(name, *RESUMED[name][:2]) for name in ("pipeline", "tensor")]
        return found

    def learn(self, name, net, **options):
        mesh = self.meshes[options.get("parallel", "data")]
        with process_sums.within(mesh.get_group(parallel.COPIES)):
            return trained(self.folder / name, net, mesh=mesh, **options)

    def stepped(self, kind, optimizer):
        mesh = self.meshes[kind]
        with process_sums.within(mesh.get_group(parallel.COPIES)):
            return stepped(kind, optimizer, mesh)

    def error(self, name, net, options):
        with pytest.raises(RunError) as raised:
            self.learn(f"error-{name}", net, **options)
        return str(raised.value)

    def poisoned(self, name, net, options):
        """(what is said where one process's weights are no numbers in the second step, whether the others' stayed)."""
        learned = torch.optim.Optimizer.zero_grad
        seen = []

        def poison(optimizer, set_to_none=True):
            learned(optimizer, set_to_none)
            weights = sharding.local(optimizer.param_groups[1]["params"])
            if not seen and distributed.get_rank() == 1:
                with torch.no_grad():
                    weights[-1].fill_(float("nan"))
            seen.append([weight.clone() for weight in weights])

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.optim.Optimizer, "zero_grad", poison)
            said = self.error(f"poisoned-{name}", net, options)
        before, after = seen
        return said, all(torch.equal(one, other) for one, other in zip(before[:-1], after[:-1], strict=True))


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """(folder of the runs of two processes, what each process says of them)."""
    folder = tmp_path_factory.mktemp("split")
    for name, (net, _, alone) in RESUMED.items():
        trained(folder / f"begun-by-one-{name}", net, steps=2, **alone)
    return folder, on_ranks(Everything(folder), seconds=1300)


@pytest.mark.parametrize("name", SPLIT)
def test_two_processes_learn_what_one_learns(split, name, tmp_path):
    net, options, alone = SPLIT[name]
    same = {"size": options.get("size", 5)}
    figures = trained(tmp_path / "one", net, **same, **alone)
    assert furthest(split[0] / name, tmp_path / "one") <= (0.0 if name in ("pipeline-5", "pipeline-19") else EQUAL)
    for told in split[1]:
        assert told[name] == pytest.approx(figures, rel=1e-4) and told[name]["training"] == 0


@pytest.mark.parametrize("name", RESUMED)
def test_files_are_those_of_the_whole_net(split, name, tmp_path):
    """A run goes on split or whole, whoever began it."""
    net, _, alone = RESUMED[name]
    trained(tmp_path / "one", net, steps=2, **alone)
    trained(tmp_path / "one", net, **alone)
    trained(split[0] / f"begun-by-two-{name}", net, **alone)
    for begun in ("one", "two"):
        assert furthest(split[0] / f"begun-by-{begun}-{name}", tmp_path / "one") <= EQUAL
        assert weights_file.load(split[0] / f"begun-by-{begun}-{name}" / "net.safetensors").meta.step == STEPS


def test_what_cannot_be_split_says_so(split):
    for told in split[1]:
        for name, (_, _, said) in IMPOSSIBLE.items():
            assert said in told["errors"][name]
    assert not list(split[0].glob("error-*/state.safetensors"))


def test_gradients_that_are_no_numbers_stop_all(split):
    for told in split[1]:
        for said, unharmed in told["poisoned"]:
            assert "not finite at step 2" in said and unharmed
    assert not list(split[0].glob("poisoned-*/state.safetensors"))


@pytest.mark.parametrize("number", range(len(STEPPED)))
def test_optimizers_step_alike_along_the_same_gradients(split, number):
    """Muon's directions are of whole matrices; in bfloat16, so that the order of a matrix's rows shows."""
    first, second = (told["stepped"][number] for told in split[1])
    kind, optimizer = STEPPED[number]
    alone = stepped("data", optimizer)
    assert not second and first.keys() == alone.keys()
    bound = 1e-3 if (kind, optimizer) == ("tensor", "muon") else EQUAL
    assert max(float(np.abs(first[name] - alone[name]).max()) for name in alone) <= bound
