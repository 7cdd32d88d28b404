"""What the features say of diagrams, and that rollouts draw moves with the chances that the features give them."""

import numpy as np
import pytest

from goengine.board import coords
from goengine.board.kernels import fills_eye, is_legal, play
from goengine.board.random import new_generator
from goengine.board.state import BLACK, EMPTY, NONE, PASS, WHITE, copy_board, new_board
from goengine.patterns import candidates, nearby
from goengine.patterns.candidates import DISTANCES, SELF_ATARI, SQUARE, TO_EARLIER, TO_LAST, new_candidates
from goengine.patterns.dictionary import new_dictionary
from goengine.patterns.keys import DIAMOND, diamond_around, diamond_key, fold_diamond, response_key, shape_key, square_key
from goengine.patterns.nearby import ANSWERS, BESIDE, CAPTURED, RESPONSE, SAVES, new_nearby, step_to
from goengine.patterns.policy import COLUMNS, MOST, ROLLOUT, TREE, LinearPolicy, PolicyError, features_of, load, save
from goengine.patterns.rollout import begin_flow, draw_move, new_flow, play_flow, play_rollout
from goengine.patterns.surroundings import play_around, swapped
from tests.patterns.helpers import all_points, board_of, random_game, surveyed


def policy_of(mined, kind=ROLLOUT, seed=1) -> LinearPolicy:
    """A policy of random weights."""
    parts = dict(mined) if kind == TREE else mined | {"diamonds": np.zeros(0, np.uint64)}
    features = features_of(kind, *(len(parts[name]) for name in ("answers", "squares", "diamonds")))
    weights = np.random.default_rng(seed).normal(0, 1, features).astype(np.float16).astype(np.float32)
    return LinearPolicy(kind, **parts, weights=weights)


def near_of(board, around, last, color, known) -> dict[tuple[int, int], set[int]]:
    """Features by (row, column)."""
    near, size = new_nearby(), int(board.info[0])
    nearby.find_nearby(board, around, last, color, known, near)
    found: dict[tuple[int, int], set[int]] = {}
    for i in range(near.count[0]):
        found.setdefault(coords.row_column(int(near.point[i]), size), set()).add(int(near.feature[i]))
    return found


def after(diagram, row, column, color):
    """(board, around, point) after a move on a diagram's board."""
    board = board_of(diagram)
    around, p = surveyed(board), int(coords.point(row, column, int(board.info[0])))
    play_around(board, around, p, color)
    return board, around, p


def saving(board, around, last, color, mined) -> set:
    known = policy_of(mined).patterns().known
    return {place for place, features in near_of(board, around, last, color, known).items() if SAVES in features}


def test_running_saves_and_running_in_vain_does_not(mined):
    board, around, p = after(". . . . .\n. O X . .\n. . O . .\n. . . . .\n. . . . .", 0, 2, WHITE)
    assert saving(board, around, p, BLACK, mined) == {(1, 3)}
    board, around, p = after(". . . . .\n. . . . O\n. . . O X\n. . . . .\n. . . . O", 4, 3, WHITE)
    assert saving(board, around, p, BLACK, mined) == set()  # a chain that was in atari before, beside another move
    board, around, p = after(". . . O O\n. . . . X\n. . . . .\n. . . . .\n. . . . .", 1, 3, WHITE)
    assert saving(board, around, p, BLACK, mined) == {(2, 4)}
    board, around, p = after(". . . O O\n. . . . X\n. . . O .\n. . . . .\n. . . . .", 1, 3, WHITE)
    assert saving(board, around, p, BLACK, mined) == set()


def test_taking_the_attacker_saves(mined):
    board, around, p = after("O X . . .\n. O . . .\n. . . . .\n. . . . .\n. . . . .", 1, 0, BLACK)
    assert (0, 0) not in saving(board, around, p, WHITE, mined)
    board, around, p = after(". X O . .\n. X O X .\n. O X . .\n. . . . .\n. . . . .", 0, 0, WHITE)
    assert saving(board, around, p, BLACK, mined) >= {(0, 3)}  # takes the two stones that hold it


def test_moves_beside_the_last_one(mined):
    board, around, p = after(". . . . .\n" * 5, 2, 2, BLACK)
    known = policy_of(mined).patterns().known
    beside = {place: f - BESIDE for place, fs in near_of(board, around, p, WHITE, known).items() for f in fs if 2 <= f < 10}
    assert beside == {(1, 2): 0, (2, 1): 1, (2, 3): 2, (3, 2): 3, (1, 1): 4, (1, 3): 5, (3, 1): 6, (3, 3): 7}
    assert near_of(board, around, PASS, WHITE, known) == near_of(board, around, NONE, WHITE, known) == {}


