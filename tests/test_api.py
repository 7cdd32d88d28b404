"""The public API: every example of docs/python.md runs; texts and numbers mean the same; errors say what was expected."""

import os
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
    for line in re.findall(r"print\(.*\)  # (D4|1 2|\(2, 82\).*)", code):
        assert line in said


def test_all_names_are_there_and_importing_is_light():
    assert all(getattr(goengine, name) is not None for name in goengine.__all__) and len(EXAMPLES) >= 10
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
        (lambda: Engine("uniform").search(Position(5), visits=0), "at least 1"),
        (lambda: read_sgf(b"no game"), "SGF"),
        (lambda: read_sgf(""), "an empty text"),
    ],
)
def test_errors_say_what_was_expected(wrong, expected):
    with pytest.raises(ValueError, match=expected):
        wrong()


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (lambda: Engine(42), r"net: expected .* a Net, an evaluator or None, got 42 \(int\)"),
        (lambda: Engine(goengine.Net), "got <class 'goengine.api.Net'>"),
        (lambda: Engine("uniform", params="PLAY"), "params: expected SearchParams, got 'PLAY'"),
        (lambda: Engine("uniform", seed=None), "seed: expected a whole number"),
        (lambda: Engine("uniform").play(None), r"expected a Position, got None \(NoneType\)"),
        (lambda: Engine("uniform").search("E5"), "expected a Position, got 'E5'"),
        (lambda: Engine("uniform").score([Position(5)]), "expected a Position, got "),
        (lambda: Engine("uniform").search(Position(5), visits="a"), r"visits: expected a whole number, got 'a' \(str\)"),
        (lambda: Engine("uniform").search(Position(5), visits=2.5), "visits: expected a whole number, got 2.5"),
        (lambda: Engine("uniform").search(Position(5), seconds="1"), "seconds: expected a number, got '1'"),
        (lambda: load_net("uniform").evaluate(Position(5)), r"got one Position; write evaluate\(\[position\]\)"),
        (lambda: load_net("uniform").evaluate([Position(5), None]), "item 1 is None"),
        (lambda: load_net("uniform").evaluate(7), r"a list of positions, got 7 \(int\)"),
        (lambda: load_net(42), "net: expected a net's name or path, got 42"),
        (lambda: load_net("uniform", "9"), "size: expected a whole number, got '9'"),
        (lambda: Position("9"), "size: expected a whole number, got '9'"),
        (lambda: Position(9, rules=5), 'rules: expected a name such as "japanese" or Rules, got 5'),
        (lambda: Position(9).play(None), 'point: expected a text such as "E5" or "pass", got None'),
        (lambda: Position(9).play("E5", color=["B"]), 'colour: expected "B" or "W", got'),
        (lambda: Position(9).set_up("E5", [], "B"), r'black: expected a list of points such as \["E5", "C3"\], got \'E5\''),
        (lambda: read_sgf(42), "the path of an SGF file, or SGF as text or bytes, got 42"),
    ],
)
def test_wrong_types_are_named(wrong, expected):
    with pytest.raises(TypeError, match=expected):
        wrong()


def test_stones_are_set_up_by_their_names():
    position = Position(9)
    position.set_up(["E5", "C3"], ("D4",), "W")
    assert (position.stones("B"), position.stones("W"), position.to_play) == ([55, 73], [64], 2)
    before = str(position)
    for black, reason in ((["A1", "A1"], "can stand"), (["pass"], "a pass"), (["K1"], "outside the 9x9 board")):
        with pytest.raises(ValueError, match=reason):
            position.set_up(black, [], "B")
        assert str(position) == before
    position.to_play = "B"
    position.play("E6")
    position.undo()
    drawn = Position.from_diagram(position.to_diagram(), "japanese", "W")
    assert position.to_play == 1 and drawn.stones("B") == [55, 73] and repr(drawn).endswith("W to play>")
    free = Position(9)
    free.place_handicap(["C3", "G7"])
    assert free.handicap == 2 and free.to_play == 2


def test_positions_of_mixed_sizes_come_back_in_order():
    places = [Position(5), Position(9), Position(5), Position(7)]
    places[2].play("C3")
    with load_net("b8c96-rl") as net:
        together = net.evaluate(places)
        for place, position in enumerate(places):
            alone = net.evaluate([position])
            assert together.policy[place].shape == (position.size**2 + 1,) and together.policy[place].dtype == np.float32
            assert np.allclose(together.policy[place], alone.policy[0], atol=0.02)
            assert together.ownership[place].shape == (position.size, position.size)
            assert np.allclose(together.value[place], alone.value[0], atol=0.05)
    assert together.value.dtype == np.float32 and not np.allclose(together.value[0], together.value[2], atol=1e-4)


def test_who_compiles_is_told_once(tmp_path):
    """In a process with an empty cache; the next one finds the kernels and says nothing."""
    code = "from goengine import Position; p = Position(5); p.place_handicap(['C3']); p.play('D3'); print(p.color('D3'))"
    environment = {**os.environ, "GOENGINE_CACHE": str(tmp_path)}
    first, second = (
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True) for _ in "12"
    )
    assert first.stdout == second.stdout == "2\n"
    assert first.stderr.count("Compiling the kernels, once for this version") == 1 and second.stderr == ""


@pytest.mark.parametrize("kind", ["text", "bytes", "path", "path as text"])
def test_games_are_read_from_text_bytes_and_paths(kind, tmp_path):
    text = "\n (;GM[1]CA[GB18030]SZ[5]PB[吴清源];B[cc])"
    data = text.encode("gb18030")
    path = tmp_path / "game.sgf"
    path.write_bytes(data)
    game = read_sgf({"text": text, "bytes": data, "path": path, "path as text": str(path)}[kind])
    assert game.moves == (("B", "C3"),) and game.record.black == "吴清源"


def test_a_net_gives_probabilities_of_legal_moves():
    position = Position(5)
    position.play("C3")
    answer = load_net("b8c96-rl").evaluate([position, Position(5)])
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
