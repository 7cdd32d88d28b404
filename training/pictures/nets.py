"""The nets of the reader of pictures: a U-Net that segments a picture, and a net that looks at each crossing.

Both take pixels float32[B, 3, H, W], 0 to 255 in the order red, green, blue. Knows no training and no geometry.

U-Net: Ronneberger, Fischer and Brox, 2015 (encoder, decoder, skips, transposed convolutions).
"""

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MAPS: Final = ("board", "crossing", "edge", "empty", "black", "white")  # of the U-Net, at half of the picture's resolution
SIGNS: Final = ("empty", "black", "white", "last")  # of the net of crossings
CELL: Final = 16  # pixels of a crossing's square in the straightened picture


@dataclass(frozen=True)
class ReaderSpec:
    """Which net: its kind and the channels of its levels, finest first."""

    kind: str = "segment"  # or "crossings"
    widths: tuple[int, ...] = (32, 48, 64, 80, 96)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "ReaderSpec":
        """Raises ValueError if the text is no spec."""
        values = json.loads(text)
        if not isinstance(values, dict) or values.keys() != {"kind", "widths"} or values["kind"] not in BUILDERS:
            raise ValueError(f"not the spec of a reader of pictures: {text[:80]}")
        return cls(values["kind"], tuple(int(width) for width in values["widths"]))


class Unit(nn.Sequential):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Residual(nn.Module):
    """Two units around which the input passes."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = Unit(width, width, dilation=dilation)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


def _scaled(pixels: Tensor) -> Tensor:
    return pixels * (1 / 64) - 2


class SegmentNet(nn.Module):
    """The U-Net: logits of MAPS [B, 6, H / 2, W / 2]; H and W are multiples of 64.

    Its finest level is a quarter of the picture's resolution, and the last layer deals four pixels out of one (pixel shuffle):
    full levels would cost four times as much.
    """

    def __init__(self, spec: ReaderSpec) -> None:
        super().__init__()
        widths = spec.widths
        self.stem = nn.Sequential(Unit(3, widths[0] // 2, 2), Unit(widths[0] // 2, widths[0], 2))
        self.down = nn.ModuleList([Unit(a, b, 2) for a, b in pairwise(widths)])
        self.encode = nn.ModuleList([Residual(width) for width in widths])
        self.deepest = Residual(widths[-1], dilation=2)
        self.up = nn.ModuleList([nn.ConvTranspose2d(b, a, 2, 2) for a, b in pairwise(widths)])
        self.join = nn.ModuleList([Unit(2 * width, width) for width in widths[:-1]])
        self.decode = nn.ModuleList([Residual(width) for width in widths[:-1]])
        self.last = nn.Conv2d(widths[0], 4 * len(MAPS), 3, 1, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        x = self.stem(_scaled(pixels))
        skips = []
        for level, encode in enumerate(self.encode):
            x = encode(self.down[level - 1](x) if level else x)
            skips.append(x)
        x = self.deepest(x) + skips[-1].mean((2, 3), keepdim=True)
        for level in reversed(range(len(self.join))):
            x = self.decode[level](self.join[level](torch.cat([self.up[level](x), skips[level]], 1)))
        return F.pixel_shuffle(self.last(x), 2)


class CrossingsNet(nn.Module):
    """Logits of SIGNS [B, 4, rows, columns] from a straightened board [B, 3, CELL * rows, CELL * columns].

    A board comes with one more crossing on each side, whose answers mean nothing.
    """

    def __init__(self, spec: ReaderSpec) -> None:
        super().__init__()
        widths = spec.widths
        self.stem = Unit(3, widths[0], 2)
        self.down = nn.Sequential(*[Unit(a, b, 2) for a, b in pairwise(widths)])
        self.around = nn.Sequential(Residual(widths[3]), Residual(widths[3]))
        self.last = nn.Sequential(Unit(widths[3], widths[3]), nn.Conv2d(widths[3], len(SIGNS), 1))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.last(self.around(self.down(self.stem(_scaled(pixels)))))


BUILDERS: Final = {"segment": SegmentNet, "crossings": CrossingsNet}


def build(spec: ReaderSpec, seed: int = 0) -> nn.Module:
    """A new net with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return BUILDERS[spec.kind](spec)
