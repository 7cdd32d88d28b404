"""The generations of AlphaGo as configurations: which nets, which constants of the search. There is no other difference.

Zero is the engine as it is: a net with both heads and the constants for play. Lee is two nets and rollouts, any of which may be
left out (Silver et al., Nature 529 (2016), Extended Data Table 7). Knows names and constants; loads nothing.
"""

from dataclasses import dataclass

from goengine.search.params import LEE, SearchParams

RESIGN_CHANCE = 0.1  # Lee resigned at a value of -0.8


@dataclass(frozen=True, kw_only=True)
class Lee:
    """What is left of the first AlphaGo. Raises ValueError if lambda is out of range."""

    policy: bool = True  # the policy net's priors; without it those of the tree policy
    value: bool = True
    rollouts: bool = True
    rollout_weight: float = LEE.rollout_weight  # lambda

    def __post_init__(self) -> None:
        if not 0 <= self.rollout_weight <= 1:
            raise ValueError(
                f"--lambda must be from 0 (the value net alone) to 1 (rollouts alone), not {self.rollout_weight:g}"
            )

    def net(self, name: str | None) -> str:
        """The nets to load, where ``name`` (POLICY+VALUE, 'lee' or None) says where they come from.

        Raises ValueError if it is the name of one net.
        """
        from goengine.evaluators.load import LEE as SHIPPED
        from goengine.evaluators.load import parts

        both = parts(name or SHIPPED)
        if both is None:
            raise ValueError(f"--net {name}: the first AlphaGo plays with two nets: --net POLICY+VALUE")
        policy, value = both
        return f"{policy if self.policy else ''}+{value if self.value else ''}"

    def params(self, threads: int) -> SearchParams:
        """The constants, where so many threads are there; without rollouts every leaf is evaluated when it is reached."""
        if self._weight == 0:
            return LEE.with_(rollout_weight=0.0, expansion_threshold=1)
        rest = threads - self.net_threads(threads) if self.policy or self.value else threads
        return LEE.with_(rollout_weight=self._weight, rollout_threads=max(1, rest))

    def net_threads(self, threads: int) -> int:
        """Of so many threads, those of the nets: half of them, where rollouts take the other half."""
        return threads if self._weight == 0 else max(1, threads // 2)

    @property
    def _weight(self) -> float:
        """lambda of what is left."""
        return 0.0 if not self.rollouts else self.rollout_weight if self.value else 1.0
