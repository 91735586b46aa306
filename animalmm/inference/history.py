"""The iterations of a fit as a table."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from animalmm.core import Problem
from animalmm.estimation import TraceRow
from animalmm.inference.components import component_values

__all__ = ["history_table"]


def history_table(problem: Problem, rows: Sequence[TraceRow]) -> pd.DataFrame:
    """One row for each iteration; the columns are those of `Fit.history`."""
    components = [component_values(problem, row.psi) for row in rows]
    table = pd.DataFrame(
        {
            "step": [row.step for row in rows],
            "criterion": [row.criterion for row in rows],
            "gradient": [row.steepest for row in rows],
            "change": [row.change for row in rows],
        },
    )
    values = pd.DataFrame(components).reset_index(drop=True)
    return table.join(values).rename_axis(index="iteration")
