"""KataGo's settings by name, for `-config`, `-override-config` and `overrideSettings`: those that mean something here.

Knows names, values and what each sets; no queries. The list is `NAMES`; docs/analysis.md explains it.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from goengine.analysis.jobs import ANALYSIS, VISITS
from goengine.search.params import SearchParams

PERSPECTIVES: Final = ("SIDETOMOVE", "BLACK", "WHITE")
PV_LENGTH: Final = 15
MOST_VISITS: Final = 2**50
_MOST_SECONDS: Final = 1e20
_MOST_TEXT: Final = 60


class SettingError(ValueError):
    """A setting with a value that it cannot have; the message names both."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a query is answered by, unless it says otherwise."""

    params: SearchParams = ANALYSIS
    visits: int = VISITS
    seconds: float | None = None
    perspective: str = "SIDETOMOVE"
    pv_length: int = PV_LENGTH  # moves after the first
    handicap_by_moves: bool = True  # several black moves at the beginning are a handicap
    warn_unused: bool = True  # a warning for each unknown field of a query
    trees: int | None = None  # positions in work at once; only at the start
    rows: int | None = None  # positions in a batch; only at the start


# What a value becomes, and where it goes. The second is a field of `SearchParams`.
_PARAMS: Final[Mapping[str, str]] = {
    "cpuctExploration": "cpuct",
    "cpuctExplorationLog": "cpuct_log",
    "cpuctExplorationBase": "cpuct_base",
    "cpuctUtilityStdevScale": "cpuct_stdev_scale",
    "cpuctUtilityStdevPrior": "cpuct_stdev_prior",
    "cpuctUtilityStdevPriorWeight": "cpuct_stdev_weight",
    "fpuReductionMax": "fpu_reduction",
    "rootFpuReductionMax": "root_fpu_reduction",
    "rootPolicyTemperature": "root_policy_temperature",
    "nnPolicyTemperature": "policy_temperature",
    "rootDesiredPerChildVisitsCoeff": "forced_playouts",
    "wideRootNoise": "wide_root_noise",
    "analysisWideRootNoise": "wide_root_noise",
    "staticScoreUtilityFactor": "static_score",
    "dynamicScoreUtilityFactor": "dynamic_score",
    "dynamicScoreCenterZeroWeight": "dynamic_score_zero",
    "dynamicScoreCenterScale": "dynamic_score_scale",
    "lcbStdevs": "lcb_stdevs",
    "minVisitPropForLCB": "lcb_min_visits",
    "numVirtualLossesPerThread": "virtual_loss",
}


def _number(name: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:  # so written, nan is refused
        raise SettingError(f"{name} must be a number from {low:g} to {high:g}, not '{text[:_MOST_TEXT]}'")
    return value


def _whole(name: str, text: str, low: int, high: int) -> int:
    try:
        value = int(text) if len(text) < 20 else high + 1
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise SettingError(f"{name} must be a whole number from {low} to {high}, not '{text[:_MOST_TEXT]}'")
    return value


def _flag(name: str, text: str) -> bool:
    try:
        return {"true": True, "false": False}[text.strip().lower()]
    except KeyError:
        raise SettingError(f"{name} must be true or false, not '{text[:_MOST_TEXT]}'") from None


def _perspective(name: str, text: str) -> str:
    word = text.strip().upper()
    if word not in PERSPECTIVES:
        raise SettingError(f"{name} must be {', '.join(PERSPECTIVES)}, not '{text[:_MOST_TEXT]}'")
    return word


def _param(settings: Settings, **changes: Any) -> Settings:
    return dataclasses.replace(settings, params=settings.params.with_(**changes))


def _search_param(settings: Settings, name: str, text: str) -> Settings:
    value = _number(name, text, 0.0, 1e6)
    try:
        return _param(settings, **{_PARAMS[name]: value})
    except ValueError as error:
        raise SettingError(str(error).replace(_PARAMS[name], name)) from None


def _playouts(settings: Settings, name: str, text: str) -> Settings:
    """A search begins without visits, so that both limits are one."""
    return dataclasses.replace(settings, visits=min(settings.visits, _whole(name, text, 1, MOST_VISITS)))


_Set = Callable[[Settings, str, str], Settings]


def _field(key: str, read: Callable[[str, str], Any]) -> _Set:
    return lambda settings, name, text: dataclasses.replace(settings, **{key: read(name, text)})


_OTHERS: Final[Mapping[str, _Set]] = {
    "maxVisits": _field("visits", lambda name, text: _whole(name, text, 1, MOST_VISITS)),
    "maxPlayouts": _playouts,
    "maxTime": _field("seconds", lambda name, text: _number(name, text, 0.0, _MOST_SECONDS)),
    "reportAnalysisWinratesAs": _field("perspective", _perspective),
    "analysisPVLen": _field("pv_length", lambda name, text: _whole(name, text, 1, 100)),
    "assumeMultipleStartingBlackMovesAreHandicap": _field("handicap_by_moves", _flag),
    "rootSymmetryPruning": lambda settings, name, text: _param(settings, symmetry_pruning=_flag(name, text)),
    "useLcbForSelection": lambda settings, name, text: _param(settings, choice="lcb" if _flag(name, text) else "visits"),
    "numSearchThreads": lambda settings, name, text: _param(settings, leaves=min(64, _whole(name, text, 1, 4096))),
    "numSearchThreadsPerAnalysisThread": lambda settings, name, text: _param(
        settings, leaves=min(64, _whole(name, text, 1, 4096))
    ),
}
_AT_START: Final[Mapping[str, _Set]] = {  # of the whole process
    "numAnalysisThreads": _field("trees", lambda name, text: _whole(name, text, 1, 16384)),
    "nnMaxBatchSize": _field("rows", lambda name, text: _whole(name, text, 1, 65536)),
    "warnUnusedFields": _field("warn_unused", _flag),
}
NAMES: Final = (*_OTHERS, *_PARAMS)  # that a query may set
START_NAMES: Final = tuple(_AT_START)


@dataclass(frozen=True)
class Changed:
    """Settings after changes, and the names that mean nothing here."""

    settings: Settings
    unknown: tuple[str, ...] = field(default=())


def changed(settings: Settings, values: Mapping[str, str], *, at_start: bool = False) -> Changed:
    """``settings`` with these values. Raises SettingError if one has a value that it cannot have."""
    known: dict[str, _Set] = {**_OTHERS, **dict.fromkeys(_PARAMS, _search_param), **(_AT_START if at_start else {})}
    unknown = []
    for name, text in values.items():
        if name in known:
            settings = known[name](settings, name, text)
        else:
            unknown.append(name)
    return Changed(settings, tuple(unknown))


def read_pairs(text: str, separator: str = ",") -> dict[str, str]:
    """``name=value`` pairs, as `-override-config` takes them. Raises SettingError if a part is none."""
    found = {}
    for part in filter(None, (part.strip() for part in text.split(separator))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals):
            raise SettingError(f"'{part[:_MOST_TEXT]}' is not a setting; write name=value, several with commas between them")
        found[name] = value
    return found


def read_config(text: str) -> dict[str, str]:
    """The settings of a configuration file of KataGo's: a ``name = value`` on each line, # before remarks."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return read_pairs("\n".join(line for line in lines if not line.startswith("@")), "\n")