def test_answers_come_with_the_common_feature(mined):
    known = policy_of(mined).patterns().known
    seen = 0
    for board, around, last, color in random_game(7, 3, 40):
        for features in near_of(board, around, last, color, known).values():
            answers = [f for f in features if f >= ANSWERS]
            assert (RESPONSE in features) == bool(answers) and len(answers) <= 1
            seen += len(answers)
    assert seen > 20


def test_patterns_are_found_as_if_they_were_folded(mined):
    """Against the definition: a pattern's number is the place of its name in the policy's list."""
    policy, seen = policy_of(mined, TREE), 0
    patterns = policy.patterns()
    squares, diamonds, answers = (getattr(policy, name).tolist() for name in ("squares", "diamonds", "answers"))
    for board, around, last, color in random_game(7, 17, 60):
        table, _ = listed(policy, board, surveyed(board), last, NONE, color)
        s, mine = np.uint64(8), color == BLACK
        for i in range(int(table.count[0])):
            p = np.uint64(table.point[i])
            square = int(square_key(around.code[p] if mine else swapped(around.code[p])))
            diamond = int(diamond_key(np.uint64(diamond_around(around.state, around.code, p, s, mine))))
            for names, name, column, begin in ((squares, square, SQUARE, 0), (diamonds, diamond, candidates.DIAMOND, 2)):
                expected = patterns.begin[begin] + names.index(name) if name in names else -1
                assert table.own[i, column] == expected
        least, which = fold_diamond(np.uint64(diamond_around(around.state, around.code, np.uint64(last), s, mine)))
        found = near_of(board, around, last, color, patterns.known)
        for field in range(DIAMOND):
            place = coords.row_column(last + int(step_to(field, 8)), 7) if field < 8 else None
            name = int(response_key(np.uint64(least), which, field))
            if place in found and BESIDE + field in found[place]:
                assert (name in answers) == (RESPONSE in found[place])
                assert name not in answers or ANSWERS + answers.index(name) in found[place]
                seen += name in answers
    assert seen > 20


def test_places_of_captured_stones(mined):
    board, around, p = after("X X X O .\nO O O O .\n. . . . .\n. . . . .\n. . . . .", 1, 4, BLACK)
    assert around.count[1] == 0
    board, around, p = after(". X X O .\nO O O O .\n. . . . .\n. . . . .\n. . . . .", 0, 0, WHITE)
    pair = np.array([coords.point(0, 1, 5), coords.point(0, 2, 5)], np.uint16)
    shapes = new_dictionary(np.array([shape_key(pair, 2, int(pair[0]), 6)], np.uint64))
    known = policy_of(mined).patterns().known._replace(shapes=shapes)
    places = {place for place, f in near_of(board, around, p, BLACK, known).items() if CAPTURED in f}
    assert around.count[1] == 2 and places == {(0, 1), (0, 2)}  # either end of a pair has the same name


def test_self_atari_is_what_the_board_says():
    counted = set()
    for board, around, _, color in random_game(7, 21, 120):
        for p in all_points(7).tolist():
            if board.color[p] != EMPTY or not is_legal(board, p, color, False):
                continue
            copy = new_board(7)
            copy_board(copy, board)
            stones = int((copy.color == 3 - color).sum())
            play(copy, p, color)
            if stones - int((copy.color == 3 - color).sum()) > 1:
                continue  # captures of several stones count as safe
            found = np.zeros(4, np.uint64)
            liberties = candidates.find_liberties(copy, p, 2, found)
            assert bool(candidates.is_self_atari(board, around, np.uint64(p), color, found)) == (liberties == 1)
            counted.add(liberties)
    assert counted == {1, 2}


def listed(policy, board, around, last, earlier, color):
    """(candidates, their logits by point) as the trainer computes them."""
    patterns, table = policy.patterns(), new_candidates(int(board.info[0]))
    around.count[0] = 0
    for p in all_points(int(board.info[0])).tolist():
        around.changed[around.count[0]] = p
        around.count[0] += 1
    candidates.number_squares(board, around, patterns, table)
    candidates.find_candidates(board, around, last, color, patterns, table)
    if policy.kind == TREE:
        candidates.add_tree_features(board, around, last, earlier, color, patterns, table)
    logits = np.zeros(board.color.size, np.float32)
    candidates.logits(table, COLUMNS[policy.kind], policy.weights, logits)
    count = int(table.count[0])
    return table, dict(zip(table.point[:count].tolist(), logits[:count].tolist(), strict=True))


