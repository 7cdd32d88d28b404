"""Profiles by text, and what is tuned by rank: stronger ranks are never held to less."""

from itertools import pairwise

import pytest

from goengine.player.engine_options import EngineOptions, OptionError
from goengine.player.rank_style import KNOTS, Profile, parse_profile, profile_name, style_of


@pytest.mark.parametrize(
    ("text", "black", "white"),
    [
        ("12k", -11, -11),
        ("30k", -29, -29),
        ("9d", 9, 9),
        ("rank_5k", -4, -4),
        ("preaz_1d", 1, 1),
        (" RANK_5K_3D ", -4, 3),
        ("5k_3k", -4, -2),
    ],
)
def test_profiles(text, black, white):
    profile = parse_profile(text)
    assert profile == Profile(black, white)
    assert (profile.own(1), profile.other(1), profile.own(2), profile.other(2)) == (black, white, white, black)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "names no rank"),
        ("30k?", "not certain"),
        ("31k", "beyond the scale"),
        ("10d", "beyond the scale"),
        ("1p", "professional"),
        ("NR", "is none"),
        ("5k/3d", "is none"),
        ("rank_", "names no rank"),
        ("rank_5k_3k_1k", "names no rank"),
        ("proyear_1990", "no profiles of professionals by year"),
        ("x" * 1000, "is none"),
    ],
)
def test_what_is_no_profile(text, named):
    with pytest.raises(ValueError, match=named):
        parse_profile(text)
    with pytest.raises(OptionError, match=named):
        EngineOptions(rank=text)


def test_names_are_those_of_katago():
    assert [profile_name(text) for text in ("5k", "rank_5k", "preaz_3d", "")] == ["rank_5k", "rank_5k", "preaz_3d", ""]


def test_stronger_ranks_allow_less():
    styles = [style_of(rank) for rank in range(-29, 10)]
    for weaker, stronger in pairwise(styles):
        assert stronger.temperature <= weaker.temperature and stronger.pikl_lambda <= weaker.pikl_lambda
        assert stronger.resign_turns <= weaker.resign_turns and stronger.resign_share >= weaker.resign_share
    assert style_of(-100) == style_of(KNOTS[0]) and style_of(100) == style_of(KNOTS[-1])


def test_a_rank_and_a_level_exclude_each_other():
    with pytest.raises(OptionError, match="exclude each other"):
        EngineOptions(rank="5k", level=7)
    assert EngineOptions(level=7).with_text("level", "20").with_text("rank", "5k").with_text("rank", "none").rank is None
