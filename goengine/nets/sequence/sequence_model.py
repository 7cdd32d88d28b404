"""Sequence models in torch: a recurrent one, and a transformer decoder with or without a position as its memory.

Both take lines of tokens (`goengine.sequence.lines`) and give at each token logits of the next move. Attention is causal: a
token sees itself and what is before it. Padding is behind, so that nobody sees it. A decoder with a memory also attends to the
361 points of a position (Vaswani et al. 2017, encoder-decoder), and points at them: the logit of a move is what the state says
of its token, plus how well the state fits the point's features (Vinyals et al. 2015, pointer networks).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from goengine.nets.sequence.sequence_spec import BOARD, SequenceSpec
from goengine.ranks.inputs import SIDE

MOVES = BOARD * BOARD + 1
HEAD, TOKENS = MOVES, MOVES + 2
COLORS = 3  # of padding, Black and White


class Reader(nn.Module):
    """Tokens to vectors: what was played, by whom, whose turn it is, and the ranks of both from that side's view."""

    def __init__(self, spec: SequenceSpec) -> None:
        super().__init__()
        self.moves = nn.Embedding(TOKENS, spec.width)
        self.colors = nn.Embedding(COLORS, spec.width)
        self.turn = nn.Embedding(COLORS, spec.width)
        self.ranks = nn.Linear(SIDE, spec.width)  # of the token's own player, at the head
        self.mover = nn.Linear(2 * SIDE, spec.width)  # of who is to move, and of the other

    def forward(self, tokens: Tensor, colors: Tensor, turn: Tensor, ranks: Tensor) -> Tensor:
        """tokens, colors, turn [B,T], ranks [B,2,SIDE] -> [B,T,D]."""
        x = self.moves(tokens) + self.colors(colors) + self.turn(turn)
        head = F.pad(self.ranks(ranks), (0, 0, 0, x.shape[1] - 2))
        both = torch.stack((ranks.flatten(1), ranks.flip(1).flatten(1)), dim=1)  # as Black sees it, as White does
        sides = self.mover(both)
        seen = torch.where((turn == 2).unsqueeze(2), sides[:, 1:], sides[:, :1])
        return x + head + seen


class RecurrentModel(nn.Module):
    """A GRU over the tokens (Cho et al. 2014); board-free."""

    def __init__(self, spec: SequenceSpec) -> None:
        super().__init__()
        self.spec = spec
        self.read = Reader(spec)
        self.gru = nn.GRU(spec.width, spec.width, spec.layers, batch_first=True)
        self.out = nn.Linear(spec.width, MOVES)

    def forward(self, tokens: Tensor, colors: Tensor, turn: Tensor, ranks: Tensor) -> Tensor:
        """-> logits [B,T,MOVES] of the move after each token."""
        x, _ = self.gru(self.read(tokens, colors, turn, ranks))
        return self.out(x)


