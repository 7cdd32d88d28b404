"""The public API: every example of docs/python.md runs; texts and numbers mean the same; errors say what was expected."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import goengine
from goengine import Engine, Position, Rules, api, load_net, read_sgf

DOCS = Path(__file__).resolve().parent.parent / "docs" / "python.md"
EXAMPLES = re.findall(r"## ([^\n]+)\n\n```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("code", [code for _, code in EXAMPLES], ids=[title for title, _ in EXAMPLES])
def test_examples_run(code, capsys):
    exec(compile(code, "docs/python.md", "exec"), {})
    said = capsys.readouterr().out
    assert "print(" not in code or said
    for line in re.findall(r"print\(.*\)  # (D4|\(2, 82\).*)", code):
        assert line in said


def test_all_names_are_there_and_importing_is_light():
    assert all(getattr(goengine, name) is not None for name in goengine.__all__) and len(EXAMPLES) >= 9
    code = "import sys, goengine; assert not {'numpy', 'numba', 'openvino'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'Tree'"):
        _ = goengine.Tree


def test_texts_and_numbers_mean_the_same():
    words, numbers = Position(9, "japanese"), Position(9, Rules.parse("japanese"))
    words.play("E5", "B")
    numbers.play(4 * 10 + 10 + 5, 1)
    assert str(words) == str(numbers) and words.stones("B") == numbers.stones(1) == [55]
    assert words.why_illegal("E5") == "occupied" and words.color("E5") == 1 and repr(words).endswith("W to play>")
    twin = words.copy()
    twin.play("pass")
    assert isinstance(twin, Position) and len(words.moves) == 1


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (lambda: Position(9).play("E5", "green"), 'expected "B" or "W"'),
        (lambda: Position(9).play("Z1"), "outside the 9x9 board"),
        (lambda: Position(9).play(5000), 'such as "E5"'),
        (lambda: Position(30), "2 .. 25"),
        (lambda: load_net("uniform").evaluate([]), "one or more positions"),
        (lambda: load_net("uniform").evaluate([Position(5), Position(7)]), r"sizes \[5, 7\]"),
        (lambda: Engine("uniform").search(Position(5), visits=0), "at least 1"),
        (lambda: read_sgf(b"no game"), "SGF"),
    ],
)
def test_errors_say_what_was_expected(wrong, expected):
    with pytest.raises(ValueError, match=expected):
        wrong()


def test_a_net_gives_probabilities_of_legal_moves():
    position = Position(5)
    position.play("C3")
    answer = load_net("b5c48-zero").evaluate([position, Position(5)])
    assert np.allclose(answer.policy.sum(axis=1), 1, atol=1e-5) and answer.policy[0, 12] == 0 < answer.policy[1, 12]
    assert not np.allclose(answer.value[0], answer.value[1]) and answer.ownership.shape == (2, 5, 5)


def test_a_search_names_its_moves():
    found = Engine("uniform", seed=1).search(Position(5), visits=40)
    assert found.visits >= 40 and found.move == found.moves[0].move == found.moves[0].pv[0]
    assert found.moves[0].visits > 0 and 0 <= found.winrate <= 1


def test_a_finished_board_is_counted():
    position = Position(5, Rules.parse("chinese").with_komi(0.5))
    for number, move in enumerate(("C1", "D1", "C2", "D2", "C3", "D3", "C4", "D4", "C5", "D5", "pass", "pass")):
        position.play(move, "BW"[number % 2])
    with pytest.raises(ValueError, match="over"):
        Engine("uniform").search(position)
    assert Engine("uniform", seed=1).score(position) == 15 - 10 - 0.5


def test_a_net_is_loaded_once_for_a_size(monkeypatch):
    sizes = []
    monkeypatch.setattr(api, "load_net", lambda name, size: sizes.append(size) or load_net(name, size))
    engine = Engine("uniform", seed=1)
    for size in (5, 5, 7):
        engine.score(Position(size))
        engine.search(Position(size), visits=2)
    assert sizes == [5, 7]


def test_a_game_is_walked_through():
    game = read_sgf(b"(;GM[1]SZ[5]KM[3.5]AB[aa][ba]PL[W];W[cc];B[dd])")
    assert game.moves == (("W", "C3"), ("B", "D2"))
    seen = [(len(position.moves), position.to_play, played) for position, played in game.positions()]
    assert seen == [(0, 2, "C3"), (1, 1, "D2"), (2, 2, None)]
