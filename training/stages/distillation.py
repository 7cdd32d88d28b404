"""What a small net learns from a larger one, its teacher, beside what the games tell.

Knows: the teacher's answers as targets of the usual losses, softened policies (Hinton, Vinyals and Dean, Distilling the
knowledge in a neural network, 2015), and hints from the middle of the trunk (FitNets: Romero et al. 2015). Does not know
where positions come from, nor how a run goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets.build import Net
from goengine.nets.fold import fold
from goengine.nets.heads import NetOutput
from training.core.losses import RESULTS, SCORE_DELTA, LossWeights, total_loss, value_errors, weighted_mean

REGRESSOR = "hint"  # the student's extra layer, which is trained with it and left out of its weights file


@dataclass(frozen=True)
class TeacherWeights:
    """Weight of what the teacher alone says, and how far it is believed where the game tells as well."""

    policy: float  # divergence from the teacher's policy
    soft: float  # the same at `temperature`, times temperature squared: gradients of softened policies fall with it
    temperature: float
    opponent: float  # divergence from its guess of the reply
    stdev: float  # Huber distance to its deviation of the score
    trust: float  # share of the teacher in targets of value, score and ownership; the game has the rest


def divergence(logits: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Kullback-Leibler divergence per sample of the policy from the teacher's, both logits [B,K] over the temperature.

    It is the cross-entropy less the teacher's own entropy: the same gradient, and 0 for an equal policy.
    """
    ours = F.log_softmax(logits.float() / temperature, 1)
    theirs = F.log_softmax(teacher.float() / temperature, 1)
    return (theirs.exp() * (theirs - ours)).sum(1)


def taught(batch: Mapping[str, Tensor], teacher: NetOutput, trust: float) -> dict[str, Tensor]:
    """The batch with the teacher's value, score and ownership mixed into the game's, or in their place where it has none."""

    def mixed(answer: Tensor, target: Tensor, known: Tensor) -> Tensor:
        share = torch.where(known > 0, trust, 1.0)
        return share * answer.float() + (1.0 - share) * target.float()

    everywhere = torch.ones_like(batch["value_weight"])
    return {
        **{name: values for name, values in batch.items() if name != RESULTS},  # now every position has one
        "value": mixed(torch.tanh(teacher.value.float() / 2), batch["value"], batch["value_weight"]),
        "value_weight": everywhere,
        "score": mixed(teacher.score, batch["score"], batch["score_weight"]),
        "score_weight": everywhere,
        "owner": mixed(teacher.ownership, batch["owner"], batch["owner_weight"][:, None, None]),
        "owner_weight": everywhere,
    }


def distillation_loss(
    output: NetOutput, teacher: NetOutput, batch: Mapping[str, Tensor], games: LossWeights, weights: TeacherWeights
) -> tuple[Tensor, dict[str, Tensor]]:
    """(loss, figures) of a student's output beside the teacher's on one batch, as `total_loss` has them.

    games: weights of the mixed targets; its policy is the weight of the move played, its opponent and score_stdev are
    not used, because the teacher tells more. Figures: `mse` is against the game's result, `agree` the share of
    positions with the teacher's best move. Heads that the student has not (`LossWeights`) learn nothing and tell nothing.
    """
    shared = LossWeights(games.policy, games.value, 0.0, games.ownership, games.score, 0.0)
    loss, figures = total_loss(output, taught(batch, teacher, weights.trust), shared)
    terms = {}
    if games.policy is not None:
        terms["teacher"] = divergence(output.policy, teacher.policy).mean()
        terms["soft"] = weights.temperature**2 * divergence(output.policy, teacher.policy, weights.temperature).mean()
    if weights.opponent:
        terms["opponent"] = divergence(output.opponent_policy, teacher.opponent_policy).mean()
    if weights.stdev:
        error = F.huber_loss(output.score_stdev.float(), teacher.score_stdev.float(), delta=SCORE_DELTA)
        terms["score_stdev"] = error / SCORE_DELTA
    scales = {"teacher": weights.policy, "soft": weights.soft, "opponent": weights.opponent, "score_stdev": weights.stdev}
    loss = loss + sum(scales[name] * term for name, term in terms.items())
    with torch.no_grad():
        figures |= {name: term.detach() for name, term in terms.items()}
        if games.policy is not None:
            figures["agree"] = (output.policy.argmax(1) == teacher.policy.argmax(1)).float().mean()
        if games.value is not None:
            errors = value_errors(output.value, batch["value"])
            figures["mse"] = weighted_mean(errors, batch["value_weight"], batch.get(RESULTS))
    return loss, figures


