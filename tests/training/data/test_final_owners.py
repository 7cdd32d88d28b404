"""Who owns what at the end of games: labels from judged records and from shards, and their files."""

import dataclasses

import numpy as np
import pytest

from goengine.core.array_file import RecordError, write_arrays
from goengine.dataio.records import BLACK_WINS, SCORE, WHITE_WINS, GameRecord
from goengine.evaluators.uniform import Uniform
from goengine.player.net_source import Given
from goengine.player.opinion import Opinion
from training.core.owner_options import LabelOptions
from training.data import final_owners
from training.data.final_owners import PASSES, SEKI, FinalOwners, of_records

# Black owns the left, White the right; a White stone is dead on the left, D9 is neutral.
WALLED = """
. X . . X O . O .
. X . . X O . O .
. X X X X O O O O
. . . . X O . . .
. . O . X O . . .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
. . . . X O . . .
"""
# Both sides have stones that share two liberties and have no eye: C6 is neutral, so is C7 (tests/player/diagrams, seki).
SEKI_BOARD = """
. O X . O X .
. O X . O X .
. O X X O X .
. O O O X X .
. . . O X . .
. . . O X . .
. . . O X . .
"""


def record(diagram, margin, rules="Chinese"):
    """A game whose stones are put on the board by moves, and passes by whoever has too few of them."""
    rows = [row.split() for row in diagram.strip().splitlines()]
    size = len(rows)
    places = {symbol: [r * size + c for r in range(size) for c in range(size) if rows[r][c] == symbol] for symbol in "XO"}
    moves = []
    for turn in range(max(map(len, places.values()))):
        for color, symbol in ((1, "X"), (2, "O")):
            moves.append((color, places[symbol][turn] if turn < len(places[symbol]) else size * size))
    outcome = BLACK_WINS if margin > 0 else WHITE_WINS
    return GameRecord(size=size, moves=tuple(moves), komi=0.5, rules=rules, margin=margin, ending=SCORE, outcome=outcome)


def by_hand(diagram, left):
    """The labels: the stones as they stand, and whose the empty points are by column."""
    rows = [row.split() for row in diagram.strip().splitlines()]
    return np.array([[{"X": 1, "O": -1}.get(s, left(r, c)) for c, s in enumerate(row)] for r, row in enumerate(rows)], np.int8)


@pytest.fixture(scope="module")
def opinions():
    return [Opinion(Given(Uniform()), 100, False)]


def labelled(opinions, *records):
    return of_records(records, opinions, 100, lambda *_: None)


def test_a_counted_game_with_a_dead_stone(opinions):
    found, asked = labelled(opinions, record(WALLED, 8.5), record(WALLED, 10.5), ValueError("broken"))
    right = by_hand(WALLED, lambda r, c: 1 if c < 4 else -1)
    right[4, 2] = 1
    assert asked == 2 and list(found) == [9] and len(found[9]) == 1  # the second result is another one
    assert np.array_equal(found[9].owners[0].reshape(9, 9), right)


def test_seki_is_marked(opinions):
    for margin in (-3.5, -4.5):
        found, _ = labelled(opinions, record(SEKI_BOARD, margin))
        if found:
            break
    right = by_hand(SEKI_BOARD, lambda r, c: 0 if c == 3 else -1 if c < 3 else 1)
    for r, c in ((0, 2), (1, 2), (2, 2), (2, 3), (0, 4), (1, 4), (2, 4)):
        right[r, c] *= SEKI
    assert np.array_equal(found[7].owners[0].reshape(7, 7), right)


def test_games_end_with_passes_and_are_drawn_from_their_end(opinions):
    found, _ = labelled(opinions, record(WALLED, 8.5))
    part = found[9]
    moves = part.games.moves[int(part.games.offsets[0]) : int(part.games.offsets[1])]
    assert (moves[-PASSES:] == 81).all() and moves[-PASSES - 1] != 81
    positions = part.positions()
    assert positions.min() >= 0 and positions.max() == len(moves) - 1
    assert (positions >= len(moves) - PASSES).mean() > 0.5


def test_the_file(tmp_path, opinions):
    part = labelled(opinions, record(WALLED, 8.5))[0][9]
    part.save(tmp_path / "9.npz")
    again = FinalOwners.load(tmp_path / "9.npz")
    assert np.array_equal(again.owners, part.owners) and again.games.game(0) == part.games.game(0)
    both = FinalOwners.join([part, again])
    learned, held = FinalOwners.join([both] * 5).divided(0.3)
    assert (len(both), len(learned), len(held)) == (2, 7, 3)
    wrong = dataclasses.replace(part, owners=np.full_like(part.owners, 5))
    wrong.save(tmp_path / "wrong.npz")
    with pytest.raises(RecordError, match=r"wrong.npz: an owner is outside -2 .. 2"):
        FinalOwners.load(tmp_path / "wrong.npz")
    dataclasses.replace(part, owners=part.owners[:, :80]).save(tmp_path / "short.npz")
    with pytest.raises(RecordError, match="not those of its games"):
        FinalOwners.load(tmp_path / "short.npz")
    write_arrays(tmp_path / "other.npz", {}, {"format": "something", "version": 1})
    with pytest.raises(RecordError, match="not of the format"):
        FinalOwners.load(tmp_path / "other.npz")


def test_owners_of_selfplay():
    game = record(WALLED.replace("O . X O", ". . X O"), 8.5)
    known = by_hand(WALLED, lambda r, c: 1 if c < 4 else -1).reshape(-1)
    known[4 * 9 + 2] = 1
    assert final_owners._owners_of_selfplay(game, known) is known
    seki = record(SEKI_BOARD, -3.5)
    told = by_hand(SEKI_BOARD, lambda r, c: 0 if c == 3 else -1 if c < 3 else 1)
    found = final_owners._owners_of_selfplay(seki, told.reshape(-1)).reshape(7, 7)
    assert found[0, 2] == SEKI and found[2, 4] == -SEKI and found[6, 0] == -1 and found[0, 3] == 0


def test_the_command(tmp_path, capsys):
    from training import cli

    column = "abcdefghi"
    moves = "".join(f";B[e{row}];W[f{row}]" for row in column)
    (tmp_path / "games.sgf").write_text(f"(;GM[1]FF[4]SZ[9]RU[Japanese]KM[6.5]RE[B+2.5]{moves})\n")
    words = ["label", "--games", str(tmp_path / "games.sgf"), "--net", "uniform", "--out", str(tmp_path / "labels")]
    assert cli.main(words) == 0 and "1 games" in capsys.readouterr().err
    assert (FinalOwners.load(tmp_path / "labels" / "9.npz").owners[0].reshape(9, 9)[:, 5:] == -1).all()
    assert list(final_owners.by_turns(["ab", "", "cde"])) == ["a", "c", "b", "d", "e"]
    with pytest.raises(ValueError, match="--held-out"):
        LabelOptions(out=tmp_path, shards=(tmp_path,), held_out=1.0)
    with pytest.raises(ValueError, match="--games, --shards"):
        LabelOptions(out=tmp_path)
