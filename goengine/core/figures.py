"""What a benchmark says: one measured number. Knows neither how it is measured nor how it is shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    part: str
    size: int  # of the board
    value: float
    unit: str
