"""Pictures of ratings: what is written into them, and what happens where they cannot be drawn."""

import builtins
import itertools
from xml.etree import ElementTree

import pytest

from goengine.arena import picture
from goengine.arena.strength.elo import Score
from goengine.arena.strength.ratings import rate

RATINGS = rate({("strong", "middle"): Score(15, 0, 5), ("middle", "weak & odd"): Score(20, 0, 0)}, anchor="middle")


@pytest.fixture(autouse=True, scope="module")
def needs_matplotlib():
    pytest.importorskip("matplotlib")


def texts(path):
    return ["".join(element.itertext()) for element in ElementTree.parse(path).iter() if element.tag.endswith("text")]


def test_a_picture_of_ratings_names_everybody(tmp_path):
    path = tmp_path / "ratings.svg"
    picture.draw_ratings(RATINGS, path, title="A league", anchor="middle")
    written = texts(path)
    assert {"A league", "strong", "middle", "weak & odd", "Elo relative to middle, with 95 % intervals"} <= set(written)
    assert f"{RATINGS[0].elo:+.0f}" in written
    assert "75 % of 20" in written
    assert [file.name for file in tmp_path.iterdir()] == ["ratings.svg"]


def test_the_same_picture_is_the_same_file(tmp_path):
    picture.draw_ratings(RATINGS, tmp_path / "a.svg")
    picture.draw_ratings(RATINGS, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_curve_as_png(tmp_path):
    path = tmp_path / "curve.png"
    curve = picture.Curve("b4c64", (100, 200, 400), (0, 150, 280), (-40, 110, 240), (40, 190, 320))
    picture.elo_curve([curve], path, xlabel="visits per move", log=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_one_player_can_be_drawn(tmp_path):
    picture.draw_ratings(rate({}, names=["alone"]), tmp_path / "one.svg", anchor="alone")
    assert "no games" in texts(tmp_path / "one.svg")


def test_what_cannot_be_drawn_is_said(tmp_path):
    with pytest.raises(picture.PictureError, match=r"\.svg or \.png"):
        picture.draw_ratings(RATINGS, tmp_path / "ratings.gif")
    with pytest.raises(picture.PictureError, match="cannot be written"):
        picture.draw_ratings(RATINGS, tmp_path / "no" / "folder.svg")
    with pytest.raises(ValueError, match="no ratings"):
        picture.draw_ratings([], tmp_path / "ratings.svg")
    with pytest.raises(ValueError, match="no curves"):
        picture.elo_curve([], tmp_path / "ratings.svg", xlabel="x")


def test_without_matplotlib_the_cure_is_named(monkeypatch, tmp_path):
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name.split(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(picture.PictureError, match=r"pip install matplotlib"):
        picture.draw_ratings(RATINGS, tmp_path / "ratings.svg")


def lines_of(results: str) -> list[dict]:
    """Lines of a match: + a won, - b won, = a draw, / no result."""
    winners = {"+": "a", "-": "b", "=": "", "/": ""}
    return [
        {"game": i, "pair": i // 2, "winner": winners[r], "result": "Void" if r == "/" else "B+1"}
        for i, r in enumerate(results)
    ]


def test_a_match_over_time(tmp_path):
    path = tmp_path / "elo.svg"
    picture.match_over_time(lines_of("++-/=+-+++"), path, names={"a": "new & odd", "b": "old"})
    assert {"new & odd above old", "games", "Elo"} <= set(texts(path))
    picture.match_over_time(lines_of("//"), tmp_path / "none.svg", names={"a": "x", "b": "y"})
    assert not (tmp_path / "none.svg").exists()


def test_a_tournament_over_time(tmp_path):
    path = tmp_path / "over-time.svg"
    games = {("a", "b"): lines_of("++-+"), ("b", "c"): lines_of("+"), ("a", "c"): []}
    picture.tournament_over_time(games, path, anchor="b")
    assert {"a", "b", "c", "games"} <= set(texts(path))
    picture.tournament_over_time({("a", "b"): []}, tmp_path / "none.svg")
    assert not (tmp_path / "none.svg").exists()


SCALES = [
    picture.Scale("ours", {"full": (100.0, 0.0, 200.0), "half": (90.0, -20.0, 200.0), "Zero": (-300.0, -700.0, 100.0)}),
    picture.Scale("theirs", {"half": (2416.0, 2416.0, 2416.0), "full": (2890.0, 2890.0, 2890.0)}),
]


def test_scales_side_by_side(tmp_path):
    """Everybody is named with his rating on each scale that has him; the numbers of one scale mean nothing on another."""
    picture.draw_scales(SCALES, tmp_path / "a.svg", title="Which order?")
    assert sorted(texts(tmp_path / "a.svg")) == sorted(
        ["full  100", "half  90", "Zero  −300", "2,890  full", "2,416  half", "ours", "theirs", "Which order?"]
    )
    for wrong in ([], [SCALES[0], picture.Scale("none", {})]):
        with pytest.raises(ValueError, match="no ratings"):
            picture.draw_scales(wrong, tmp_path / "b.svg")


@pytest.mark.parametrize("heights", [[0.5], [0.0, 1.0], [0.2] * 6, [0.0, 0.01, 0.02, 0.5, 0.55, 1.0], [0.1, 0.17, 0.18, 0.19]])
def test_no_text_stands_over_another(heights):
    """Their order and their middle stay, and who has room is not moved."""
    found = picture._apart(heights)
    assert all(b - a >= picture._LABEL - 1e-9 for a, b in itertools.pairwise(found))
    assert sum(found) == pytest.approx(sum(heights))
    if all(b - a >= picture._LABEL for a, b in itertools.pairwise(heights)):
        assert found == pytest.approx(heights)
