"""`--generation lee`: which nets and which constants come of what is left out, and which options contradict each other."""

import logging
import os
import subprocess
import sys

import pytest
from gtp_support import ROOT

from goengine.core import options
from goengine.gtp.gtp_options import GtpOptions
from goengine.gtp.log_handler import write_warnings_to
from goengine.gtp.session import Journal
from goengine.player.engine_options import EngineOptions
from goengine.player.generations import Lee
from goengine.search.params import LEE, PLAY, PRESETS
from tests.evaluators.conftest import shipped

ALONE = LEE.with_(rollout_weight=0.0, expansion_threshold=1)  # the nets without rollouts
ROLLOUTS = LEE.with_(rollout_weight=1.0)  # rollouts without a value net


def told(*words: str) -> GtpOptions:
    """The options of a command line."""
    return options.parse(GtpOptions, words)


def lee(text: str = "") -> GtpOptions:
    return told("--generation", "lee", "--threads", "1", *text.split())  # one thread for all: so the machine does not matter


@pytest.mark.parametrize(
    ("words", "nets", "params"),
    [
        ("", "lee+lee", LEE),
        ("--net lee", "lee+lee", LEE),
        ("--net A+B", "A+B", LEE),
        ("--net +B", "+B", LEE),
        ("--net lee+B.xml", "lee+B.xml", LEE),
        ("--lambda 0.3", "lee+lee", LEE.with_(rollout_weight=0.3)),
        ("--lambda 1", "lee+lee", ROLLOUTS),
        ("--lambda 0", "lee+lee", ALONE),
        ("--no-rollouts", "lee+lee", ALONE),
        ("--no-value", "lee+", ROLLOUTS),
        ("--no-policy", "+lee", LEE),
        ("--no-policy --no-value", "+", ROLLOUTS),
        ("--no-policy --no-rollouts", "+lee", ALONE),
        ("--no-policy --lambda 0.25", "+lee", LEE.with_(rollout_weight=0.25)),
        ("--net A+B --no-value", "A+", ROLLOUTS),
        ("--net A+B --no-policy", "+B", LEE),
        ("--net A+B --no-policy --no-value", "+", ROLLOUTS),
        ("--net A+B --no-rollouts", "A+B", ALONE),
        ("--rollouts --value --policy", "lee+lee", LEE),
        ("--search cpuct=3", "lee+lee", LEE.with_(cpuct=3.0)),
        ("--search expansion_threshold=10,leaves=4", "lee+lee", LEE.with_(expansion_threshold=10, leaves=4)),
        ("--lambda 0.3 --search cpuct=3", "lee+lee", LEE.with_(rollout_weight=0.3, cpuct=3.0)),
        ("--no-rollouts --search virtual_loss=1", "lee+lee", ALONE.with_(virtual_loss=1.0)),
        ("--search preset=ZERO,cpuct=2", "lee+lee", PRESETS["ZERO"].with_(cpuct=2.0)),
    ],
)
def test_nets_and_constants_of_what_is_left(words, nets, params):
    """What is left out has no net; rollouts without a value net count for all, and without rollouts leaves grow at once."""
    options = lee(words)
    assert (options.nets(), options.search_params()) == (nets, params)


@pytest.mark.parametrize("nets", ["A+", "+", "lee+", "~/A.xml+"])
def test_a_value_net_may_be_missing_in_the_name(nets):
    assert lee(f"--net {nets}").nets() == nets == lee(f"--net {nets} --no-value").nets()


@pytest.mark.parametrize(
    ("words", "nets", "params"),
    [
        ("", None, PLAY),
        ("--generation zero", None, PLAY),
        ("--net A", "A", PLAY),
        ("--net A+B", "A+B", PLAY),
        ("--net lee --search preset=LEE", "lee", LEE),
    ],
)
def test_without_the_option_nothing_is_changed(words, nets, params):
    """Two nets may be played with other constants, too."""
    options = told(*words.split())
    assert (options.nets(), options.search_params()) == (nets, params)


@pytest.mark.parametrize(("words", "chance"), [("", EngineOptions().resign_winrate), ("--generation lee", 0.1)])
def test_the_first_alphago_resigned_at_a_tenth(words, chance):
    """Whatever else is set of the player stays as it is told."""
    player = told(*words.split(), "--visits", "7", "--level", "3", "--no-resign", "--ponder").player()
    assert player == EngineOptions(visits=7, level=3, resign=False, ponder=True, resign_winrate=chance)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--lambda 0.5", "--lambda goes with --generation lee only"),
        ("--lambda 0", "--lambda goes with --generation lee only"),
        ("--no-rollouts", "--no-rollouts goes with --generation lee only"),
        ("--no-value", "--no-value goes with --generation lee only"),
        ("--no-policy", "--no-policy goes with --generation lee only"),
        ("--generation zero --no-policy --no-value", "--no-value, --no-policy goes with --generation lee only"),
        ("--generation lee --net A", "--net A: the first AlphaGo plays with two nets: --net POLICY+VALUE"),
        ("--generation lee --net uniform", "--net uniform: the first AlphaGo plays with two nets"),
        ("--generation lee --lambda 1.5", "--lambda must be from 0 (the value net alone) to 1 (rollouts alone), not 1.5"),
        ("--generation lee --lambda -0.1", "--lambda must be from 0"),
        ("--generation lee --lambda nan", "--lambda/--rollout-weight: must be finite"),
        ("--generation lee --lambda half", "'half' is not a number"),
        ("--generation master", "--generation"),
        ("--generation lee --search rollout_weight=0", "expansion_threshold: leaves that grow later need rollouts"),
        ("--generation lee --no-rollouts --search expansion_threshold=40", "need rollouts; set rollout_weight"),
        ("--generation lee --lambda 0.5 --no-rollouts", "--lambda weighs rollouts against the value net"),
        ("--generation lee --lambda 0 --no-value", "--lambda weighs rollouts against the value net"),
        ("--generation lee --search gumbel_actions=4", "rollout_weight: rollouts do not go with gumbel_actions"),
    ],
)
def test_contradictions_are_named(capsys, words, said):
    with pytest.raises(SystemExit) as stop:
        told(*words.split())
    assert stop.value.code == 2 and said in capsys.readouterr().err