class Attention(nn.Module):
    """Attention with heads, of tokens to themselves (causal) or to a memory."""

    def __init__(self, spec: SequenceSpec, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = spec.heads, causal
        self.query = nn.Linear(spec.width, spec.width)
        self.keys = nn.Linear(spec.width, 2 * spec.width)
        self.out = nn.Linear(spec.width, spec.width)

    def split(self, x: Tensor) -> Tensor:
        """[B,T,D] -> [B,H,T,D/H]."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """x [B,T,D] asks memory [B,S,D] -> [B,T,D]."""
        query = self.split(self.query(x))
        key, value = (self.split(part) for part in self.keys(memory).chunk(2, dim=2))
        y = F.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.out(y.transpose(1, 2).flatten(2))

    def shares(self, x: Tensor, memory: Tensor) -> Tensor:
        """How much each token attends to each place, the mean of the heads: [B,T,S]; rows add up to 1."""
        query, key = self.split(self.query(x)), self.split(self.keys(memory).chunk(2, dim=2)[0])
        scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        if self.causal:
            scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), float("-inf"))
        return scores.softmax(3).mean(1)


class DecoderLayer(nn.Module):
    """Pre-normalised: attention to the line, to the memory where there is one, and two layers of neurons."""

    def __init__(self, spec: SequenceSpec) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(spec.width) for _ in range(3))
        self.line = Attention(spec, causal=True)
        self.board = Attention(spec, causal=False) if spec.memory else None
        self.neurons = nn.Sequential(nn.Linear(spec.width, 4 * spec.width), nn.GELU(), nn.Linear(4 * spec.width, spec.width))

    def forward(self, x: Tensor, memory: Tensor | None) -> Tensor:
        """x [B,T,D], memory [B,361,D] -> [B,T,D]."""
        y = self.norms[0](x)
        x = x + self.line(y, y)
        if self.board is not None and memory is not None:
            x = x + self.board(self.norms[1](x), memory)
        return x + self.neurons(self.norms[2](x))


class DecoderModel(nn.Module):
    """A transformer decoder; with a memory, of the position before the first token behind `spec.longest` or of any other."""

    def __init__(self, spec: SequenceSpec) -> None:
        super().__init__()
        self.spec = spec
        self.read = Reader(spec)
        self.places = nn.Embedding(spec.longest, spec.width)
        self.layers = nn.ModuleList(DecoderLayer(spec) for _ in range(spec.layers))
        self.norm = nn.LayerNorm(spec.width)
        self.out = nn.Linear(spec.width, MOVES)
        self.memory = nn.Linear(spec.memory, spec.width) if spec.memory else None
        self.point = nn.Linear(spec.width, spec.width) if spec.memory else None

    def forward(self, tokens: Tensor, colors: Tensor, turn: Tensor, ranks: Tensor, features: Tensor | None = None) -> Tensor:
        """features [B,C,19,19] -> logits [B,T,MOVES] of the move after each token."""
        memory = self.remember(features)
        x = self.enter(tokens, colors, turn, ranks)
        for layer in self.layers:
            x = layer(x, memory)
        x = self.norm(x)
        logits = self.out(x)
        if memory is None or self.point is None:
            return logits
        pointed = self.point(x) @ memory.transpose(1, 2) / self.spec.width**0.5
        return logits + F.pad(pointed, (0, 1))

    def enter(self, tokens: Tensor, colors: Tensor, turn: Tensor, ranks: Tensor) -> Tensor:
        """What the first layer sees, [B,T,D]."""
        return self.read(tokens, colors, turn, ranks) + self.places.weight[: tokens.shape[1]]

    def remember(self, features: Tensor | None) -> Tensor | None:
        """The points of a position as the decoder sees them, [B,361,D]: features, and the token of the point."""
        if self.memory is None or features is None:
            return None
        return self.memory(features.flatten(2).transpose(1, 2)) + self.read.moves.weight[: BOARD * BOARD]

    def attention(
        self, tokens: Tensor, colors: Tensor, turn: Tensor, ranks: Tensor, features: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """How much each token attends to the tokens [B,T,T] and to the points [B,T,361], the mean over layers and heads."""
        memory, x = self.remember(features), self.enter(tokens, colors, turn, ranks)
        line, board = [], []
        for layer in self.layers:
            y = layer.norms[0](x)
            line.append(layer.line.shares(y, y))
            if layer.board is not None and memory is not None:
                board.append(layer.board.shares(layer.norms[1](x + layer.line(y, y)), memory))
            x = layer(x, memory)
        return torch.stack(line).mean(0), torch.stack(board).mean(0) if board else None


MODELS = {"gru": RecurrentModel, "decoder": DecoderModel}


def build(spec: SequenceSpec, seed: int = 0) -> nn.Module:
    """A model with fresh weights, in training mode; the same spec and seed give the same weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = MODELS[spec.kind](spec)
        with torch.no_grad():
            for module in model.modules():
                if isinstance(module, nn.Embedding):
                    module.weight.normal_(0, spec.width**-0.5)
            model.out.weight.mul_(0.2)
    return model
