"""Who plays in a match: a net with search settings, or any program that speaks GTP, from what a command line says.

Reads names, paths and settings. Loads nothing before `NetPlayer.load`; knows no games and no results.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goengine.player.rank_style import parse_profile
from goengine.search import params_text as search_settings
from goengine.search.params import PLAY, SearchParams

if TYPE_CHECKING:
    from goengine.evaluators.base import Evaluator

PRECISIONS = ("auto", "f32", "bf16", "f16", "int8")
DEFAULT_VISITS = 100  # per move, of a net that was given neither visits nor playouts nor seconds
_FILES = (".xml", ".safetensors")

# Chance belongs to the openings of a match: what presets have for training and for people is left out unless it is asked for.
_SOBER = {"temperature": 0.0, "temperature_final": 0.0, "dirichlet_total": 0.0, "gumbel_scale": 0.0, "ownership": False}
MATCH = PLAY.with_(**_SOBER)


@dataclass(frozen=True)
class NetPlayer:
    """A net and how it is searched. Raises ValueError if a setting is out of range."""

    net: str  # a shipped net, 'uniform', or an absolute path
    params: SearchParams = MATCH
    visits: int | None = None  # of the root per move, those of a reused tree among them
    playouts: int | None = None  # new visits per move
    seconds: float | None = None  # per move; only where a clock can be read, that is over GTP
    early_stop: bool = False  # stop when no other move can catch up with the leader
    raw: bool = False  # no search: moves are drawn from the policy, at the params' temperature of the choice
    precision: str = "auto"
    symmetries: int = 1  # views of each position that are averaged; 1: a random one
    threads: int = 1  # of the net
    rank: str = ""  # plays as people of that rank do; the net looks at their moves
    rank_net: str = "auto"  # the net that knows ranks

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision '{self.precision}' is none of {', '.join(PRECISIONS)}")
        for name, low, high in (("visits", 1, 10**9), ("playouts", 1, 10**9), ("symmetries", 1, 8), ("threads", 0, 1024)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name} must be from {low} to {high}, not {value}")
        if self.seconds is not None and not 0 < self.seconds < 1e7:
            raise ValueError(f"seconds must be positive, not {self.seconds:g}")
        if self.rank:
            parse_profile(self.rank)
            wrong = [name for name in ("visits", "playouts", "early_stop", "raw") if getattr(self, name)]
            if wrong:
                raise ValueError(f"rank={self.rank} goes without {', '.join(wrong)}: a rank chooses its moves without a search")

    @property
    def name(self) -> str:
        """The net's name, without the path of a file; with a rank that too."""
        return f"{self._stem} {self.rank}" if self.rank else self._stem

    @property
    def _stem(self) -> str:
        paths = map(Path, _parts(self.net) or (self.net,))
        return "+".join(path.stem if path.suffix in _FILES else path.name for path in paths)

    @property
    def settings(self) -> str:
        """Everything that is not the default, as `parse_player` reads it."""
        own = [f"{key}={value}" for key, value in self._own().items()]
        return ",".join(filter(None, (*own, search_settings.difference(self.params, MATCH))))

    def _own(self) -> dict[str, object]:
        """The settings that are not the search's, where they are not the defaults."""
        return {
            key: str(value).lower() if kind is bool else value
            for key, kind in OWN.items()
            if (value := getattr(self, key)) != getattr(type(self), key)
        }

    def describe(self) -> str:
        """Name and settings, for people."""
        return f"{self.name} ({self.settings})" if self.settings else self.name

    @property
    def source(self) -> tuple[str, str, int]:
        """What the evaluator is made from: players with the same source can share one."""
        return self.net, self.precision, self.threads

    def load(self, size: int) -> "Evaluator":
        """The net itself for boards of that size, without cache or symmetries. Raises EvaluatorError if it cannot be played.

        Says nothing of what does not fit the size: each process of a match would (see `left_out`).
        """
        from goengine.evaluators import load

        return load.load(load.resolved(self.net, size), precision=self.precision, threads=self.threads)

    def command(self, *, seed: int | None = None, resign: bool = True) -> tuple[str, ...]:
        """The program that plays like this over GTP, with this very interpreter.

        Raises ValueError if a setting has no counterpart there.
        """
        if self.playouts is not None or self.early_stop or self.raw:
            raise ValueError(f"{self.describe()}: playouts, early_stop and raw cannot be had over GTP; give visits or seconds")
        words = [sys.executable, "-m", "goengine.cli", "gtp", "--quiet", "--net", self.net, "--threads", str(self.threads or 1)]
        visits = DEFAULT_VISITS if self.visits is None and self.seconds is None and not self.rank else self.visits
        options = {
            "visits": visits,
            "time": self.seconds,
            "search": search_settings.difference(self.params),
            "precision": "" if self.precision == "auto" else self.precision,
            "symmetries": None if self.symmetries == 1 else self.symmetries,
            "seed": seed,
            "rank": self.rank,
            "rank-net": "" if self.rank_net == "auto" else self.rank_net,
        }
        for name, value in options.items():
            if value not in (None, ""):
                words += [f"--{name}", str(value)]
        return (*words, "--resign" if resign else "--no-resign")


