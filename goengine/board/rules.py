"""The rules of a game as one frozen value, and every way they are written.

Knows: the rule settings that programs exchange (ko, scoring, tax, suicide, button, handicap bonus, friendly pass, komi),
the presets with their names, and their text, JSON and SGF forms. The facts of the presets and the JSON keys follow KataGo
(https://lightvector.github.io/KataGo/rules.html), because clients send and compare exactly these.
Does not know: boards, legality or counting. It imports neither numpy nor numba, so that a server starts fast.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

KO_SIMPLE, KO_POSITIONAL, KO_SITUATIONAL = 0, 1, 2
SCORING_AREA, SCORING_TERRITORY = 0, 1
TAX_NONE, TAX_SEKI, TAX_ALL = 0, 1, 2

KO_RULES = ("simple", "positional", "situational")
SCORING_RULES = ("area", "territory")
TAX_RULES = ("none", "seki", "all")
HANDICAP_BONUSES = ("0", "N-1", "N")

MAX_KOMI = 1000.0  # absolute; wider than any board of size 25 can make sense of


class RulesError(ValueError):
    """Rules that do not exist or contradict each other; the message says what would be possible."""


def _member(key: str, value: str, possible: tuple[str, ...]) -> None:
    if value not in possible:
        raise RulesError(f"Unknown value '{value}' for rule {key}; possible: {', '.join(possible).upper()}")


class RuleCode(NamedTuple):
    """The rules as scalars, for compiled kernels."""

    ko: int  # KO_SIMPLE, KO_POSITIONAL, KO_SITUATIONAL
    scoring: int  # SCORING_AREA, SCORING_TERRITORY
    tax: int  # TAX_NONE, TAX_SEKI, TAX_ALL
    suicide: int  # 1: suicide of several stones is legal (one stone never is)
    button: int  # 1: the first to pass takes half a point
    komi: float  # points for White, without any handicap bonus


@dataclass(frozen=True)
class Rules:
    """One rule set. Raises RulesError if a field has an unknown value or the combination is impossible."""

    ko: str = "positional"
    scoring: str = "area"
    tax: str = "none"
    suicide: bool = True
    has_button: bool = False
    white_handicap_bonus: str = "0"
    friendly_pass_ok: bool = False
    komi: float = 7.5

    def __post_init__(self) -> None:
        _member("ko", self.ko, KO_RULES)
        _member("scoring", self.scoring, SCORING_RULES)
        _member("tax", self.tax, TAX_RULES)
        _member("whiteHandicapBonus", self.white_handicap_bonus, HANDICAP_BONUSES)
        if self.has_button and self.scoring != "area":
            raise RulesError("hasButton needs scoring AREA")
        if not math.isfinite(self.komi) or abs(self.komi) > MAX_KOMI:
            raise RulesError(f"komi {self.komi} is not a number from {-MAX_KOMI:g} to {MAX_KOMI:g}")

    @staticmethod
    def preset(name: str) -> Rules:
        """The rule set of that name, in any spelling. Raises RulesError if there is none."""
        rules = PRESETS.get(_ALIASES.get(_plain(name), ""))
        if rules is None:
            raise RulesError(f"Unknown rules '{name.strip()}'; possible: {', '.join(PRESETS)}, or a JSON object")
        return rules

    @staticmethod
    def parse(text: str) -> Rules:
        """A preset's name, a JSON object as `kata-get-rules` prints, or the compact text of an SGF file.

        The komi is the preset's, or the usual one for the scoring: callers keep their own with `with_komi`.
        Raises RulesError if the text is neither, names an unknown key or value, or has a `komi`.
        """
        text = text.strip()
        if text.startswith("{"):
            return _from_json(text)
        return _from_compact(text) or Rules.preset(text)

    def with_komi(self, komi: float) -> Rules:
        """The same rules with this komi."""
        return dataclasses.replace(self, komi=float(komi))

    def with_rule(self, key: str, value: str | bool) -> Rules:
        """The same rules with one setting changed; key and value as in JSON, in any case."""
        name = _JSON_FIELDS.get(_plain(key))
        if name is None:
            raise RulesError(f"Unknown rule '{key}'; possible: {', '.join(_JSON_KEYS.values())}")
        changes: dict[str, Any] = {name: _value(name, value)}
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """Without komi and blanks, keys sorted: what `kata-get-rules` prints."""
        values = {key: getattr(self, name) for name, key in _JSON_KEYS.items()}
        upper = {key: value.upper() if isinstance(value, str) else value for key, value in values.items()}
        return json.dumps(upper, sort_keys=True, separators=(",", ":"))

    def name(self) -> str:
        """The first preset with the same settings (komi aside), or the compact text."""
        for name, rules in PRESETS.items():
            if rules.with_komi(self.komi) == self:
                return name
        return self.to_compact()

    def to_compact(self) -> str:
        """One word such as `koPOSITIONALscoreAREAtaxNONEsui1button0whb0fpok0`, as KataGo writes in RU."""
        return (
            f"ko{self.ko.upper()}score{self.scoring.upper()}tax{self.tax.upper()}sui{int(self.suicide)}"
            f"button{int(self.has_button)}whb{self.white_handicap_bonus}fpok{int(self.friendly_pass_ok)}"
        )

    def to_sgf_text(self) -> str:
        """The value of RU: one of the standard's names where it fits, else the compact text."""
        return _SGF_NAMES.get(self.name(), self.name())

    def code(self) -> RuleCode:
        """The settings that a kernel needs, as scalars."""
        return RuleCode(
            ko=KO_RULES.index(self.ko),
            scoring=SCORING_RULES.index(self.scoring),
            tax=TAX_RULES.index(self.tax),
            suicide=int(self.suicide),
            button=int(self.has_button),
            komi=float(self.komi),
        )

    def handicap_bonus(self, handicap: int) -> int:
        """Points White gets besides komi when Black began with that many handicap stones (fewer than 2: none)."""
        if handicap < 2:
            return 0
        return {"0": 0, "N-1": handicap - 1, "N": handicap}[self.white_handicap_bonus]


