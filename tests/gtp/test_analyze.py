"""Analysis commands inside this process: what clients ask for is in the lines, in KataGo's order, and nothing else."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from gtp_support import new_protocol

from goengine.board import coords
from goengine.board.state import BLACK
from goengine.evaluators.base import Traits
from goengine.evaluators.uniform import Scripted, flat_evaluation
from goengine.search.params import PLAY, Limits

FLOAT = r"-?\d+\.\d{6}"
SCORES = "utility winrate scoreMean scoreStdev scoreLead scoreSelfplay"
KEYS = f"move visits edgeVisits {SCORES} prior lcb utilityLcb weight order"
VERTEX = r"(?:[A-HJ]\d|pass)"


class Input:
    """Looks ahead for a test: a line is there after a number of looks, and that ends what any input ends."""

    def __init__(self, looks):
        self.looks = looks

    def pending(self):
        self.looks -= 1
        return self.looks < 0

    def wait(self):
        pass

    def abandoned(self):
        return False


@pytest.fixture
def ask(protocol):
    """Send a command; returns (header, lines), or (whole reply, None) where there is no stream."""

    def send(text, looks=20):
        protocol.session.lookahead = Input(looks)
        response = protocol.handle_line(text)
        if response.stream is None:
            return response.reply, None
        lines = []
        response.stream.run(lines.append)
        assert all(line and "\n" not in line for line in lines)
        return response.reply, lines

    send("gogui-play_sequence b C3 w G7 b E5")
    return send


def segments(line):
    """The moves of a report, and what follows the last one."""
    moves = line.removeprefix("info ").split(" info ")
    last, *rest = re.split(r" (?=rootInfo|ownership)", moves[-1])
    return [*moves[:-1], last], rest


def test_plain_report(ask):
    header, lines = ask("7 kata-analyze 10")
    assert header == "=7\n" and lines
    moves, rest = segments(lines[-1])
    assert not rest and moves[0].split(" pv ")[0].split()[::2] == KEYS.split()
    assert re.search(rf" pv {VERTEX}( {VERTEX})*$", moves[0])
    assert [int(re.search(r" order (\d+) ", move)[1]) for move in moves] == list(range(len(moves)))
    assert moves[0].split()[1] == re.search(r" pv (\S+)", moves[0])[1]


def test_everything_at_once(ask):
    flags = "rootInfo true ownership true pvVisits true movesOwnership false"
    _, lines = ask(f"kata-analyze b interval 10 minmoves 3 maxmoves 4 {flags}")
    moves, rest = segments(lines[-1])
    assert 3 <= len(moves) <= 4 and all(re.search(r" pv .* pvVisits( \d+)+$", move) for move in moves)
    assert re.fullmatch(rf"rootInfo visits \d+ utility {FLOAT} winrate {FLOAT} .*", rest[0])
    assert re.fullmatch(rf"ownership( {FLOAT}){{81}}", rest[1])
    owned = list(map(float, rest[1].split()[1:]))
    assert owned[6 * 9 + 2] > owned[2 * 9 + 6], "C3 is Black's, G7 White's, Black is asked about"
    _, lines = ask("kata-analyze w 10 ownership true")
    turned = list(map(float, segments(lines[-1])[1][0].split()[1:]))
    assert turned == pytest.approx([-x for x in owned], abs=0.2)


def test_the_move_played_leads_the_last_report(ask, protocol):
    """Also where it was drawn, here by a low level, if it was searched at all; CGOS gets one report."""
    engine = protocol.session.engine
    engine.configure(replace(engine.options, level=10))
    for command in ("lz-genmove_analyze b 1", "kata-genmove_analyze w 1", "cgos-genmove_analyze b"):
        for _ in range(5):
            _, (*before, report, last) = ask(command)
            engine.undo()
            if command.startswith("cgos"):
                assert not before
                named = [move["move"] for move in json.loads(report)["moves"]]
            else:
                named = re.findall(r"(?:^|info )move (\S+)", report)
            assert named and last.removeprefix("play ") not in named[1:]


def test_avoid_and_allow(ask):
    _, lines = ask("lz-analyze b 10 avoid b C4,D4,E4,pass 1 avoid w A1 3")
    assert not {"C4", "D4", "E4", "pass"} & {move.split()[1] for move in segments(lines[-1])[0]}
    _, lines = ask("kata-analyze allow w C4,D4 1")
    assert {move.split()[1] for move in segments(lines[-1])[0]} <= {"C4", "D4"}


def test_analysis_of_the_other_color_changes_nothing(ask, protocol):
    position = protocol.session.engine.position
    ask("kata-analyze b 10")
    ask("lz-analyze w 10")
    assert protocol.session.engine.position is position and position.to_play == 2 and len(position.moves) == 3


def test_a_move_with_analysis_is_played(ask, protocol):
    _, lines = ask("kata-genmove_analyze w 2147483647 ownership true")
    assert len(lines) >= 2 and lines[0].startswith("info move ") and re.fullmatch(rf"play {VERTEX}", lines[-1])
    assert len(protocol.session.engine.position.moves) == 4
    _, lines = ask("lz-genmove_analyze b")
    assert re.match(rf"info move {VERTEX} visits \d+ winrate \d+ prior \d+ lcb -?\d+ order 0 pv ", lines[0])


def test_cancellable_searches(ask, protocol):
    assert ask("kata-search_analyze_cancellable w 10", looks=3)[1][-1] == "play cancelled"
    assert ask("kata-search_cancellable w", looks=3) == ("= cancelled\n\n", None)
    assert ask("kata-search_analyze w 10", looks=0)[1][-1].startswith("play ")
    assert re.fullmatch(rf"= {VERTEX}\n\n", ask("kata-search w")[0])
    assert re.fullmatch(rf"= {VERTEX}\n\n", ask("reg_genmove w")[0])
    assert len(protocol.session.engine.position.moves) == 3


def test_analysis_after_the_end_still_answers(ask):
    ask("gogui-play_sequence w pass b pass")
    assert ask("kata-analyze w 10")[1]
    assert re.fullmatch(rf"= {VERTEX}\n\n", ask("genmove w")[0])


def test_raw_net(ask):
    text = ask("kata-raw-nn 3")[0]
    assert text.startswith("= symmetry 3\nwhiteWin 0.500000\nwhiteLoss 0.500000\nnoResult ")
    lines = text.split("\n")
    policy = lines[lines.index("policy") + 1 : lines.index("policy") + 10]
    shares = [cell for row in policy for cell in row.split()]
    assert len(shares) == 81 and shares.count("NAN") == 3
    assert float(lines[lines.index("policy") + 10].split()[1]) == pytest.approx(1 / 79, abs=1e-5)
    everything = ask("kata-raw-nn w all")[0]
    assert everything.count("symmetry") == 8 and "\n\n" not in everything[:-2]


@pytest.mark.parametrize(
    "name", ["kata-genmove_analyze 20", "lz-genmove_analyze interval 9", "genmove_analyze", "cgos-genmove_analyze"]
)
def test_the_color_of_a_move_may_be_left_out(ask, protocol, name):
    assert re.fullmatch(rf"play {VERTEX}", ask(name)[1][-1])
    assert protocol.session.engine.position.moves[-1][0] == 2 and len(protocol.session.engine.position.moves) == 4


def test_no_move_is_shown_where_none_is_wanted(ask):
    _, lines = ask("kata-search_analyze maxmoves 0 rootInfo true")
    assert len(lines) >= 2 and all(line.startswith("rootInfo visits ") for line in lines[:-1])
    assert len(ask("kata-search_analyze maxmoves 0")[1]) == len(ask("lz-genmove_analyze maxmoves 0")[1]) == 1
    assert "maxmoves must not be negative" in ask("kata-analyze maxmoves -1")[0]


def test_what_no_report_could_hold_is_refused(ask):
    for key in ("movesOwnership", "movesOwnershipStdev", "ownershipStdev", "noResultValue"):
        for command in ("kata-analyze b 10", "kata-search_analyze w", "kata-genmove_analyze w", "analyze w"):
            reply, lines = ask(f"{command} {key} true")
            assert lines is None and reply.startswith(f"? {key}: ")
            assert ask(f"kata-analyze b 10 {key} false")[1]
    for key in ("ownership", "rootInfo", "pvVisits"):
        assert "go with the kata commands only" in ask(f"lz-analyze b {key} true")[0]


def stones_are_owned(planes, values):
    """Who has a stone owns its point; of the others there is an opinion, too."""
    answer = flat_evaluation(len(planes), planes.shape[-1])
    answer.ownership[:] = np.where(planes[:, 1] > 0, 1, np.where(planes[:, 2] > 0, -1, 0.3)).reshape(len(planes), -1)
    return answer


def test_ownership_of_each_move():
    protocol = new_protocol(Scripted(stones_are_owned, traits=Traits(name="owners", features="zero", ownership_proven=True)))
    wanted = "ownership true ownershipStdev true movesOwnership true movesOwnershipStdev true maxmoves 30 minmoves 30"
    response = protocol.handle_line(f"kata-search_analyze b 1000 {wanted}")
    lines = []
    response.stream.run(lines.append)
    moves = [re.split(r" (?=movesOwnership)", part) for part in lines[0].split("info ")[1:]]
    parts = re.split(r" (?=ownership)", moves[-1].pop())
    moves[-1].append(parts[0])
    assert [part.split()[0] for part in parts[1:]] == ["ownership", "ownershipStdev"]
    for info, owners, stdevs in moves:
        name, visits = info.split()[1], int(info.split()[3])
        mean, spread = list(map(float, owners.split()[1:])), list(map(float, stdevs.split()[1:]))
        assert len(mean) == len(spread) == 81 and all(-1 <= x <= 1 for x in mean) and all(0 <= x <= 1 for x in spread)
        if visits and name != "pass":
            place = coords.to_index(coords.from_gtp(name, 9), 9)
            assert (mean[place], spread[place]) == (pytest.approx(1), pytest.approx(0, abs=1e-3)), "who moves there owns it"
    assert sum(" visits 0 " not in info for info, *_ in moves) > 3 and any("isSymmetryOf" in info for info, *_ in moves)


def test_priors_are_the_nets_own():
    """Also where equivalent moves are left out of the search, and some are forbidden."""

    def script(planes, values):
        answer = flat_evaluation(len(planes), 9)
        answer.policy[:, :40] = 2.0
        return answer

    for command in ("kata-search_analyze w minmoves 82", "kata-analyze w 10 minmoves 82 allow w C3,D4,E4 1", "lz-analyze w 10"):
        protocol = new_protocol(Scripted(script, traits=Traits(name="scripted", features="zero")))
        protocol.handle_line("play b E5")
        protocol.session.lookahead = Input(20)
        lines = []
        protocol.handle_line(command).stream.run(lines.append)
        raw = protocol.handle_line("kata-raw-nn 0").reply.split("policy\n")[1].split()
        scale = 10000 if command.startswith("lz") else 1
        priors = {m[1]: float(m[2]) / scale for m in re.finditer(r"info move (\S+) .*?prior (\S+)", lines[0])}
        for vertex, prior in priors.items():
            index = coords.to_index(coords.from_gtp(vertex, 9), 9) if vertex != "pass" else 82
            assert prior == pytest.approx(float(raw[index]), abs=1e-4)
        assert sum(priors.values()) <= 1.001
    protocol.handle_line("reg_genmove w")
    tree = protocol.handle_line("goengine-search_tree").reply
    assert sum(float(x) for x in re.findall(r" prior (\S+)", tree)) <= 1.001


def test_an_analysis_goes_on_where_the_tree_is_full():
    """The last report has many times the visits that the tree has room for."""
    protocol = new_protocol(params=PLAY.with_(max_nodes=500))
    protocol.session.lookahead = Input(2000)
    lines = []
    protocol.handle_line("kata-analyze b 1 rootInfo true").stream.run(lines.append)
    assert int(re.search(r"rootInfo visits (\d+)", lines[-1])[1]) > 5 * 500


def test_wide_root_noise_makes_an_analysis_look_at_more_moves(ask, protocol):
    """And play is as without it; a search that was wide is forgotten."""

    def script(planes, values):
        answer = flat_evaluation(len(planes), 9)
        answer.policy[:, :3] = 12.0
        return answer

    protocol = new_protocol(Scripted(script, traits=Traits(name="scripted", features="zero")))
    protocol.handle_line("gogui-play_sequence b C3 w D7")
    engine = protocol.session.engine
    counts, moves = [], []
    for width in (0.0, 0.2, 1.0, 0.0):
        protocol.handle_line(f"kata-set-param analysisWideRootNoise {width}")
        result = engine.analyze(BLACK, Limits(visits=400))
        counts.append(sum(move.visits > 0 for move in result.moves))
        moves.append([(m.point, m.visits) for m in engine.choose(BLACK).search.moves])
    assert counts[0] == counts[3] < counts[1] < counts[2] and counts[2] > 60, counts
    assert moves[1] == moves[2]


OGS = (
    r"(CHAT|MALKOVICH):Visits (\d*) Winrate (\d+\.\d\d)% ScoreLead (-?\d+\.\d) ScoreStdev (-?\d+\.\d) "
    r"(\(PDA (-?\d+.\d\d)\) )?PV (.*)"
)


def test_a_line_for_each_move_as_gtp2ogs_reads_it(ask, protocol):
    notes = []
    protocol.session.journal.note = notes.append
    ask("genmove w")
    ask("kata-genmove_analyze b 100")
    ask("kgs-genmove_cleanup w")
    assert len(notes) == 3
    for note, (_, point) in zip(notes, protocol.session.engine.position.moves[-3:], strict=True):
        found = re.search(OGS, note)
        assert int(found[2]) == 20 and found[8].split()[0] == coords.to_gtp(point, 9)
        assert re.fullmatch(rf"{VERTEX}( {VERTEX})*", found[8])
