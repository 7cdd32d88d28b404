"""A review by rank: shares of the rank and of a stronger one, typical mistakes and slips, what the stronger would have seen."""

import json
import re
import threading

import pytest

from goengine import features
from goengine.analysis.batch import BatchAnalysis
from goengine.board import coords
from goengine.board.position import Position
from goengine.dataio.records import GameRecord
from goengine.dataio.sgf import read_file, read_game
from goengine.evaluators.uniform import Scripted, flat_evaluation
from goengine.nets import architecture, build, weights_file
from goengine.player.net_source import Given
from goengine.ranks.inputs import LINE
from goengine.review import command
from goengine.review.annotate import annotated, without_review
from goengine.review.by_rank import SEEN, RankedNets, Ranks, ranks_of, typical_and_slips
from goengine.review.page import page
from goengine.review.report import to_json, to_text
from goengine.review.reviewer import GameReview, Reviewer, ReviewSettings
from goengine.sequence.decoder import Decoder
from tests.player.ranked_support import RANK, ranked_policy

SIZE = 5
GOOD, BAD = (coords.to_index(coords.from_gtp(vertex, SIZE), SIZE) for vertex in ("C3", "A1"))
GAME = b"(;SZ[5]KM[0.5]PB[Anna]PW[Bert]BR[15k]WR[3d];B[ae];W[cc];B[dd];W[bb])"
assert LINE == 2 and RANK


def sees(planes, values):
    """The centre is worth a lot to who has it, the corner costs as much."""
    answer = flat_evaluation(len(planes), SIZE)
    flat = planes[:, 1:3].reshape(len(planes), 2, -1)
    answer.value[:] = 0.4 * (flat[:, 0, GOOD] - flat[:, 1, GOOD] - flat[:, 0, BAD] + flat[:, 1, BAD])
    answer.policy[:, GOOD] = 3.0
    return answer


def weak_players_like_corners(planes, values):
    """The corner pleases a 15k, a 3d plays in the centre."""
    answer = flat_evaluation(len(planes), SIZE)
    answer.policy[:, BAD] = -3.0 * 10 * values[:, RANK] / 4
    answer.policy[:, GOOD] = 3.0 * 10 * values[:, RANK] / 4
    return answer


def reviewed(ranks="record", game=GAME, **how) -> GameReview:
    with BatchAnalysis(Given(Scripted(sees))) as analysis:
        settings = ReviewSettings(visits=60, ranks=ranks, **how)
        return Reviewer(analysis, settings, RankedNets(ranked_policy(weak_players_like_corners))).review(read_game(game))


def test_a_mistake_is_typical_of_a_weak_rank_and_a_slip_of_a_strong_one():
    weak, strong = reviewed(), reviewed("3d,3d")
    for review, rank, typical in ((weak, "15k", True), (strong, "3d", False)):
        first = review.moves[0]
        assert first.mistake and first.ranked is not None
        assert (first.ranked.rank, first.ranked.typical) == (rank, typical)
        assert typical_and_slips(review.moves[:1]) == (int(typical), int(not typical))
    assert weak.moves[0].ranked.share > 0.5 > weak.moves[0].ranked.stronger_share + 0.1 or (
        weak.moves[0].ranked.stronger_share < weak.moves[0].ranked.share
    )
    assert weak.moves[0].ranked.stronger == "12k" and weak.moves[1].ranked.rank == "3d"
    assert weak.moves[1].ranked.stronger == "6d"


def test_what_a_stronger_player_would_have_seen():
    review = reviewed(seen="3d")
    move = review.moves[0]
    assert move.ranked.stronger == "3d"
    assert 1 <= len(move.ranked.line) <= SEEN and coords.to_gtp(move.ranked.line[0], SIZE) == "C3"
    assert review.moves[1].ranked.line == ()  # no mistake


def test_on_19x19_the_decoder_says_what_is_seen():
    decoder, position = Decoder(), Position(19)
    position.play(coords.from_gtp("Q16", 19))
    line = RankedNets(ranked_policy(weak_players_like_corners), decoder).continuations([position], [3.0])[0]
    assert line == tuple(step.point for step in decoder.continuation(position, 3.0, 3.0, SEEN)) and len(line) == SEEN
    for point in line:
        position.play(point)


