"""A review in an SGF: what it adds, that nothing else changes, and that it can be taken out and written anew."""

import re

import pytest
from sgfmill import sgf

from goengine.analysis.batch import BatchAnalysis
from goengine.board import coords
from goengine.dataio.sgf import read_game
from goengine.dataio.sgf_edit import scan
from goengine.dataio.sgf_tree import main_line
from goengine.player.net_source import NetSource
from goengine.review.annotate import annotated, without_review
from goengine.review.reviewer import Reviewer, ReviewSettings

# Black wastes moves on the first line: mistakes for any net. With variations, comments, properties that nobody knows.
BLUNDERS = (
    b"junk (;GM[1]FF[4]SZ[9]KM[7]RU[Chinese]XX[a\\]b][c]\n C[A comment \\] with [ brackets\r\n\r\n];B[ee]BL[12.5]\n"
    b";W[ge](;B[aa]C[why?](;W[gc];B[ia](;W[cc];B[ai];W[cg]N[end])(;W[ai]))(;W[dd]YY[keep]))(;B[gf];W[hf]))\n trailing"
)
PLAIN = b"(;SZ[9]KM[7]RU[Chinese];B[ee];W[ge];B[aa];W[gc];B[ia];W[cc])"
JUDGED = b"(;SZ[9]KM[7]RU[Chinese];B[ee];W[ge];B[aa]TE[1]LB[aa:1]HO[1]SBKV[12];W[gc];B[ia]C[];W[cc])"
TWO_IN_A_NODE = b"(;SZ[9]KM[7]RU[Chinese]B[ee];W[ge]B[aa];W[gc];B[ia];W[cc])"


@pytest.fixture(scope="module")
def reviewer():
    with BatchAnalysis(NetSource(threads=1, by_key=True)) as analysis:
        yield Reviewer(analysis, ReviewSettings(visits=24))


@pytest.fixture(scope="module")
def reviewed(reviewer):
    known = {}

    def review(text):
        if text not in known:
            known[text] = reviewer.review(read_game(text))
        return known[text]

    return review


@pytest.mark.parametrize("text", [BLUNDERS, PLAIN, JUDGED, TWO_IN_A_NODE])
def test_taken_out_again_the_file_is_as_it_was(text, reviewed):
    review = reviewed(text)
    assert any(move.mistake for move in review.reviewed)
    once = annotated(text, review)
    assert once != text
    expected = text.replace(b"SBKV[12]", b"")  # another program's, which ours replaces
    assert without_review(once) == expected


@pytest.mark.parametrize("text", [BLUNDERS, PLAIN, JUDGED, TWO_IN_A_NODE])
def test_reviewed_twice_it_is_as_reviewed_once(text, reviewed):
    once = annotated(text, reviewed(text))
    assert annotated(once, reviewed(text)) == once
    assert read_game(once).moves == read_game(text).moves


def test_what_others_wrote_is_kept_as_it_is(reviewed):
    once = annotated(BLUNDERS, reviewed(BLUNDERS))
    for part in (
        b"junk (;",
        b"XX[a\\]b][c]\n",
        b"BL[12.5]",
        b"YY[keep]",
        b"(;B[gf];W[hf])",
        b"N[end]",
        b"\n trailing",
        b"C[why?",
    ):
        assert part in once


def test_each_move_has_its_numbers_and_a_mistake_the_better_line(reviewed):
    review = reviewed(PLAIN)
    once = annotated(PLAIN, review)
    nodes = main_line(once)
    for move in review.moves:
        node, black = nodes[move.number], review.black(move.number)
        assert float(node["SBKV"][0]) == pytest.approx(100 * black.winrate, abs=0.01)
        assert float(node["SBKS"][0]) == pytest.approx(black.lead, abs=0.01)
    bad = review.moves[2]
    better = coords.to_gtp(bad.best.point, 9)
    assert bad.mistake and re.search(
        rf"B lost .+: {better} was better \(win rate \d+ % instead of \d+ %\)", nodes[3]["C"][0].decode()
    )
    assert any(name in nodes[3] for name in ("BM", "DO"))
    assert nodes[3]["LB"][0].endswith(b":A")
    game = sgf.Sgf_game.from_bytes(once)
    before = game.get_main_sequence()[2]
    assert len(before) == 2
    assert before[1].get_move()[0] == "b" and before[1].get_move()[1] is not None
    assert [child.get_move()[0] for child in game.get_main_sequence_below(before[1])][:1] == ["w"]


def test_what_a_person_has_judged_is_not_judged_again(reviewed):
    node = main_line(annotated(JUDGED, reviewed(JUDGED)))[3]
    assert node["TE"] == [b"1"] and node["LB"] == [b"aa:1"] and node["HO"] == [b"1"] and not {"BM", "DO"} & set(node)
    assert len(node["SBKV"]) == 1 and node["SBKV"] != [b"12"]


def test_a_comment_that_somebody_added_to_ours_stays(reviewed):
    once = annotated(PLAIN, reviewed(PLAIN))
    place = once.index(b"C[goengine: ", once.index(b";B[ee]")) + 2
    changed = once[:place] + b"my own words\r\n\r\n" + once[place:]
    assert main_line(without_review(changed))[1]["C"] == [b"my own words"]


def test_without_variations_only_nodes_change(reviewed):
    once = annotated(PLAIN, reviewed(PLAIN), variations=False)
    assert once.count(b"(;") == 1
    assert without_review(once) == PLAIN


def test_a_mark_cannot_make_us_delete_moves():
    text = b"(;SZ[9];B[ee]XGOENGINE[B W AB];W[cc])"
    assert without_review(text) == b"(;SZ[9];B[ee];W[cc])"


@pytest.mark.parametrize("depth", [1000, 3000])
def test_deep_variations_need_no_recursion(depth, reviewed):
    deep = b"(;SZ[9];B[ee](;W[ge])" + b"(;N[d]" * depth + b")" * depth + b")"
    assert len(scan(deep).nodes) == 3
    inside = b"(;SZ[9]" + b"(;C[x]" * depth + b")" * depth + b")"
    assert len(scan(inside).nodes) == depth + 1
    assert without_review(annotated(deep, reviewed(b"(;SZ[9];B[ee];W[ge])"))) == deep
