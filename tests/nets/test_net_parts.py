"""A net in parts says what the whole one says, and its weights keep their names."""

import pytest
import torch

from goengine.nets.architecture import parse
from goengine.nets.build import build
from goengine.nets.net_parts import NetPart, SplitNet, cuts

CPU = torch.device("cpu")
PLANES, GLOBALS = 5, 3


def spoken(text):
    """A net of which every weight counts, in evaluation mode."""
    net = build(parse(text, "zero", PLANES, GLOBALS), 1)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=generator))
    return net.eval()


def boards(rows=3, size=7):
    planes = torch.randint(0, 2, (rows, PLANES, size, size), generator=torch.Generator().manual_seed(2)).float()
    planes[:, 0] = 1
    return planes, torch.rand(rows, GLOBALS)


@pytest.mark.parametrize("text", ["b5c16", "c16:pqp", "c16x1,c24x2:rgt2", "lee-policy-8", "lee-value-8"])
def test_parts_say_what_the_whole_says(text):
    net, (planes, values) = spoken(text), boards()
    for parts in (1, 2, 3):
        with torch.inference_mode():
            whole, split = net(planes, values, True), SplitNet(net, [CPU] * parts)(planes, values, True)
        assert all(torch.equal(one, other) for one, other in zip(whole, split, strict=True))


def test_each_weight_is_in_one_part_by_its_own_name():
    net = spoken("c16:qgpr")
    states = [NetPart(net, *ends).state_dict() for ends in cuts(net.spec, 3)]
    names = [name for state in states for name in state]
    assert sorted(names) == sorted(net.state_dict()) and len(set(names)) == len(names)
    assert all(
        state[name] is not None and torch.equal(state[name], net.state_dict()[name]) for state in states for name in state
    )
    assert list(net.state_dict())  # the net itself is whole


def test_cuts_are_even_and_each_part_has_a_block():
    spec = parse("b7c16", "zero", PLANES, GLOBALS)
    for parts in range(1, 8):
        found = cuts(spec, parts)
        sizes = [end - first for first, end in found]
        assert found[0][0] == 0 and found[-1][1] == 7 and sum(sizes) == 7 and max(sizes) - min(sizes) <= 1
        assert sizes[0] <= sizes[-1]  # the first holds signals longest
    for parts in (0, 8):
        with pytest.raises(ValueError, match=f"7 blocks cannot be split into {parts} parts"):
            cuts(spec, parts)


def test_padded_boards_are_refused():
    net, (planes, values) = spoken("b2c16"), boards()
    with pytest.raises(ValueError, match="boards that fill their planes only"):
        SplitNet(net, [CPU, CPU])(planes, values, None)
