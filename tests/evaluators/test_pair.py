"""Two nets as one: whose answer is whose, what each of them is shown, and when it is asked."""

import numpy as np
import pytest

from goengine.evaluators.base import Batch, Evaluation, EvaluatorBase, EvaluatorError, FinishedEvaluation, Traits
from goengine.evaluators.pair import Pair
from goengine.evaluators.uniform import Scripted, Uniform, flat_evaluation
from tests.evaluators.helpers import assert_close

SIZE = 3


def batch_of(rows: int = 2, planes: int = 49) -> Batch:
    """No two numbers of it are equal."""
    numbers = np.arange(rows * planes * SIZE * SIZE, dtype=np.float32).reshape(rows, planes, SIZE, SIZE)
    return Batch(numbers, np.zeros((rows, 0), np.float32), np.arange(1, rows + 1, dtype=np.uint64))


def says(number: float, rows: int = 2) -> Evaluation:
    """Every part of the answer has the number in it, the policy by row and move."""
    answer = flat_evaluation(rows, SIZE)
    answer.policy[:] = number + np.arange(answer.policy.size).reshape(answer.policy.shape)
    for part, distance in ((answer.value, 0.1), (answer.score, 0.2), (answer.score_stdev, 0.3), (answer.ownership, 0.4)):
        part[:] = number + distance
    return answer


def net(name: str, number: float = 0.0, features: str = "lee49", **proven: bool) -> Scripted:
    """Always says the number; `shown` has the planes that it was asked about."""
    shown = []

    def script(planes, values):
        shown.append(planes)
        return says(number, len(planes))

    made = Scripted(script, traits=Traits(name=name, features=features, **proven))
    made.shown = shown
    return made


@pytest.mark.parametrize(
    ("policy", "value"),
    [(net("A", 1.0), net("B", 5.0)), (net("A", 1.0), None), (None, net("B", 5.0)), (None, None)],
    ids=["A+B", "A+", "+B", "+"],
)
def test_the_policy_is_of_one_and_all_else_of_the_other(policy, value):
    """Where a net is missing stands what is known without one."""
    flat = flat_evaluation(2, SIZE)
    expected = (flat if value is None else says(5.0))._replace(policy=(flat if policy is None else says(1.0)).policy)
    assert_close(Pair(policy, value).evaluate(batch_of()), expected, 0)


@pytest.mark.parametrize(
    ("policy", "value", "together"),
    [
        ("lee48", "lee49", "lee49"),
        ("lee49", "lee48", "lee49"),
        ("lee48", "lee48", "lee48"),
        ("lee49", "lee49", "lee49"),
        ("lee48", None, "lee48"),
        (None, "lee48", "lee48"),
        (None, "zero", "zero"),
        ("zero", "zero", "zero"),
    ],
)
def test_each_net_is_shown_its_own_planes_of_what_is_encoded(policy, value, together):
    """A net of lee48 the first 48 of lee49, in memory of their own; the other net all of them."""
    nets = [None if features is None else net("net", features=features) for features in (policy, value)]
    pair, counts = Pair(*nets), {"lee48": 48, "lee49": 49, "zero": 5}
    assert pair.features == together
    batch = batch_of(planes=counts[together])
    pair.evaluate(batch)
    for asked in filter(None, nets):
        (planes,) = asked.shown
        assert planes.flags.c_contiguous and np.array_equal(planes, batch.planes[:, : counts[asked.features]])


@pytest.mark.parametrize(("policy", "value"), [("zero", "lee49"), ("lee49", "zero"), ("lee48", "zero"), ("agz17", "zero")])
def test_nets_that_see_different_things_are_no_pair(policy, value):
    with pytest.raises(EvaluatorError, match=f"^A and B see different features: {policy} and {value}$"):
        Pair(net("A", features=policy), net("B", features=value))


@pytest.mark.parametrize(
    ("policy", "value", "name"), [("A", "B", "A+B"), ("A", None, "A+"), (None, "B", "+B"), (None, None, "+")]
)
def test_the_name_says_which_net_is_which(policy, value, name):
    """And that of no nets at all is a pair's too."""
    assert Pair(*(None if part is None else net(part) for part in (policy, value))).name == name


_ALL = {f"{head}_proven": True for head in ("policy", "value", "score", "ownership")}
_NOTHING = dict.fromkeys(_ALL, False)