_JSON_KEYS = {
    "friendly_pass_ok": "friendlyPassOk",
    "has_button": "hasButton",
    "ko": "ko",
    "scoring": "scoring",
    "suicide": "suicide",
    "tax": "tax",
    "white_handicap_bonus": "whiteHandicapBonus",
}
_FLAGS = ("friendly_pass_ok", "has_button", "suicide")

_CHINESE = Rules(ko="simple", suicide=False, white_handicap_bonus="N", friendly_pass_ok=True)
_CHINESE_SERVER = dataclasses.replace(_CHINESE, ko="positional")
_JAPANESE = Rules(ko="simple", scoring="territory", tax="seki", suicide=False, komi=6.5)
_AGA = Rules(ko="situational", suicide=False, white_handicap_bonus="N-1", friendly_pass_ok=True)

PRESETS: dict[str, Rules] = {
    "tromp-taylor": Rules(),
    "chinese": _CHINESE,
    "chinese-ogs": _CHINESE_SERVER,
    "chinese-kgs": _CHINESE_SERVER,
    "japanese": _JAPANESE,
    "korean": _JAPANESE,
    "stone-scoring": Rules(ko="simple", tax="all", suicide=False, friendly_pass_ok=True),
    "aga": _AGA,
    "bga": _AGA,
    "french": _AGA,
    "aga-button": dataclasses.replace(_AGA, has_button=True, komi=7.0),
    "new-zealand": Rules(ko="situational", friendly_pass_ok=True),
    "ancient-territory": dataclasses.replace(_JAPANESE, tax="all"),
    "goe": Rules(friendly_pass_ok=True),
}

_SGF_NAMES = {
    "chinese": "Chinese",
    "japanese": "Japanese",
    "aga": "AGA",
    "new-zealand": "NZ",
    "goe": "GOE",
    "tromp-taylor": "Tromp-Taylor",
    "chinese-ogs": "chinese-ogs",
}

# What people and servers write in RU, in this order: words, and (Latin letters aside) parts of words. A word that is also
# the end of others, as `ing` of `scoring`, must stand alone.
_SGF_WORDS = (
    (r"tromp", "tromp-taylor"), (r"\blogical\b", "tromp-taylor"), (r"ancient ?territory|group ?tax", "ancient-territory"),
    (r"old ?chinese|stone ?scoring|\bancient\b", "stone-scoring"), (r"new ?zealand|\bnz\b", "new-zealand"),
    (r"chinese|\bchina\b|\bcn\b|中国|中國|数子", "chinese"), (r"japan|nihon|\bjp\b|日本", "japanese"),
    (r"korea|\bkr\b|韩国|韓國|한국", "korean"), (r"\baga\b", "aga"), (r"\bbga\b", "bga"), (r"\bfrench\b", "french"),
    (r"\bing\b|\bgoe\b|应氏|應氏", "goe"), (r"\barea\b", "chinese"), (r"\bterritory\b", "japanese"),
)  # fmt: skip


