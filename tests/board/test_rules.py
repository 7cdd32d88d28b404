"""Rules: presets, spellings, JSON, SGF texts."""

import subprocess
import sys

import pytest

from goengine.board.rules import PRESETS, RuleCode, Rules, RulesError, from_sgf_text, kgs_preset, known_sgf_text

# name, ko, scoring, tax, suicide, button, white handicap bonus, friendly pass, komi
FACTS = """
tromp-taylor       positional   area       none  yes  no   0    no   7.5
chinese            simple       area       none  no   no   N    yes  7.5
chinese-ogs        positional   area       none  no   no   N    yes  7.5
chinese-kgs        positional   area       none  no   no   N    yes  7.5
japanese           simple       territory  seki  no   no   0    no   6.5
korean             simple       territory  seki  no   no   0    no   6.5
stone-scoring      simple       area       all   no   no   0    yes  7.5
aga                situational  area       none  no   no   N-1  yes  7.5
bga                situational  area       none  no   no   N-1  yes  7.5
french             situational  area       none  no   no   N-1  yes  7.5
aga-button         situational  area       none  no   yes  N-1  yes  7.0
new-zealand        situational  area       none  yes  no   0    yes  7.5
ancient-territory  simple       territory  all   no   no   0    no   6.5
goe                positional   area       none  yes  no   0    yes  7.5
"""


@pytest.mark.parametrize("line", FACTS.strip().splitlines())
def test_preset_facts(line):
    name, ko, scoring, tax, suicide, button, bonus, friendly, komi = line.split()
    expected = Rules(ko, scoring, tax, suicide == "yes", button == "yes", bonus, friendly == "yes", float(komi))
    assert Rules.preset(name) == expected


def test_every_preset_has_facts():
    assert {line.split()[0] for line in FACTS.strip().splitlines()} == set(PRESETS)


@pytest.mark.parametrize("text", ["Tromp-Taylor", "tromp_taylor", "TROMP TAYLOR", " tromptaylor ", "tt"])
def test_spellings(text):
    assert Rules.parse(text) == PRESETS["tromp-taylor"]


def test_other_names():
    assert Rules.parse("NZ") == Rules.parse("New Zealand") == PRESETS["new-zealand"]
    assert Rules.parse("ing") == PRESETS["goe"]
    assert kgs_preset("chinese") == PRESETS["chinese-kgs"]
    assert kgs_preset("new_zealand") == PRESETS["new-zealand"]


def test_json_exactly_as_clients_expect():
    expected = (
        '{"friendlyPassOk":true,"hasButton":false,"ko":"SIMPLE","scoring":"AREA","suicide":false,'
        '"tax":"NONE","whiteHandicapBonus":"N"}'
    )
    assert Rules.preset("chinese").to_json() == expected


@pytest.mark.parametrize("name", PRESETS)
def test_round_trips(name):
    rules = PRESETS[name]
    assert Rules.parse(rules.to_json()).with_komi(rules.komi) == rules
    assert Rules.parse(rules.to_compact()).with_komi(rules.komi) == rules
    assert from_sgf_text(rules.to_sgf_text()).with_komi(rules.komi) == rules
    assert Rules.parse(rules.name()).with_komi(rules.komi) == rules


def test_partial_json():
    rules = Rules.parse('{"scoring":"territory"}')
    assert (rules.ko, rules.tax, rules.komi) == ("positional", "seki", 6.5)
    assert Rules.parse('{"ko": "simple", "HASBUTTON": "true"}').has_button


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("foo", "Unknown rules 'foo'"),
        ("", "Unknown rules ''"),
        ('{"komi":6.5}', "komi"),
        ('{"ko":"SPIGHT"}', "SPIGHT".lower()),
        ('{"ko":true}', "rule ko"),
        ('{"ko":["SIMPLE"]}', "rule ko"),
        ('{"suicide":1}', "rule suicide"),
        ('{"size":19}', "size"),
        ('{"ko":', "JSON"),
        ("{" * 5000, "JSON"),
        ('{"scoring":"TERRITORY","hasButton":true}', "hasButton"),
    ],
)
def test_refusals(text, words):
    with pytest.raises(RulesError, match=words.replace("{", r"\{")):
        Rules.parse(text)


def test_unknown_says_what_is_possible():
    with pytest.raises(RulesError) as caught:
        Rules.parse("foo")
    assert str(caught.value).startswith("Unknown rules 'foo'")
    assert "new-zealand" in str(caught.value)


def test_with_rule():
    rules = Rules.preset("chinese").with_rule("ko", "SITUATIONAL").with_rule("suicide", "true")
    assert (rules.ko, rules.suicide, rules.komi) == ("situational", True, 7.5)
    assert rules.with_rule("whiteHandicapBonus", "n-1").white_handicap_bonus == "N-1"
    with pytest.raises(RulesError, match="Unknown rule 'foo'"):
        rules.with_rule("foo", "1")
    with pytest.raises(RulesError, match="SIMPLE"):
        rules.with_rule("ko", "foo")


@pytest.mark.parametrize("komi", [float("nan"), float("inf"), 1e6])
def test_komi_refused(komi):
    with pytest.raises(RulesError, match="komi"):
        Rules().with_komi(komi)


def test_code():
    assert Rules.preset("japanese").code() == RuleCode(ko=0, scoring=1, tax=1, suicide=0, button=0, komi=6.5)
    assert Rules.preset("aga-button").code() == RuleCode(ko=2, scoring=0, tax=0, suicide=0, button=1, komi=7.0)


@pytest.mark.parametrize(("name", "bonus"), [("japanese", 0), ("aga", 3), ("chinese", 4)])
def test_handicap_bonus(name, bonus):
    assert Rules.preset(name).handicap_bonus(4) == bonus
    assert Rules.preset(name).handicap_bonus(0) == Rules.preset(name).handicap_bonus(1) == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Japanese", "japanese"), ("japanese rules", "japanese"), ("Chinese", "chinese"), ("AGA", "aga"), ("NZ", "new-zealand"),
        ("GOE", "goe"), ("Tang (Japanese + group tax)", "ancient-territory"), ("Old Chinese", "stone-scoring"),
        ("中国规则", "chinese"), ("Korean", "korean"), ("", "japanese"), ("???", "japanese"), ('{"x":1}', "japanese"),
    ],
)  # fmt: skip
def test_sgf_texts(text, name):
    assert from_sgf_text(text) == PRESETS[name]


def test_sgf_fallback():
    assert from_sgf_text("", fallback="chinese") == PRESETS["chinese"]
    assert from_sgf_text("koSIMPLEscoreAREAtaxSEKIsui0button1").tax == "seki"


def test_import_is_light():
    code = "import sys, goengine.board.rules; sys.exit('numpy' in sys.modules or 'numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Territory scoring", "japanese"), ("Area scoring", "chinese"), ("scoring", None), ("playing", None),
        ("Imaginary", None),
        ("Ing", "goe"), ("Ing's SST", "goe"), ("GOE-Ing", "goe"), ("aga rules", "aga"), ("New_Zealand", "new-zealand"),
        ("Chinese, pair go", "chinese"), ("", None), ("Nothing", None),
    ],
)  # fmt: skip
def test_sgf_words_stand_alone(text, name):
    assert known_sgf_text(text) == (PRESETS[name] if name else None)