@pytest.mark.parametrize(
    ("policy", "value", "believed"),
    [
        (_ALL, _ALL, set(_ALL)),
        (_ALL, _NOTHING, {"policy_proven"}),
        (_NOTHING, _ALL, set(_ALL) - {"policy_proven"}),
        (_NOTHING, _NOTHING, set()),
        (_ALL, None, {"policy_proven"}),
        (None, _ALL, set(_ALL) - {"policy_proven"}),
        (None, None, set()),
        (None, {**_NOTHING, "value_proven": True}, {"value_proven"}),
    ],
)
def test_each_net_is_believed_in_its_own_part_only(policy, value, believed):
    pair = Pair(*(None if proven is None else net("net", **proven) for proven in (policy, value)))
    assert {head for head in _ALL if getattr(pair.traits, head)} == believed


def test_the_device_is_named_once_where_both_have_the_same():
    here, there = (Scripted(lambda *_: None, traits=Traits(name="n", features="zero", device=on)) for on in ("cpu f32", "cuda"))
    assert [Pair(*nets).traits.device for nets in ((here, here), (here, there), (None, there), (None, None))] == [
        "cpu f32", "cpu f32 and cuda", "cuda", "cpu",
    ]  # fmt: skip


class Slow(EvaluatorBase):
    """Is ready after some questions whether it is; tells a log what happens to it."""

    def __init__(self, name: str, number: float, questions: int, log: list[str]):
        self.traits = Traits(name=name, features="lee49")
        self.number, self.questions, self.log = number, questions, log

    def submit(self, batch):
        self.log.append(f"{self.name} asked")
        return SlowAnswer(self, says(self.number, batch.rows))

    def close(self):
        self.log.append(f"{self.name} closed")


class SlowAnswer:
    def __init__(self, asked: Slow, evaluation: Evaluation):
        self.asked, self.evaluation, self.questions = asked, evaluation, asked.questions

    def ready(self):
        self.questions -= 1
        return self.questions < 0

    def result(self):
        self.asked.log.append(f"{self.asked.name} answered")
        return self.evaluation


ORDER = ["policy asked", "policy answered", "value asked", "value answered"]


def test_the_value_net_is_asked_once_the_policy_net_has_answered():
    log = []
    pending = Pair(Slow("policy", 1.0, 2, log), Slow("value", 5.0, 3, log)).submit(batch_of())
    seen = []
    for _ in range(6):
        seen.append((pending.ready(), len(log)))  # how far along `ORDER` it is
    assert seen == [(False, 1), (False, 1), (False, 3), (False, 3), (False, 3), (True, 4)] and log == ORDER


@pytest.mark.parametrize(
    "calls", ["result", "ready result", "ready ready ready result", " ".join(["ready"] * 9 + ["result"]), "result ready result"]
)
def test_an_answer_may_be_awaited_and_asked_for_in_any_order(calls):
    """Each net is asked once and answers once, and the same arrays are given again."""
    log = []
    pending = Pair(Slow("policy", 1.0, 2, log), Slow("value", 5.0, 2, log)).submit(batch_of())
    for call in calls.split():
        getattr(pending, call)()
    answer = pending.result()
    assert_close(answer, says(5.0)._replace(policy=says(1.0).policy), 0)
    assert pending.ready() and pending.result() is answer and log == ORDER


@pytest.mark.parametrize("which", ["policy", "value"])
def test_a_net_alone_is_awaited_as_it_is(which):
    log = []
    pending = Pair(**{"policy": None, "value": None, which: Slow(which, 1.0, 2, log)}).submit(batch_of())
    assert [pending.ready() for _ in range(4)] == [False, False, True, True]
    assert log == [f"{which} asked", f"{which} answered"]


def test_no_nets_have_answered_at_once():
    assert isinstance(Pair(None, None).submit(batch_of()), FinishedEvaluation)


@pytest.mark.parametrize("parts", [("A", "B"), ("A", None), (None, "B"), (None, None)])
def test_closing_closes_every_net_there_is(parts):
    log = []
    with Pair(*(None if part is None else Slow(part, 0.0, 0, log) for part in parts)):
        assert log == []
    assert log == [f"{part} closed" for part in parts if part]


class Broken(Uniform):
    """Takes a batch and has no answer."""

    def submit(self, batch):
        return self

    def ready(self):
        return True

    def result(self):
        raise EvaluatorError("the net broke")


@pytest.mark.parametrize("places", [(True, False), (False, True)], ids=["policy", "value"])
def test_a_net_that_fails_is_heard(places):
    pair = Pair(*(Broken() if broken else Uniform() for broken in places))
    with pytest.raises(EvaluatorError, match="the net broke"):
        pair.evaluate(batch_of(planes=5))