def hint_factor(progress: float, share: float) -> float:
    """Weight of the hint over its first value: a straight line that reaches 0 after `share` of the run."""
    return max(1.0 - progress / share, 0.0) if share > 0 else 0.0


class Teacher:
    """A trained net that answers beside its student, and never changes.

    views: symmetries of each position over which its answers are averaged, an ensemble of so many nets.
    """

    def __init__(self, net: Net, device: str, views: int = 1):
        self.net = fold(net).to(device, memory_format=torch.channels_last)
        self.views = views
        self._middle = _Tap(self.net)

    def __call__(self, planes: Tensor, globals_: Tensor, full: bool | None) -> tuple[NetOutput, Tensor]:
        """(its answers, the features in the middle of its trunk for the position as it is); no gradients.

        Several views need boards that fill the planes.
        """
        with torch.no_grad():
            said = [
                turned_back(self.net(turned(planes, symmetry), globals_, full), symmetry) for symmetry in range(1, self.views)
            ]
            said.append(self.net(planes, globals_, full))  # the last, for what is kept of the middle
            return averaged(said), self._middle.value


def turned(x: Tensor, symmetry: int) -> Tensor:
    """x [...,M,M] seen through a symmetry, as `goengine.board.symmetry` numbers them."""
    x = x.transpose(-1, -2) if symmetry & 4 else x
    dims = [dim for dim, bit in ((-1, 2), (-2, 1)) if symmetry & bit]
    return x.flip(dims) if dims else x


def turned_back(said: NetOutput, symmetry: int) -> NetOutput:
    """What a net says of a position seen through a symmetry, as of the position itself."""

    def points(x: Tensor) -> Tensor:
        dims = [dim for dim, bit in ((-1, 2), (-2, 1)) if symmetry & bit]
        x = x.flip(dims) if dims else x
        return x.transpose(-1, -2) if symmetry & 4 else x

    def moves(logits: Tensor) -> Tensor:
        side = said.ownership.shape[-1]
        board = points(logits[:, :-1].unflatten(1, (side, side)))
        return torch.cat((board.flatten(1), logits[:, -1:]), dim=1)

    policy, reply = moves(said.policy), moves(said.opponent_policy)
    return said._replace(policy=policy, ownership=points(said.ownership), opponent_policy=reply)


def averaged(said: list[NetOutput]) -> NetOutput:
    """The mean of probabilities of moves and of winning, and of everything else, as one answer."""
    if len(said) == 1:
        return said[0]
    parts = NetOutput(*(torch.stack([part.float() for part in parts]) for parts in zip(*said, strict=True)))
    policy, reply = (F.softmax(part, 2).mean(0).clamp(min=1e-12).log() for part in (parts.policy, parts.opponent_policy))
    value = torch.logit(torch.sigmoid(parts.value).mean(0), eps=1e-6)
    rest = (parts.score.mean(0), parts.score_stdev.mean(0), parts.ownership.mean(0))
    return NetOutput(policy, value, *rest, reply)


class Hint:
    """The distance between the middle of the student's trunk and the teacher's, through a 1x1 convolution (FitNets).

    The convolution becomes a part of the student's module, so that the loop trains and saves it; `without` takes it
    out of the student's arrays again.
    """

    def __init__(self, student: Net, teacher: Net):
        student.add_module(REGRESSOR, nn.Conv2d(_middle_width(student), _middle_width(teacher), 1, bias=False))
        nn.init.kaiming_normal_(student.hint.weight, generator=torch.Generator().manual_seed(0), nonlinearity="linear")
        self._student, self._middle = student, _Tap(student)

    def distance(self, middle: Tensor) -> Tensor:
        """Mean squared distance to the teacher's `middle` after the student's forward pass, over the mean square of
        `middle`: 1 for a student that says nothing.
        """
        guided, middle = self._student.hint(self._middle.value).float(), middle.float()
        return (guided - middle).square().mean() / middle.square().mean().clamp(min=1e-6)

    @staticmethod
    def without(arrays: Mapping) -> dict:
        """The arrays of the student alone."""
        return {name: array for name, array in arrays.items() if not name.startswith(f"{REGRESSOR}.")}


class _Tap:
    """Keeps what the middle block of a net's trunk gave last."""

    def __init__(self, net: Net):
        self.value: Tensor | None = None
        net.trunk.blocks[_middle(net)].register_forward_hook(self._keep)

    def _keep(self, _module: nn.Module, _inputs: tuple, output: Tensor) -> None:
        self.value = output


def _middle(net: Net) -> int:
    """The number of the middle block of a net's trunk, from 0."""
    return (len(net.spec.blocks) - 1) // 2


def _middle_width(net: Net) -> int:
    """How many channels that block gives."""
    return net.spec.widths[_middle(net) + 1]
