"""One contract for every block and setting: shapes, padding that never leaks, folding, gradients, reduced precision."""

import copy
import shutil

import pytest
import torch

from goengine.nets.architecture import PRESETS, parse
from goengine.nets.build import build, parameter_count
from goengine.nets.extent import extent_of
from goengine.nets.fold import fold
from goengine.nets.layers import ConvNorm, pool_mean_max, pool_means
from goengine.nets.norms import MaskedNorm, freeze_batch_norm
from tests.nets.helpers import SPECS, cropped_policy, lively, padded, positions, tiny

EVERY = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())


def assert_same(one, other, tolerance=1e-4):
    for name, a, b in zip(one._fields, one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, msg=lambda text, name=name: f"{name}: {text}")


@EVERY
@pytest.mark.parametrize("size", [7, 9, 19, 25])
def test_shapes_and_ranges(spec, size):
    net = lively(spec).eval()
    with torch.no_grad():
        out = net(*positions(spec, 2, size))
    moves = size * size + 1
    shapes = [(2, moves), (2,), (2,), (2,), (2, size, size), (2, moves)]
    assert [tuple(x.shape) for x in out] == shapes
    assert all(x.dtype == torch.float32 and x.isfinite().all() for x in out)
    assert (out.score_stdev > 0).all() and (out.ownership.abs() <= 1).all()


@EVERY
def test_another_position_gets_another_answer(spec):
    """Every head sees a stone more or less, and every global; not in each position, as rectifiers may be at rest."""
    net = lively(spec).eval()
    planes, globals_ = positions(spec, 8, 9)
    stone = planes.clone()
    stone[:, 1, 4, 4] = 1 - stone[:, 1, 4, 4]
    others = [(stone, globals_), *((planes, globals_ + one) for one in torch.eye(spec.globals))]
    with torch.no_grad():
        before, after = net(planes, globals_), [net(*other) for other in others]
    for name, (place, _) in UNTAUGHT.items():
        differ = [float((answer[place] - before[place]).abs().max()) > 1e-3 for answer in after]
        assert all(differ) if name in spec.outputs else not any(differ), name


