"""The loss of a policy-value net on one batch, and the figures one watches.

Knows: the net's outputs and the batch's targets, all for the player to move. Every target has its own weight per
sample, 0 where the target does not exist (a truncated game has no result, a resigned one no score). Does not know
where targets come from.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional as F

from goengine.nets import process_sums
from goengine.nets.heads import NetOutput


@dataclass(frozen=True)
class LossWeights:
    """Weight of each term; 0 leaves it out. Policy and value of weight 0 are still reported. None means that the net has no
    such head; then nothing is reported of it.

    The terms follow KataGo (Wu 2019, section 5 and appendix A); see `training.core.command_options`.
    """

    policy: float | None
    value: float | None
    opponent: float
    ownership: float
    score: float
    score_stdev: float

    def of_heads(self, outputs: Set[str]) -> "LossWeights":
        """The weights for a net that can only learn to say this (`NetSpec.outputs`)."""
        missing: dict[str, Any] = dict.fromkeys({"policy", "value"} - outputs)
        missing |= dict.fromkeys({"opponent", "ownership", "score"} - outputs, 0.0)
        if "score" not in outputs:
            missing["score_stdev"] = 0.0
        return replace(self, **missing)


SCORE_DELTA = 10.0  # points where the Huber loss turns from square to linear
SCORE_LIMIT = 60.0  # larger margins count as this: a rout by 90 teaches nothing more


def weighted_mean(values: torch.Tensor, weights: torch.Tensor, total: torch.Tensor | None = None) -> torch.Tensor:
    """Weighted mean over the batch, 0 where all weights are 0.

    Where several processes train together, the mean of what they return is the weighted mean over their joined batch. total:
    what the weights of a part of a batch come to on average over its parts (`parts_of`); then the mean of what the parts
    return is the weighted mean over the batch.
    """
    total = weights.sum() if total is None else total
    return (values * weights).sum() / (process_sums.total(total) / process_sums.count()).clamp(min=1e-6)


MOVES, RESULTS, REPLIES = "moves", "results", "replies"  # names in a part of a batch of how many there are in a part on average


def parts_of(batch: Mapping[str, torch.Tensor], parts: int) -> list[dict[str, torch.Tensor]]:
    """The batch in equal parts, in order, whose losses have the whole batch's loss as their mean. Numbers go to all parts.

    Raises ValueError if the rows cannot be dealt evenly.
    """
    rows = max((len(value) for value in batch.values() if value.dim()), default=0)
    if rows % parts:
        raise ValueError(f"{rows} samples cannot be cut into {parts} equal parts")
    weights = _weights(batch)
    totals = {name: weight.sum() / parts for name, weight in weights.items()} if parts > 1 else {}
    size = rows // parts
    return [
        {name: value.narrow(0, i * size, size) if value.dim() else value for name, value in batch.items()} | totals
        for i in range(parts)
    ]


def _weights(batch: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weight of each sample in the means that are over some samples only: [B], by name."""
    found = {}
    if "policy" in batch:
        found[MOVES] = (best_moves(batch["policy"]) >= 0).float()
    if "value_weight" in batch:
        found[RESULTS] = batch["value_weight"]
    if "opponent" in batch:
        found[REPLIES] = (batch["opponent"] >= 0).float()
    return found


def policy_terms(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross-entropy per sample, of indices int64 [B], where -1 gives 0, or of distributions float [B,A]."""
    if target.dim() == 2:
        return -(target * F.log_softmax(logits.float(), 1)).sum(1)
    return F.cross_entropy(logits.float(), target, reduction="none", ignore_index=-1)


def best_moves(target: torch.Tensor) -> torch.Tensor:
    """The move that a policy's target names, int64 [B], -1 for none: the index itself, or the likeliest of a distribution."""
    return torch.where(target.sum(1) > 0, target.argmax(1), -1) if target.dim() == 2 else target


def value_terms(logit: torch.Tensor, outcome: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy per sample of the win logit; outcome is in [-1, 1]."""
    return F.binary_cross_entropy_with_logits(logit.float(), (outcome + 1) / 2, reduction="none")


def value_errors(logit: torch.Tensor, outcome: torch.Tensor) -> torch.Tensor:
    """Squared error per sample of the value in [-1, 1]."""
    return (torch.tanh(logit.float() / 2) - outcome) ** 2


def score_terms(mean: torch.Tensor, stdev: torch.Tensor, score: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(Huber loss of the mean over its delta, Gaussian negative log-likelihood of the deviation), per sample."""
    target = score.clamp(-SCORE_LIMIT, SCORE_LIMIT)
    huber = F.huber_loss(mean.float(), target, reduction="none", delta=SCORE_DELTA) / SCORE_DELTA
    spread = stdev.float().clamp(min=0.1)
    error = (target - mean.float()).detach()  # the deviation learns the error, the mean does not learn from the deviation
    return huber, spread.log() + 0.5 * (error / spread) ** 2


def ownership_terms(ownership: torch.Tensor, owner: torch.Tensor, board: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy per sample, mean over the points of the board; both in [-1, 1], [B, M, M]."""
    probability = ((ownership.float() + 1) / 2).clamp(1e-4, 1 - 1e-4)
    target = (owner.float() + 1) / 2
    entropy = -(target * probability.log() + (1 - target) * (1 - probability).log())
    return (entropy * board).sum((1, 2)) / board.sum((1, 2)).clamp(min=1)


def total_loss(
    output: NetOutput, batch: Mapping[str, torch.Tensor], weights: LossWeights
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """(loss, figures) of a net's output on a batch.

    The batch holds planes [B,C,M,M], policy and opponent int64 [B] (-1: none), value [B] in [-1,1] and value_weight
    [B], score [B] in points and score_weight [B], owner [B,M,M] and owner_weight [B]. The policy may be a distribution,
    float [B,A] (all 0: none). Figures are means, detached: the terms, top1, mse (of the value in [-1,1]), without those of
    heads that the net has not.
    """
    best = best_moves(batch["policy"])
    known = (best >= 0).float()
    moves, results, replies = (batch.get(name) for name in (MOVES, RESULTS, REPLIES))
    terms = {}
    if weights.policy is not None:
        terms["policy"] = weighted_mean(policy_terms(output.policy, batch["policy"]), known, moves)
    if weights.value is not None:
        terms["value"] = weighted_mean(value_terms(output.value, batch["value"]), batch["value_weight"], results)
    if weights.opponent:
        answered = (batch["opponent"] >= 0).float()
        terms["opponent"] = weighted_mean(policy_terms(output.opponent_policy, batch["opponent"]), answered, replies)
    if weights.score or weights.score_stdev:
        # Divided by the whole batch: else two counted games in a batch would weigh as much as fifty.
        huber, likelihood = score_terms(output.score, output.score_stdev, batch["score"])
        terms["score"] = (huber * batch["score_weight"]).mean()
        terms["score_stdev"] = (likelihood * batch["score_weight"]).mean()
    if weights.ownership:
        per_sample = ownership_terms(output.ownership, batch["owner"], batch["planes"][:, 0].float())
        terms["ownership"] = (per_sample * batch["owner_weight"]).mean()
    loss = sum(getattr(weights, name) * term for name, term in terms.items())
    with torch.no_grad():
        figures = {name: term.detach() for name, term in terms.items()}
        if weights.policy is not None:
            figures["top1"] = weighted_mean((output.policy.argmax(1) == best).float(), known, moves)
        if weights.value is not None:
            figures["mse"] = weighted_mean(value_errors(output.value, batch["value"]), batch["value_weight"], results)
    return loss, figures
