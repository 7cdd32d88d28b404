"""Openings from chance and from files: what is read, what is refused, and that no two are the same up to symmetry."""

import pytest

from goengine.arena.fixtures import GameSetup
from goengine.arena.openings import OpeningsError, OpeningSource, draw_openings, position_key, usual_plies
from goengine.board import coords
from goengine.board.rules import Rules

TERMS = GameSetup(9, Rules.preset("chinese"))


def named(openings, size=9):
    return [" ".join(coords.to_gtp(p, size) for p in opening) for opening in openings]


def drawn(name, count=10, plies=None, seed=1, terms=TERMS):
    return draw_openings(OpeningSource(str(name), plies), terms, count, seed)


@pytest.mark.parametrize("size, plies", [(19, 8), (9, 4), (9, 2), (5, 2), (3, 1)])
def test_random_openings_are_sensible_and_distinct(size, plies):
    terms = GameSetup(size, Rules.preset("chinese"))
    found = drawn("random", 12, plies, terms=terms)
    distinct = {position_key(opening, terms) for opening in found}
    assert len(found) == 12 and None not in distinct
    assert all(len(opening) == plies for opening in found) or size == 3
    assert len(distinct) == 12 or size < 9
    if size >= 9:
        lines = [min(r, c, size - 1 - r, size - 1 - c) for o in found for r, c in (coords.row_column(p, size) for p in o)]
        assert set(lines) <= {2, 3, 4}


def test_the_same_seed_gives_the_same_and_a_short_list_begins_a_long_one():
    assert drawn("random", 5) == drawn("random", 20)[:5]
    assert drawn("random", 5) != drawn("random", 5, seed=2)


def test_few_openings_begin_again():
    few = drawn("random", 8, plies=1, terms=GameSetup(5, Rules()))
    assert len(few) == 8 and len(set(few)) < 8
    assert drawn("none", 3) == [(), (), ()]


def test_a_text_file(tmp_path):
    path = tmp_path / "openings.txt"
    path.write_text("# first moves\nC3 G7, C7  # a corner\n\nG3 C7 G7\nE5\nc3 g7 g3\n")
    assert named(drawn(path, 2)) == ["C3 G7 C7", "E5"]  # the second and the last are the first one turned
    assert named(drawn(path, 2, plies=1)) == ["C3", "E5"]
    assert named(drawn(path, 5)) == ["C3 G7 C7", "E5", "C3 G7 C7", "E5", "C3 G7 C7"]


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("C3 X", "line 1: 'X' is not a vertex"),
        ("C3\nC3 C3", "line 2: these moves cannot be played"),
        ("C3 T19", "outside the 9x9 board"),
        ("C3 pass", "cannot be played"),
        ("# nothing", "holds no opening that can be played on 9x9"),
    ],
)
def test_bad_files_are_named(tmp_path, text, complaint):
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(OpeningsError, match=f"bad.txt.*{complaint}"):
        drawn(path)


def test_sgf_files_and_folders(tmp_path):
    def game(size, moves):
        return f"(;GM[1]FF[4]SZ[{size}];" + ";".join(moves) + ")"

    collection = [
        game(9, ["B[cc]", "W[gg]", "B[gc]", "W[cg]", "B[ee]"]),
        game(9, ["B[gc]", "W[cg]", "B[cc]", "W[gg]", "B[ff]"]),  # the same four moves, turned
        game(19, ["B[pd]"]),
        game(9, ["B[ee]", "W[]", "B[cc]"]),
        game(9, ["B[dd]", "B[ff]"]),
        "(;rubbish",
    ]
    (tmp_path / "some.sgf").write_text("\n".join(collection))
    assert named(drawn(tmp_path / "some.sgf", 2)) == ["C7 G3 G7 C3", "E5"]
    assert named(drawn(tmp_path, 1, plies=5)) == ["C7 G3 G7 C3 E5"]


def test_sources_and_their_configuration(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("E5")
    first = OpeningSource(str(path)).config()
    path.write_text("E4")
    assert OpeningSource(str(path)).config()["digest"] != first["digest"]
    assert OpeningSource("random", 4).config() == {"name": "random", "plies": 4}
    with pytest.raises(OpeningsError, match=r"No such file.*possible: policy, random, none"):
        OpeningSource("polcy").config()
    with pytest.raises(OpeningsError, match="need a net"):
        drawn("policy")
    with pytest.raises(ValueError):
        OpeningSource("random", -1)
    assert [usual_plies(size) for size in (7, 9, 13, 19)] == [2, 4, 6, 8]