def test_weights_kept_up_are_those_of_the_features(mined):
    policy = policy_of(mined)
    factors, flow = policy.factors(), new_flow(7)
    board, color, last = new_board(7), BLACK, NONE
    generator = new_generator(5)
    begin_flow(board, flow, factors)
    for _ in range(60):
        _, logits = listed(policy, board, surveyed(board), NONE, NONE, color)
        weights = flow.weight[color - 1]
        for p in all_points(7).tolist():
            if p != board.info[2]:
                assert weights[p] == pytest.approx(np.exp(logits[p]) if p in logits else 0, rel=1e-3)
        assert flow.rows[color - 1, -1] == pytest.approx(weights.sum(), rel=1e-5)
        before = weights.copy()
        move = draw_move(board, flow, factors, last, color, generator)
        assert (flow.weight[color - 1] == before).all()
        assert move == PASS or (is_legal(board, move, color, False) and not fills_eye(board, move, color))
        play_flow(board, flow, factors, move, color)
        last, color = move, 3 - color


def test_moves_are_drawn_by_their_weights(mined):
    policy = policy_of(mined, seed=4)
    factors, flow, drawn = policy.factors(), new_flow(7), 20_000
    *_, (board, around, last, color) = random_game(7, 13, 24)
    _, logits = listed(policy, board, around, last, NONE, color)
    begin_flow(board, flow, factors)
    flow.around.count[1] = 0
    generator = new_generator(1)
    counts = np.bincount([draw_move(board, flow, factors, last, color, generator) for _ in range(drawn)], minlength=100)
    chances = np.zeros(len(counts))
    chances[list(logits)] = np.exp(list(logits.values()))
    chances /= chances.sum()
    deviation = np.sqrt(drawn * chances * (1 - chances)) + 1
    assert (np.abs(counts - drawn * chances) < 5 * deviation).all()


@pytest.mark.parametrize("size", [2, 5, 9, 19])
def test_a_rollout_ends_with_every_point_settled(mined, size):
    factors, flow, board = policy_of(mined).factors(), new_flow(size), new_board(size)
    moves = play_rollout(board, flow, factors, NONE, BLACK, new_generator(3), 6 * size * size)
    assert moves < 6 * size * size or size == 2
    for p in all_points(size).tolist():
        for color in (BLACK, WHITE):
            if board.color[p] == EMPTY and size > 2:
                assert p == board.info[2] or not is_legal(board, p, color, False) or fills_eye(board, p, color)
    again = new_board(size)
    assert play_rollout(again, flow, factors, NONE, BLACK, new_generator(3), 6 * size * size) == moves
    assert (again.color == board.color).all()


def test_distances(mined):
    policy = policy_of(mined, TREE)
    board = board_of(". . . . . . .\n" * 7)
    last, earlier = coords.point(0, 0, 7), coords.point(6, 6, 7)
    table, _ = listed(policy, board, surveyed(board), last, earlier, BLACK)
    begin = policy.patterns().begin[1]
    for i in range(int(table.count[0])):
        row, column = coords.row_column(int(table.point[i]), 7)
        assert table.own[i, TO_LAST] == begin + 1 + max(row + column, 1) - 1
        assert table.own[i, TO_EARLIER] == begin + 1 + DISTANCES + max(12 - row - column, 1) - 1
        assert table.own[i, SELF_ATARI] == -1 and table.own[i, SQUARE] < begin


def test_a_file_keeps_a_policy(tmp_path, mined):
    for kind in (ROLLOUT, TREE):
        policy = policy_of(mined, kind)
        save(policy, tmp_path / "p.npz")
        again = load(tmp_path / "p.npz")
        assert again.kind == kind
        assert all((getattr(again, name) == getattr(policy, name)).all() for name in (*MOST, "weights"))
    with pytest.raises(PolicyError, match="rollouts are played by a rollout policy"):
        again.factors()


def changed(policy, **parts) -> LinearPolicy:
    return LinearPolicy(**{name: getattr(policy, name) for name in ("kind", *MOST, "weights")} | parts)


def test_parts_that_do_not_fit_are_refused(mined, tmp_path):
    policy = policy_of(mined)
    for parts, said in (
        ({"squares": policy.squares[:-1]}, "of other pattern dictionaries"),
        ({"answers": np.append(policy.answers, policy.answers[:1])}, "twice"),
        ({"kind": "other"}, "none of"),
        ({"weights": policy.weights * np.float32("nan")}, "not a number"),
        ({"squares": policy.squares + np.uint64(1 << 24)}, "no 3x3 square"),
        ({"diamonds": mined["diamonds"]}, "no diamonds"),
        ({"shapes": policy.shapes.astype(np.int64)}, "'shapes' are not"),
    ):
        with pytest.raises(PolicyError, match=said):
            changed(policy, **parts)
    path = tmp_path / "p.npz"
    with pytest.raises(PolicyError, match=r"p\.npz"):
        load(path)
    path.write_bytes(b"PK nothing")
    with pytest.raises(PolicyError, match=r"p\.npz"):
        load(path)
    save(policy, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(PolicyError, match=r"p\.npz"):
        load(path)