@EVERY
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_padding_changes_nothing(spec, training):
    planes, globals_ = positions(spec, 3, 9)
    small, large = lively(spec).train(training), lively(spec).train(training)
    one, other = small(planes, globals_), large(padded(planes, 19), globals_)
    assert_same(
        one,
        other._replace(
            policy=cropped_policy(other.policy, 9),
            opponent_policy=cropped_policy(other.opponent_policy, 9),
            ownership=other.ownership[:, :9, :9],
        ),
    )
    for (name, a), b in zip(small.named_buffers(), large.buffers(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4, msg=f"statistics of {name} differ")


@EVERY
def test_padding_is_masked_out(spec):
    planes, globals_ = positions(spec, 2, 9)
    out = lively(spec).eval()(padded(planes, 13), globals_)
    outside = torch.ones(13, 13, dtype=torch.bool)
    outside[:9, :9] = False
    assert (out.policy[:, :-1].reshape(2, 13, 13)[:, outside] == -1e4).all()
    assert (out.ownership[:, outside] == 0).all()
    assert out.policy.softmax(1)[:, :-1].reshape(2, 13, 13)[:, outside].sum() == 0


@EVERY
def test_sizes_in_one_batch(spec):
    """Two sizes padded into one batch give what each gives alone."""
    net = lively(spec).eval()
    (nine, g9), (thirteen, g13) = positions(spec, 2, 9, 5), positions(spec, 2, 13, 6)
    out = net(torch.cat((padded(nine, 13), thirteen)), torch.cat((g9, g13)))
    alone = net(nine, g9)
    torch.testing.assert_close(out.value[:2], alone.value, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(cropped_policy(out.policy[:2], 9), alone.policy, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(out.policy[2:], net(thirteen, g13).policy, rtol=1e-4, atol=1e-4)


@EVERY
def test_masked_path_equals_the_fast_one(spec):
    """Values and gradients: the fused kernel and the masked arithmetic are the same function."""
    planes, globals_ = positions(spec, 3, 7)
    fast, slow = lively(spec), lively(spec)
    one, other = fast(planes, globals_, True), slow(planes, globals_, False)
    assert_same(one, other)
    for out in (one, other):
        loss = out.policy.logsumexp(1).sum() + out.value.square().sum() + 0.01 * out.score.square().sum()
        (loss + out.score_stdev.sum() + out.ownership.square().sum() + out.opponent_policy.square().sum()).backward()
    for (name, a), b in zip(fast.named_parameters(), slow.parameters(), strict=True):
        scale = a.grad.abs().max().item() + 1e-3
        torch.testing.assert_close(a.grad / scale, b.grad / scale, rtol=1e-3, atol=1e-3, msg=f"gradient of {name} differs")


@EVERY
def test_settled_norms_train_on_what_is_played(spec):
    net = lively(spec)
    planes, globals_ = positions(spec, 4, 9)
    with torch.no_grad():
        played = net.eval()(planes, globals_)
    freeze_batch_norm(net)
    before = copy.deepcopy(dict(net.named_buffers()))
    learning = net.train()(planes, globals_)
    assert_same(learning, played)
    (learning.policy.logsumexp(1).sum() + learning.value.sum()).backward()
    assert all(torch.equal(before[name], buffer) for name, buffer in net.named_buffers())
    norms = [module for module in net.trunk.modules() if isinstance(module, MaskedNorm)]
    assert all(bool((norm.weight.grad != 0).any()) for norm in norms)


@EVERY
def test_folding_changes_nothing(spec):
    net = lively(spec).eval()
    before = copy.deepcopy(net.state_dict())
    folded = fold(net)
    for size, to in ((9, 9), (9, 13)):
        planes, globals_ = positions(spec, 2, size)
        assert_same(net(padded(planes, to), globals_), folded(padded(planes, to), globals_))
    assert all(unit.norm is None or unit.norm.affine() is None for unit in folded.modules() if isinstance(unit, ConvNorm))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items()), "fold changed its argument"
    assert fold(folded).state_dict().keys() == folded.state_dict().keys()


POST = ("residual", "gpool", "bottleneck", "nested", "dilated", "inverted", "dense", "down_up", "down_up_linear", "squeeze")


def test_post_activation_folds_completely():
    folded = fold(build(tiny(POST)))
    assert not any(isinstance(module, MaskedNorm) for module in folded.modules())


@EVERY
def test_gradients_reach_everything(spec):
    net = lively(spec)
    out = net(*positions(spec, 4, 9))
    sum(x[x > -1e3].square().mean() for x in out).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().sum() > 0, f"{name} gets no gradient"


@EVERY
@pytest.mark.parametrize("to", [9, 13])
def test_bfloat16_autocast_trains(spec, to):
    net = build(spec).to(memory_format=torch.channels_last)
    planes, globals_ = positions(spec, 8, 9)
    planes = padded(planes, to)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    moves, losses = torch.arange(8) * to, []
    for _ in range(24):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            out = net(planes, globals_)
        assert all(x.dtype == torch.float32 for x in out)
        if "policy" in spec.outputs:
            loss = torch.nn.functional.cross_entropy(out.policy, moves) + (out.score / 20 - 0.5).square().mean()
        else:
            loss = torch.nn.functional.softplus(-out.value).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0], losses


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="torch compiles for a CPU with g++")
def test_compiled_in_bfloat16_gradients_are_numbers():
    """The compiler may compare a rounded activation with the maximum of those that were not rounded yet."""
    net = build(parse("b2c16", "zero", 18, 14)).train().to(memory_format=torch.channels_last)
    compiled = torch.compile(net, dynamic=False)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = compiled(*positions(net.spec, 8, 9), True)
    torch.nn.functional.cross_entropy(out.policy, torch.arange(8)).backward()
    assert all(p.grad.isfinite().all() for p in net.parameters() if p.grad is not None)


def assert_near(rough, exact):
    """Of answers that differ by about 1 from move to move, bfloat16 keeps two digits or three in every layer."""
    for name, one, other in zip(rough._fields, rough, exact, strict=True):
        torch.testing.assert_close(one, other, rtol=0.02, atol=0.05 if name == "value" else 0.2, msg=name)


