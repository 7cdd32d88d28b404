"""Counting finished games, against results that are right or wrong."""

import json

from training import cli

WALLS = [(color, f"{column}{row}") for row in "abcdefghi" for color, column in (("B", "e"), ("W", "f"))]


def game(result: str) -> str:
    """Two walls on 9x9 under Japanese rules: Black has 36 points, White 27 and komi."""
    moves = "".join(f";{color}[{place}]" for color, place in WALLS)
    return f"(;GM[1]FF[4]SZ[9]RU[Japanese]KM[6.5]RE[{result}]{moves})\n"


def test_the_count_is_compared_with_the_recorded_result(tmp_path, capsys):
    path = tmp_path / "games.sgf"
    path.write_text(game("B+2.5") + game("W+3.5") + game("B+R") + game("B+3.5"))
    assert cli.main(["count", "--games", str(path), "--net", "uniform", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["wrong"] == ["game 2: W+3.5, counted as B+2.5"] and found["mean_error"] == (0 + 6 + 1) / 3
    assert [found[name] for name in ("games", "exact", "within_one", "wrong_winner")] == [3, 1, 2, 1]


def test_so_many_games_are_counted_as_asked_for(tmp_path, capsys):
    path = tmp_path / "games.sgf"
    path.write_text(game("B+2.5") * 3)
    assert cli.main(["count", "--games", str(path), "--net", "uniform", "--limit", "2"]) == 0
    assert "games          2\nexact          2\n" in capsys.readouterr().out
