"""The evaluators of a player: one for all boards, or the best shipped net for each size, behind a cache and random symmetries.

Knows names and sizes; what a net is belongs to `goengine.evaluators`.
"""

from typing import TypedDict

import numpy as np

from goengine.evaluators import load, shipped_nets
from goengine.evaluators.base import Evaluator
from goengine.evaluators.cache import Cache
from goengine.evaluators.symmetric import Symmetric, SymmetricByKey
from goengine.evaluators.uniform import Uniform


class NetOptions(TypedDict, total=False):
    """How a `NetSource` computes its nets; every key may be left out."""

    threads: int | None
    precision: load.Precision
    symmetries: int
    by_key: bool


class NetSource:
    """Evaluators by board size. `name` is as `goengine.evaluators.load` reads it; None: the shipped nets.

    symmetries: views of each position that are averaged; 1 takes one at random. by_key: the same position always has the same
    views, whatever was asked before.
    Raises EvaluatorError, when asked for one, if a net cannot be loaded.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        threads: int | None = None,
        precision: load.Precision = "auto",
        symmetries: int = 1,
        by_key: bool = False,
        seed: int = 0,
    ):
        self._name, self._seed, self._symmetries, self._by_key = name, seed, symmetries, by_key
        self._backend = load.Backend(threads=threads or 0, precision=precision)
        self._loaded: dict[str, Evaluator] = {}
        self._raw: dict[str, Evaluator] = {}
        self._names: dict[int, str] = {}  # by board size
        self._others: dict[str, Evaluator] = {}

    @property
    def is_default(self) -> bool:
        """Whether nobody chose a net."""
        return self._name is None

    def get(self, size: int) -> Evaluator:
        """The evaluator for boards of this size; loaded once per net."""
        return self._loaded[self._ready(size)]

    def raw(self, size: int) -> Evaluator:
        """The same net without cache and symmetries."""
        return self._raw[self._ready(size)]

    def other(self, name: str) -> Evaluator:
        """Another net by name or path, computed as these are, without cache and symmetries. Raises EvaluatorError."""
        if name not in self._others:
            self._others[name] = load.load(name, backend=self._backend)
        return self._others[name]

    def _ready(self, size: int) -> str:
        """The name of the net for a size, which is loaded then."""
        name = self._names.get(size) or self._resolved(size)
        if name not in self._loaded:
            self._raw[name] = load.load(name, backend=self._backend)
            self._loaded[name] = self._wrapped(self._raw[name])
        return name

    def _resolved(self, size: int) -> str:
        """As `load.resolve`, once for each size: it reads every card and warns. Without shipped nets none is the default."""
        none = self._name is None and not shipped_nets.names()
        return self._names.setdefault(size, load.UNIFORM if none else load.resolve(self._name or "", size).warn())

    @property
    def loaded(self) -> list[Evaluator]:
        """The evaluators that were asked for so far."""
        return list(self._loaded.values())

    def clear(self) -> None:
        """Forget all remembered evaluations."""
        for evaluator in self._loaded.values():
            if isinstance(evaluator, Cache):
                evaluator.clear()

    def close(self) -> None:
        """Give back what the nets hold."""
        for evaluator in (*self._loaded.values(), *self._others.values()):
            evaluator.close()

    def _wrapped(self, inner: Evaluator) -> Evaluator:
        if isinstance(inner, Uniform):
            return inner
        if self._by_key:
            return Cache(SymmetricByKey(inner, self._symmetries))
        return Cache(Symmetric(inner, np.random.default_rng(self._seed), self._symmetries))


class Given(NetSource):
    """One evaluator that exists already, for every size; for tests and for programs that build their own."""

    def __init__(self, evaluator: Evaluator):
        super().__init__("given")
        self._loaded = self._raw = {"given": evaluator}
