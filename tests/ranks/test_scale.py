"""Ranks are read from texts as the scale's table says, whatever people and servers write."""

import math

import pytest

from goengine.ranks.scale import BANDS, RankError, Server, band, parse_rank, rank_name, rank_value, server_of

READ = """
5k -4 | 5 kyu -4 | 5K -4 | 5級 -4 | 5级 -4 | 5급 -4 | ５ｋ -4 | 5-kyu -4 | 18 gup -17 | 十八級 -17 | 二十级 -19 | 30k -29 | 1k 0
3d 3 | 3 dan 3 | 3段 3 | 三段 3 | 3단 3 | 初段 1 | 3D 3 | ３段 3 | 3 Dan 3
1p 9.1 | 9 pro 9.9 | 9d pro 9.9 | プロ九段 9.9 | 职业九段 9.9 | 職業 初段 9.1 | 프로 9단 9.9 | 9 dan pro 9.9 | 9段プロ 9.9
5k* -4 | 3d+ 3 | 3d- 3 | 5k (1830) -4 | 3d [2412] 3 | 5.3k -4.3 | 2.7d 2.7
5k? -4? | 30k? -29? | 3d ? 3? | 31k -29? | 50k -29? | 10d 9? | 12d 9?
"""
NONE = [
    "NR",
    "-",
    "?",
    "??",
    "",
    " ",
    "unranked",
    "guest",
    "2345",
    "1500?",
    "2666.5",
    "0k",
    "0d",
    "51k",
    "13d",
    "10p",
    "0p",
    "5k/3d",
]
NONE += [
    "5k 3d",
    "5",
    "k",
    "k5",
    "d",
    "段",
    "十",
    "十十級",
    "初十段",
    "5k pro",
    "pro 5k",
    "1.5p",
    "-5k",
    "5k5k",
    "1e3k",
    "٣d",
    "x" * 5000,
]
NONE += ["999999999999d", "5k\x00", "Ⅳ", "½k", "five kyu", "5kd", "nan d", "inf k", "\ud800", "5k;", "(5k)", "5k (abc)"]


def readings() -> list[tuple[str, str]]:
    return [tuple(cell.strip().rsplit(" ", 1)) for line in READ.strip().splitlines() for cell in line.split("|")]


@pytest.mark.parametrize(("text", "reading"), readings())
def test_texts_are_read_as_the_table_says(text, reading):
    rank = parse_rank(text)
    assert rank is not None
    assert rank.value == pytest.approx(float(reading.rstrip("?"))) and rank.uncertain == reading.endswith("?")


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_rank_is_none(text):
    assert parse_rank(text) is None
    with pytest.raises(RankError, match="expected 30k to 1k or 1d to 9d"):
        rank_value(text)


@pytest.mark.parametrize("text", ["30k?", "1p", "9p", "31k", "10d", "5k?"])
def test_who_asks_for_a_rank_names_a_certain_one(text):
    with pytest.raises(RankError, match="expected 30k to 1k or 1d to 9d"):
        rank_value(text)


def test_names_and_numbers_belong_together():
    names = [f"{n}k" for n in range(30, 0, -1)] + [f"{n}d" for n in range(1, 10)]
    values = [rank_value(name) for name in names]
    assert values == list(range(-29, 10)) and [rank_name(value) for value in values] == names
    assert [rank_name(parse_rank(f"{n}p").value) for n in range(1, 10)] == [f"{n}p" for n in range(1, 10)]
    assert rank_name(-100) == "30k" and rank_name(0.4) == "1k" and rank_name(0.6) == "1d" and rank_name(100) == "9p"
    with pytest.raises(ValueError, match="not a number"):
        rank_name(math.nan)


def test_bands_divide_the_scale():
    named = {name: band(rank_value(name)) for name in ("30k", "20k", "19k", "15k", "10k", "9k", "5k", "4k", "1k", "1d", "2d")}
    assert list(named.values()) == [BANDS[i] for i in (0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5)]
    assert [band(v) for v in (3, 4, 5, 6, 7, 9, 9.1, 9.9)] == [BANDS[i] for i in (6, 6, 7, 7, 8, 8, 9, 9)]


def test_servers_are_found_in_what_records_say():
    found = [
        server_of(text) for text in ("KGS", "The KGS Go Server at http://www.gokgs.com/", "openstudyroom-KGS", "gnugo-kgs")
    ]
    assert set(found) == {Server.KGS}
    others = ("Fox", "foxwq", "野狐围棋", "Tygem", "gnugo-nngs", "PANDANET-IGS", "go-brasil", "")
    assert [server_of(text) for text in others] == [
        Server.FOX, Server.FOX, Server.FOX, Server.TYGEM, Server.NNGS, Server.NNGS, Server.UNKNOWN, Server.UNKNOWN,
    ]  # fmt: skip
    assert server_of("somewhere", "CyberFox") == Server.FOX