def test_bfloat16_stays_close():
    spec = SPECS["mixed"]
    net = lively(spec).eval()
    planes, globals_ = positions(spec, 4, 9)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        rough = net(planes, globals_)
    assert_near(rough, net(planes, globals_))


@pytest.mark.parametrize("to", [9, 13])
def test_whole_net_in_bfloat16(to):
    """As a GPU plays it: folded, weights and input in bfloat16, output in float32."""
    spec = SPECS["mixed"]
    exact, net = fold(lively(spec)), fold(lively(spec)).bfloat16()
    planes, globals_ = padded(positions(spec, 2, 9)[0], to), positions(spec, 2, 9)[1]
    out = net(planes.bfloat16(), globals_.bfloat16())
    assert all(x.dtype == torch.float32 and x.isfinite().all() for x in out)
    assert_near(out, exact(planes, globals_))


@EVERY
def test_fresh_net_knows_nothing(spec):
    """Near-uniform policy, value near 0: a search that starts from it must not be led astray."""
    out = build(spec).eval()(*positions(spec, 8, 9))
    assert (out.value / 2).tanh().abs().max() < 0.6
    assert out.policy.softmax(1).max() < 0.15


def test_seed_decides_weights():
    spec = SPECS["mixed"]
    state, same, other = (build(spec, seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(state[name], same[name]) for name in state)
    assert not torch.equal(state["trunk.stem.conv.weight"], other["trunk.stem.conv.weight"])


def test_building_leaves_the_global_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    build(SPECS["mixed"])
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_build_and_play(name):
    spec = parse(name, "zero", 22, 14)
    net = build(spec).eval()
    with torch.no_grad():
        out = net(*positions(spec, 1, 9))
    assert out.policy.shape == (1, 82)
    assert parameter_count(net) > 100 * spec.channels


UNTAUGHT = {"policy": (0, 0.0), "opponent": (5, 0.0), "value": (1, 0.0), "score": (2, 0.0), "ownership": (4, 0.0)}


@EVERY
def test_a_missing_head_says_nothing(spec):
    out = lively(spec).eval()(*positions(spec, 3, 9))
    for name, (place, quiet) in UNTAUGHT.items():
        assert bool((out[place] == quiet).all()) == (name not in spec.outputs), name
    assert "score" in spec.outputs or (out.score_stdev == 20).all()


@pytest.mark.parametrize("size", range(2, 26))
def test_every_place_has_its_bias(size):
    """On 19x19 all points have their own; elsewhere a point has that of the point of 19x19 equally far from the edges."""
    spec = SPECS["lee policy"]
    net = lively(spec).eval()
    with torch.no_grad():
        net.policy.logits.weight.zero_()
        net.policy.biases.copy_(torch.arange(361.0))
        planes, globals_ = positions(spec, 1, size)
        found = [net(x, globals_).policy for x in (planes, padded(planes, 25))]
    table = found[0][0, :-1].reshape(size, size)
    assert torch.equal(found[0], cropped_policy(found[1], size))
    if size == 19:
        assert torch.equal(table.flatten(), torch.arange(361.0))
    for row in range(size):
        for column in range(size):
            place_row, place_column = divmod(int(table[row, column]), 19)
            for there, here in ((place_row, row), (place_column, column)):
                assert min(there, 18 - there) == min(here, size - 1 - here, 9)
                assert (there > 9) == (2 * here > size - 1 and size - 1 - here < 9)


def test_the_fully_connected_layer_is_the_papers_on_19x19():
    spec = SPECS["lee value"]
    head, generator = lively(spec).eval().value, torch.Generator().manual_seed(5)
    x = torch.randn(2, spec.channels, 19, 19, generator=generator)
    extent = extent_of(torch.ones(2, 1, 19, 19))
    with torch.no_grad():
        plane = torch.nn.functional.conv2d(x, head.points.conv.weight, head.points.conv.bias)
        hidden = torch.relu(torch.nn.functional.linear(plane.flatten(1), head.hidden.weight, head.hidden.bias))
        expected = torch.nn.functional.linear(hidden, head.outputs.weight, head.outputs.bias).squeeze(1)
        torch.testing.assert_close(head(x, extent)[0], expected, rtol=1e-4, atol=1e-4)


def test_a_fresh_net_without_norms_keeps_its_signal():
    """He's first weights: twelve layers with rectifiers neither swell nor fade what goes through them."""
    for name in ("lee-policy-64", "lee-value-64"):
        spec = parse(name, "zero", 22, 14)
        net, sizes = build(spec).eval(), []
        for block in net.trunk.blocks:
            block.register_forward_hook(lambda _module, _inputs, out, sizes=sizes: sizes.append(out.square().mean().sqrt()))
        with torch.no_grad():
            net(*positions(spec, 4, 9))
        assert len(sizes) == 11 and all(0.25 < float(size / sizes[0]) < 4 for size in sizes)


def test_width_is_seen_through_padding():
    """The size of the board, not of the planes, scales the poolings: here every point has the same number."""
    for size in (7, 13, 19):
        x, wide = torch.full((1, 1, 19, 19), 2.0), (size - 14) / 10
        extent = extent_of(padded(torch.ones(1, 1, size, size), 19))
        torch.testing.assert_close(pool_mean_max(x, extent), torch.tensor([[2.0, 2 * wide, 2.0]]))
        torch.testing.assert_close(pool_means(x, extent), torch.tensor([[2.0, 2 * wide, 2 * (wide**2 - 0.1)]]))


# The eight symmetries of a board: how often it is turned, and whether it is mirrored before.
SYMMETRIES = [(turns, mirrored) for turns in range(4) for mirrored in (False, True)]


def turned(x, symmetry):
    turns, mirrored = symmetry
    return torch.rot90(x.flip(-1) if mirrored else x, turns, (-2, -1))


def turned_back(x, symmetry):
    turns, mirrored = symmetry
    x = torch.rot90(x, -turns, (-2, -1))
    return x.flip(-1) if mirrored else x


def averaged(net, planes, globals_):
    """(board logits, pass logit, value, ownership), each the mean over all symmetries of the position."""
    found = []
    for symmetry in SYMMETRIES:
        out = net(turned(planes, symmetry), globals_)
        board = out.policy[:, :-1].reshape(planes.shape[0], *planes.shape[2:])
        found.append((turned_back(board, symmetry), out.policy[:, -1], out.value, turned_back(out.ownership, symmetry)))
    return [torch.stack(parts).mean(0) for parts in zip(*found, strict=True)]


@EVERY
@pytest.mark.parametrize("size", [6, 7])
def test_symmetries_commute_after_averaging(spec, size):
    net = lively(spec).eval()
    planes, globals_ = positions(spec, 2, size)
    with torch.no_grad():
        plain = averaged(net, planes, globals_)
        for symmetry in ((1, False), (0, True)):
            for one, other in zip(averaged(net, turned(planes, symmetry), globals_), plain, strict=True):
                torch.testing.assert_close(one, turned(other, symmetry) if other.ndim == 3 else other, rtol=1e-4, atol=1e-4)


@EVERY
def test_every_size_from_2_to_25_in_one_batch(spec):
    """Boards of every size, padded to the largest, get what each gets alone."""
    net, sizes = lively(spec).eval(), range(2, 26)
    alone = [positions(spec, 1, size, size) for size in sizes]
    with torch.no_grad():
        out = net(torch.cat([padded(planes, 25) for planes, _ in alone]), torch.cat([globals_ for _, globals_ in alone]))
        for i, size in enumerate(sizes):
            one = net(*alone[i])
            torch.testing.assert_close(cropped_policy(out.policy[i : i + 1], size), one.policy, rtol=1e-4, atol=2e-4)
            torch.testing.assert_close(out.value[i : i + 1], one.value, rtol=1e-4, atol=2e-4)
            torch.testing.assert_close(out.ownership[i : i + 1, :size, :size], one.ownership, rtol=1e-4, atol=2e-4)