def _plain(text: str) -> str:
    return re.sub(r"[\s_\-]+", "", text).lower()


_JSON_FIELDS = {_plain(key): name for name, key in _JSON_KEYS.items()}
_ALIASES = {_plain(name): name for name in PRESETS} | {
    "tt": "tromp-taylor", "nz": "new-zealand", "ing": "goe", "jp": "japanese", "cn": "chinese", "kr": "korean",
    "ancientarea": "stone-scoring", "area": "chinese", "territory": "japanese",
}  # fmt: skip


def kgs_preset(name: str) -> Rules:
    """The rule set that KGS means by `chinese`, `aga`, `japanese` or `new_zealand`."""
    plain = _plain(name)
    if plain not in ("chinese", "aga", "japanese", "newzealand"):
        raise RulesError(f"Unknown rules '{name.strip()}'; possible: chinese, aga, japanese, new_zealand")
    return Rules.preset("chinese-kgs" if plain == "chinese" else plain)


def known_sgf_text(text: str) -> Rules | None:
    """The rules that the value of RU means; None where it is empty or says nothing we know."""
    try:
        return Rules.parse(text)
    except RulesError:
        words = re.sub(r"[\W_]+", " ", text).lower()
        return next((PRESETS[preset] for pattern, preset in _SGF_WORDS if re.search(pattern, words)), None)


def from_sgf_text(text: str, fallback: str = "japanese") -> Rules:
    """As `known_sgf_text`, with the preset `fallback` in place of None."""
    return known_sgf_text(text) or Rules.preset(fallback)


def _value(name: str, value: object) -> str | bool:
    """The field's value from a JSON value or a word."""
    key = _JSON_KEYS[name]
    if name in _FLAGS:
        word = str(value).strip().lower()
        if isinstance(value, (bool, str)) and word in ("true", "false"):
            return word == "true"
        raise RulesError(f"Unknown value '{value}' for rule {key}; possible: true, false")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise RulesError(f"Unknown value '{value}' for rule {key}; possible: a text")
    word = str(value).strip()
    return word.upper() if name == "white_handicap_bonus" else word.lower()


def _complete(fields: dict[str, Any]) -> Rules:
    """Rules from some of the fields: the others as in Tromp-Taylor; territory scoring brings its tax and komi."""
    if fields.get("scoring") == "territory":
        fields = {"tax": "seki", "komi": 6.5} | fields
    return Rules(**fields)


def _from_json(text: str) -> Rules:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RulesError(f"Unknown rules '{text}'; the JSON cannot be read: {error}") from None
    fields: dict[str, str | bool] = {}
    for key, value in data.items():
        name = _JSON_FIELDS.get(_plain(key))
        if name is None:
            hint = "set the komi by its own command" if _plain(key) == "komi" else "possible: " + ", ".join(_JSON_KEYS.values())
            raise RulesError(f"Unknown rules key '{key}'; {hint}")
        fields[name] = _value(name, value)
    return _complete(fields)


_COMPACT = re.compile(
    r"ko(simple|positional|situational)score(area|territory)(?:tax(none|seki|all))?(?:sui(0|1))?(?:button(0|1))?"
    r"(?:whb(0|n-1|n))?(?:fpok(0|1))?(?:komi(-?[0-9.]+))?"
)


def _from_compact(text: str) -> Rules | None:
    match = _COMPACT.fullmatch(text.strip().lower())
    if match is None:
        return None
    ko, scoring, tax, suicide, button, bonus, friendly, _ = match.groups()
    fields: dict[str, str | bool] = {"ko": ko, "scoring": scoring}
    if tax is not None:
        fields["tax"] = tax
    for name, flag in (("suicide", suicide), ("has_button", button), ("friendly_pass_ok", friendly)):
        if flag is not None:
            fields[name] = flag == "1"
    if bonus is not None:
        fields["white_handicap_bonus"] = bonus.upper()
    return _complete(fields)
