"""How self-play plays: every choice with its default, once, as data that travels in a run's folder.

Knows the names of rules and methods; plays nothing. Sources: Gumbel = Danihelka et al., ICLR 2022; KataGo = Wu, arXiv
1902.10565; Zero = Silver et al., Nature 550 (2017).
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goengine.board.coords import MAX_SIZE, MIN_SIZE
from goengine.board.rules import Rules, RulesError
from goengine.search.params import GUMBEL, ZERO

METHODS = ("gumbel", "puct")


class SelfPlayParamsError(ValueError):
    """Settings that make no sense, or of another version; the message names them."""


@dataclass(frozen=True, kw_only=True)
class SelfPlayParams:
    """Self-play's settings. Raises SelfPlayParamsError if one makes no sense."""

    size: int = 9
    rules: tuple[str, ...] = ("tromp-taylor",)  # drawn evenly for each game; area rules, so that a game counts itself
    komi: float = 7.0  # around which komi is drawn
    komi_stdev: float = 1.0  # in points, drawn and then rounded to halves; KataGo 1
    komi_wide: float = 0.05  # share of games whose komi is drawn ten times as wide; KataGo 0.05
    # The search.
    method: str = "gumbel"  # or 'puct', with Dirichlet noise and forced playouts
    visits: int = 16  # of a full search, whose policy is learned from
    cheap_visits: int = 0  # of the others, without noise; 0: every search is full. KataGo's playout cap 600 / 100
    full_share: float = 1.0  # of searches that are full; KataGo 0.25
    considered: int = GUMBEL.gumbel_actions  # m actions of sequential halving
    c_visit: float = GUMBEL.c_visit
    c_scale: float = GUMBEL.c_scale  # for q in [0, 1]
    cpuct: float = 1.1
    dirichlet_total: float = ZERO.dirichlet_total  # puct only
    dirichlet_weight: float = ZERO.dirichlet_weight
    forced_playouts: float = 2.0  # KataGo's k; puct only
    root_temperature: float = 1.1  # of the root's priors; KataGo 1.25 early, 1.1 late; puct only
    # The moves.
    temperature: float = ZERO.temperature  # of the choice by visits in the first plies
    temperature_plies: int = ZERO.temperature_plies  # on 19x19, in proportion to the side elsewhere
    opening_plies: float = 4.0  # mean number of first moves drawn from the raw policy, on 19x19, in proportion to the area
    fork_share: float = 0.05  # of games that begin as an earlier one and leave it by a random move
    # The end.
    resign: float | None = None  # value in -1 .. 0 below which a side gives up; None: all games are played out
    resign_plies: int = 4  # in a row, of both sides together, at which the root must be below it
    play_out: float = 0.1  # share of games in which nobody gives up, where others may; they tell false resignations
    longest: float = 3.0  # plies, in multiples of the area, at which a game is broken off without a result

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise SelfPlayParamsError(f"method '{self.method}' is none of {', '.join(METHODS)}")
        if not MIN_SIZE <= self.size <= MAX_SIZE:
            raise SelfPlayParamsError(f"size {self.size} is not in {MIN_SIZE} .. {MAX_SIZE}")
        if not math.isfinite(self.komi):
            raise SelfPlayParamsError(f"komi must be a number of points, not {self.komi}")
        for name in ("full_share", "komi_wide", "dirichlet_weight", "fork_share", "play_out"):
            if not 0 <= getattr(self, name) <= 1:
                raise SelfPlayParamsError(f"{name} must be in 0 .. 1, not {getattr(self, name)}")
        for name in ("cpuct", "root_temperature", "temperature", "longest", "c_scale"):
            if not 0 < getattr(self, name) < math.inf:
                raise SelfPlayParamsError(f"{name} must be positive, not {getattr(self, name)}")
        for name in ("komi_stdev", "temperature_plies", "opening_plies", "forced_playouts", "dirichlet_total", "c_visit"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SelfPlayParamsError(f"{name} must not be negative, and not {getattr(self, name)}")
        if self.visits < 2 or self.considered < 1 or self.resign_plies < 1 or self.cheap_visits < 0 or self.cheap_visits == 1:
            raise SelfPlayParamsError("visits and cheap_visits must be at least 2, considered and resign_plies at least 1")
        if self.cheap_visits == 0 and self.full_share < 1:
            raise SelfPlayParamsError("a full_share below 1 needs cheap_visits")
        if self.resign is not None and not -1 < self.resign < 0:
            raise SelfPlayParamsError(f"resign {self.resign} must lie between -1 and 0")
        if not self.rules:
            raise SelfPlayParamsError("rules: at least one set is needed")
        for name in self.rules:
            try:
                rules = Rules.preset(name)
            except RulesError as error:
                raise SelfPlayParamsError(str(error)) from error
            if rules.scoring != "area" or rules.tax != "none" or rules.has_button:
                raise SelfPlayParamsError(f"rules '{name}': self-play counts its games by area, without tax and button")

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "SelfPlayParams":
        """Back from `to_json`. Raises SelfPlayParamsError, naming the field, if one is unknown or of the wrong kind."""
        fields = {field.name: field for field in dataclasses.fields(SelfPlayParams)}
        if unknown := sorted(set(values) - set(fields)):
            raise SelfPlayParamsError(f"self-play knows no setting '{unknown[0]}'; it was written by another version")
        ready: dict[str, Any] = {}
        for name, value in values.items():
            default = fields[name].default
            number = (int, float) if isinstance(default, float) else (float, int, type(None))
            kinds = number if default is None or isinstance(default, float) else type(default)
            if isinstance(default, tuple):
                good = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
            else:
                good = isinstance(value, kinds) and not isinstance(value, bool)
            if not good:
                raise SelfPlayParamsError(f"setting {name}: {value!r} is of the wrong kind")
            ready[name] = tuple(value) if isinstance(default, tuple) else value
        return SelfPlayParams(**ready)
