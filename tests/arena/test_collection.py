"""A match's games in one file: read back, they are the games of the single files."""

import dataclasses

import pytest

from goengine.arena import match_command
from goengine.arena.collection import check_name, game_files, write_collection
from goengine.dataio import sgf

TEXTS = ("(;GM[1]FF[4]SZ[5]KM[7.5]RE[B+1.5];B[cc];W[bb])", "(;GM[1]FF[4]SZ[5]KM[7.5]RE[W+R];B[dd](;W[cc])(;W[bb]))")


def games_of(paths):
    return [dataclasses.replace(game, source="") for game in sgf.iterate_games(paths)]


def test_games_come_back_in_order(tmp_path):
    for number, text in enumerate(TEXTS):
        (tmp_path / "b-vs-c").mkdir(exist_ok=True)
        (tmp_path / "b-vs-c" / f"game-{number:05}.sgf").write_text(text + "\n")
    path = tmp_path / "kept" / "games.sgfs.xz"
    assert write_collection(tmp_path, path) == 2
    assert games_of([path]) == games_of(game_files(tmp_path))
    assert [game.moves for game in games_of([path])] == [((1, 12), (2, 6)), ((1, 18), (2, 12))]


def test_a_match_writes_it(tmp_path, capsys):
    path = tmp_path / "all.sgfs.xz"
    words = ["--a", "uniform", "--b", "uniform", "--a-name", "one", "--games", "2", "--boardsize", "5", "--visits", "4"]
    assert match_command.main([*words, "--openings", "none", "--sgf", str(tmp_path / "m"), "--collection", str(path)]) == 0
    assert len(games_of([path])) == 2 and games_of([path]) == games_of(game_files(tmp_path / "m"))


def test_a_kept_collection_survives_a_match_whose_single_files_are_gone(tmp_path, capsys):
    folder, path = tmp_path / "m", tmp_path / "m" / "games.sgfs.xz"
    words = ["--a", "uniform", "--b", "uniform", "--a-name", "one", "--boardsize", "5", "--visits", "4", "--openings", "none"]
    words += ["--sgf", str(folder), "--collection", str(path)]
    assert match_command.main([*words, "--games", "2"]) == 0
    kept = path.read_bytes()
    for file in game_files(folder):
        file.unlink()
    for games in ("2", "4"):
        assert match_command.main([*words, "--games", games]) == 2
        assert "2 games have no SGF file, the first" in capsys.readouterr().err and path.read_bytes() == kept


def test_a_name_must_say_what_it_is(tmp_path, capsys):
    with pytest.raises(ValueError, match=r"ends in \.sgfs\.xz"):
        check_name(tmp_path / "games.sgf")
    with pytest.raises(SystemExit):
        match_command.main(["--a", "uniform", "--b", "uniform", "--collection", "games.zip"])
    assert ".sgfs.xz" in capsys.readouterr().err