@pytest.mark.parametrize("name", ["A", "uniform", "A.xml"])
def test_one_net_is_not_enough_for_two(name):
    with pytest.raises(ValueError, match="--net POLICY\\+VALUE"):
        Lee().net(name)


@pytest.mark.parametrize(
    ("threads", "words", "shares"),
    [
        (1, "", (1, 1)),
        (2, "", (1, 1)),
        (8, "", (4, 4)),
        (8, "--no-rollouts", (8, 1)),
        (8, "--no-value --no-policy", (4, 8)),
        (8, "--lambda 0", (8, 1)),
    ],
)
def test_rollouts_and_nets_share_the_threads(threads, words, shares):
    options = told("--generation", "lee", "--threads", str(threads), *words.split())
    assert (options.net_threads(), options.search_params().rollout_threads) == shares


def dialogue(nets, *words, commands):
    """(answers, lines on stderr) of a server that plays small nets of the folder."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "gtp_server.py"), "--generation", "lee", "--threads", "1", "--visits", "2", *words],
        input="\n".join([*commands, "quit", ""]),
        env=os.environ | {"GOENGINE_NETS": str(nets)},
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
    )
    return done.stdout.split("\n\n"), done.stderr.splitlines()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small nets with random weights that have learned 9x9: heads with places, and a value head without."""
    made = tmp_path_factory.mktemp("nets")
    for name, net, planes in (("p", "lee-policy-8", 48), ("v", "lee-value-8", 49), ("any", "c8:r/policy-none", 49)):
        shipped(made, net, name, (f"lee{planes}", planes, 0), sizes=(9,))
    return made


VALUE = "v has learned 7x7 to 11x11 only: on {0}x{0} it is left out, and rollouts, where they are played, give the values alone"
POLICY = "p has learned 2x2 to 11x11 only: on {0}x{0} it is left out, and the tree policy gives the priors"
BLIND = "no value net knows {0}x{0} and no rollouts are played"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--net p+v", [(VALUE, 5), (POLICY, 13), (VALUE, 13)]),
        ("--net p+any", [(POLICY, 13)]),
        ("--net +v --no-rollouts", [(VALUE, 5), (BLIND, 5), (VALUE, 13), (BLIND, 13), (BLIND, 13), (BLIND, 5)]),
        ("--net +v --no-rollouts --quiet", [(BLIND, 5), (BLIND, 13), (BLIND, 13), (BLIND, 5)]),
    ],
)
def test_nets_that_do_not_fit_the_board_are_named_once(folder, words, said):
    """On stderr, at the start or with the size, and the server plays on. Being blind is said at every size, quiet or not."""
    commands = ["boardsize 9", "boardsize 5", "boardsize 13", "clear_board", "boardsize 13", "boardsize 5", "genmove b"]
    answers, lines = dialogue(folder, "--boardsize", "9", *words.split(), commands=commands)
    assert len(answers) == 9 and all(answer.startswith("=") for answer in answers[:-1]) and answers[-1] == ""
    found = [line for line in lines if " has learned " in line or " knows " in line]
    assert len(found) == len(said), lines
    for line, (text, size) in zip(found, said, strict=True):
        assert line.startswith(f"goengine: {text.format(size)}")


@pytest.mark.parametrize(("quiet", "shown"), [(True, ["an error"]), (False, ["a warning", "an error"])])
def test_warnings_of_the_engine_go_to_the_journal(tmp_path, capsys, quiet, shown):
    """Once, whatever sessions there were before; the file has them in a quiet session, too."""
    for name in ("before", "now"):
        journal = Journal(tmp_path / name, quiet)
        write_warnings_to(journal)
    log = logging.getLogger("goengine.evaluators.load")
    log.info("a remark")
    log.warning("a %s", "warning")
    log.error("an error")
    journal.close()
    assert capsys.readouterr().err.splitlines() == [f"goengine: {text}" for text in shown]
    assert [line[20:] for line in (tmp_path / "now").read_text().splitlines()] == ["-- a warning", "!! an error"]
    assert (tmp_path / "before").read_text() == ""
