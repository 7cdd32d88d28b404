"""Ranks over GTP: KataGo's names of parameters, and the ranked net's raw answers."""

import pytest
from gtp_support import new_protocol

from tests.player.ranked_support import ranked_policy


@pytest.fixture
def ranked():
    return new_protocol(ranked=ranked_policy())


def answer(protocol, line: str) -> str:
    return protocol.handle_line(line).reply.strip()


def test_a_profile_is_set_read_and_unset(ranked):
    assert answer(ranked, "kata-get-param humanSLProfile") == "="
    assert answer(ranked, "kata-get-param humanSLChosenMovePiklLambda") == "= 1e+08"
    for profile in ("rank_5k", "preaz_12k", "rank_5k_3k"):
        assert answer(ranked, f"kata-set-param humanSLProfile {profile}") == "="
        assert answer(ranked, "kata-get-param humanSLProfile") == f"= {profile}"
    assert float(answer(ranked, "kata-get-param humanSLChosenMovePiklLambda")[1:]) < 10
    assert '"usesHumanSLProfile": true' in answer(ranked, "kata-get-models")
    assert answer(ranked, "kata-set-param humanSLProfile") == "="
    assert answer(ranked, "kata-get-param humanSLProfile") == "="
    assert '"humanSLProfile": ""' in answer(ranked, "kata-get-params")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("kata-set-param humanSLProfile proyear_1980", "no profiles of professionals by year"),
        ("kata-set-param humanSLProfile rank_31k", "beyond the scale"),
        ("kata-set-param humanSLProfile rank_1p", "professional"),
        ("kata-set-param humanSLProfile NR", "is none"),
        ("kata-set-param humanSLChosenMoveProp 1.5", "from 0 to 1"),
        ("kata-set-param humanSLChosenMovePiklLambda x", "must be a number"),
        ("kata-set-param humanSLRootExploreProbWeightless 0.5", "can only be 0"),
        ('kata-set-params {"humanSLProfile": "rank_5k", "level": 3}', "exclude each other"),
        ("kata-raw-human-nn 0", "no rank is set"),
    ],
)
def test_what_cannot_be_set_changes_nothing(ranked, line, named):
    assert named in answer(ranked, line)
    assert answer(ranked, "kata-get-param humanSLProfile") == "="


def test_all_of_a_players_parameters_are_set_at_once(ranked):
    values = '{"humanSLProfile": "rank_3d", "humanSLChosenMoveProp": 0.9, "humanSLChosenMoveIgnorePass": true}'
    assert answer(ranked, f"kata-set-params {values}") == "="
    assert answer(ranked, "kata-get-param humanSLChosenMoveProp") == "= 0.9"
    assert answer(ranked, "genmove b").startswith("= ")
    assert answer(ranked, "reg_genmove w") == answer(ranked, "reg_genmove w").replace("?", "")


def test_the_ranked_nets_answer_depends_on_the_rank(ranked):
    answers = []
    for profile in ("rank_20k", "rank_9d"):
        answer(ranked, f"kata-set-param humanSLProfile {profile}")
        answers.append(answer(ranked, "kata-raw-human-nn 0"))
        words = answers[-1].split()
        policy = [float(word) for word in words[words.index("policy") + 1 :][:81]]
        assert sum(policy) + float(words[words.index("policyPass") + 1]) == pytest.approx(1, abs=1e-3)
    assert answers[0] != answers[1]
    assert answer(ranked, "kata-raw-human-nn all").count("symmetry") == 8
    assert "neither 0 to 7 nor all" in answer(ranked, "kata-raw-human-nn 9")
    assert "comes after the symmetry" in answer(ranked, "kata-raw-human-nn b 0 0.5")


def test_a_rank_without_a_ranked_net_is_refused():
    plain = new_protocol()
    said = answer(plain, "kata-set-param rank_net uniform") + answer(plain, "kata-set-param humanSLProfile rank_5k")
    assert "say nothing of ranks" in said
    assert answer(plain, "genmove b").startswith("= ")
