"""A measured figure beside its limit."""

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, and the limit it must keep, if there is one."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the limit is kept."""
        return (self.at_most is None or self.value <= self.at_most) and (
            self.at_least is None or self.value >= self.at_least
        )

    def row(self) -> str:
        """One line of the table."""
        limit = "-"
        if self.at_most is not None:
            limit = f"<= {self.at_most:g} {self.unit}"
        if self.at_least is not None:
            limit = f">= {self.at_least:g} {self.unit}"
        verdict = "kept" if self.is_kept else "MISSED"
        return f"| {self.name} | {self.value:.4g} {self.unit} | {limit} | {verdict} |"


def measured(name: str) -> list[Figure]:
    """The figures of one benchmark, measured in this process."""
    figures: list[Figure] = asyncio.run(importlib.import_module(f"tests.bench.{name}").measure())
    return figures


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (in [0, 1]) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Sequence[Figure]) -> str:
    """All figures as a Markdown table."""
    head = ["| what | measured | limit | |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *(figure.row() for figure in figures)])