OWN: Mapping[str, type] = {
    "visits": int,
    "playouts": int,
    "seconds": float,
    "early_stop": bool,
    "raw": bool,
    "precision": str,
    "symmetries": int,
    "threads": int,
    "rank": str,
    "rank_net": str,
}


@dataclass(frozen=True)
class ProgramPlayer:
    """A program that speaks GTP on its standard input and output."""

    command: tuple[str, ...]

    @property
    def name(self) -> str:
        """The program's file name; it may call itself otherwise."""
        return Path(self.command[0]).name

    def describe(self) -> str:
        """The command line."""
        return shlex.join(self.command)


Player = NetPlayer | ProgramPlayer


def left_out(players: Iterable[Player], size: int) -> list[str]:
    """A sentence for each net of a pair that does not fit boards of that size, none twice. Raises EvaluatorError."""
    from goengine.evaluators.load import resolve

    nets = [player.net for player in players if isinstance(player, NetPlayer)]
    return list(dict.fromkeys(sentence for net in nets for sentence in resolve(net, size).left_out))


def parse_player(text: str, settings: str = "") -> Player:
    """The player that ``text`` names: a net (a shipped one, 'uniform', a folder, .xml or .safetensors) or a command line.

    settings: for a net, ``name=value`` with commas: the fields of `SearchParams`, `preset`, and those of `OWN`.
    Raises ValueError that says what is wrong and what there is.
    """
    net = _net(text.strip())
    if net is not None:
        return _with_settings(net, settings)
    try:
        command = tuple(shlex.split(text))
    except ValueError as error:
        raise ValueError(f"the command line '{text}' cannot be read: {error}") from None
    if not command or shutil.which(command[0]) is None:
        raise ValueError(
            f"'{text}' is neither a net nor a program that can be started; nets: {', '.join(_names())}, and two as POLICY+VALUE"
        )
    if settings.strip():
        raise ValueError(f"settings ({settings}) are for nets; give a program its options in its command line: {text}")
    return ProgramPlayer(command)


def _names() -> tuple[str, ...]:
    from goengine.evaluators import shipped_nets

    return (*shipped_nets.names(), "uniform", "lee")


def _parts(text: str) -> tuple[str, str] | None:
    from goengine.evaluators.load import parts

    return None if text == "lee" else parts(text)


def _net(text: str) -> str | None:
    """The net or nets that a text names, paths as absolute ones; None: it names none. Raises ValueError for a missing file."""
    if text in (*_names(), ""):
        return text or None
    if (both := _parts(text)) is not None:
        policy = _net(both[0]) if both[0] else ""
        value = None if policy is None else _net(both[1]) if both[1] else ""
        return None if value is None else f"{policy}+{value}"
    path = Path(text).expanduser()
    # os.path, as a command line may be longer than any name of a file, which pathlib takes for an error.
    if text and (os.path.isdir(path) or (path.suffix in _FILES and os.path.isfile(path))):
        return str(path.absolute())
    if path.suffix in _FILES and len(text.split()) == 1:
        raise ValueError(f"there is no file {path}; nets that come with the engine: {', '.join(_names())}")
    return None


def _with_settings(net: str, text: str) -> NetPlayer:
    values = search_settings.pairs(text)
    preset = values.pop("preset", None)
    base = MATCH if preset is None else search_settings.preset(preset).with_(**_SOBER)
    for name in values:
        if name not in OWN and name not in search_settings.KINDS:
            known = ", ".join((*OWN, "preset", *search_settings.KINDS))
            raise ValueError(f"unknown setting '{name}'; possible: {known}")
    params = search_settings.changed(base, {name: text for name, text in values.items() if name in search_settings.KINDS})
    own: dict[str, Any] = {
        name: search_settings.convert(name, values[name], kind) for name, kind in OWN.items() if name in values
    }
    return NetPlayer(net, params, **own)