def test_it_stands_in_the_sgf_and_goes_out_again():
    review = reviewed(seen="3d")
    text = annotated(GAME, review).decode()
    assert (
        "15k: " in text and "3d: " in text and "what a 3d would have seen" in text and "a mistake typical of the rank" in text
    )
    assert "mistakes typical of the rank: 1; slips: 0" in text
    assert read_game(text.encode()).moves == read_game(GAME).moves
    assert without_review(text.encode()) == GAME
    assert annotated(text.encode(), review).decode() == text


def test_it_stands_in_table_page_and_json():
    review = reviewed(seen="3d")
    table, html, found = to_text(review), page(review, "a game"), to_json(review)["moves"][0]["by_rank"]
    assert "typical" in table and "15k" in table
    data = json.loads(re.search(r'id="data">(.*?)</script>', html)[1])
    assert data["steps"][1]["seen"]["text"].startswith("3d would have seen: C3")
    assert "a mistake typical of the rank" in data["steps"][1]["rank"] and data["steps"][2]["seen"] is None
    assert (found["rank"], found["stronger"], found["seen"][0], found["typical"]) == ("15k", "3d", "C3", True)
    assert 0 <= found["stronger_share"] < found["share"] <= 1


def test_without_ranks_nothing_is_said_of_them():
    review = reviewed("none")
    assert all(move.ranked is None for move in review.moves)
    assert to_json(review)["moves"][0]["by_rank"] is None and "slip" not in to_text(review)


def test_a_review_that_is_stopped_has_what_was_found():
    stop = threading.Event()
    stop.set()
    with BatchAnalysis(Given(Scripted(sees))) as analysis:
        settings = ReviewSettings(visits=8, ranks="record")
        review = Reviewer(analysis, settings, RankedNets(ranked_policy(weak_players_like_corners))).review(
            read_game(GAME), stop
        )
    assert review.stopped


@pytest.mark.parametrize(
    ("text", "black", "white", "expected", "told"),
    [
        ("record", "5k", "3d", Ranks(-4, 3), ""),
        ("record", "", "3d", Ranks(None, 3), ""),
        ("record", "", "", None, ""),
        ("record", "NR", "1p", None, "no review by the rank NR and 1p"),
        ("record", "30k?", "2345", Ranks(-29, None), "no review by the rank 2345"),
        ("none", "5k", "3d", None, ""),
        ("7k", "5k", "3d", Ranks(-6, -6), ""),
        ("7k, 2d", "", "", Ranks(-6, 2), ""),
        ("7k,", "", "", Ranks(-6, None), ""),
    ],
)
def test_whose_eyes(text, black, white, expected, told):
    record = GameRecord(size=19, moves=(), black_rank=black, white_rank=white)
    assert ranks_of(text, record) == (expected, told)


@pytest.mark.parametrize("words", [["--ranks", "30k?"], ["--ranks", "5k,3d,1d"], ["--ranks", ","], ["--seen", "1p"]])
def test_ranks_that_are_none_are_refused(words, tmp_path, capsys):
    path = tmp_path / "a.sgf"
    path.write_bytes(GAME)
    assert command.main([str(path), "--net", "uniform", "--visits", "4", *words]) == 2
    assert "expected" in capsys.readouterr().err


def test_the_command_reviews_by_rank(tmp_path, capsys):
    chosen = features.get("zero_ranked")
    net = build.build(architecture.parse("b1c8", "zero_ranked", chosen.planes, chosen.globals), 3)
    weights_file.save(tmp_path / "tiny.safetensors", net, net.spec)
    path = tmp_path / "a.sgf"
    path.write_bytes(GAME)
    words = [str(path), "--net", "uniform", "--visits", "4", "--rank-net", str(tmp_path / "tiny.safetensors")]
    assert command.main(words) == 0
    text = (tmp_path / "a-review.sgf").read_text()
    assert "15k: " in text and "6d: " in text
    assert read_file(tmp_path / "a-review.sgf").moves == read_game(GAME).moves
    assert command.main([*words[:-1], "uniform"]) == 2
    assert "say nothing of ranks" in capsys.readouterr().err
