"""What is told of a fit while it runs: the trace, lines on request, a progress bar."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from animalmm.core import Iteration, Psi, Vector

__all__ = ["Progress", "TraceRow"]

_PATIENCE = 2.0  # seconds after which a progress bar is shown


@dataclass(frozen=True, eq=False)
class TraceRow:
    """One iteration.

    Attributes
    ----------
    step : str
        What led here.
    psi : Psi
        The variance parameters on the scale of the data.
    criterion : float
        -2 log likelihood.
    gradient : ndarray, shape (k,), optional
        Its derivatives by the free parameters, where the algorithm computed them.
    change : float
        Largest change of a free parameter since the row before, in typical standard deviations.
    """

    step: str
    psi: Psi
    criterion: float
    gradient: Vector | None
    change: float

    @property
    def steepest(self) -> float:
        """Largest absolute element of the gradient, NaN where there is none."""
        return np.nan if self.gradient is None else float(np.abs(self.gradient).max(initial=0.0))


class Progress:
    """Keeps the trace of a fit, and shows it.

    Parameters
    ----------
    psi : callable
        The psi, on the scale of the data, of an iteration.
    verbose : int
        1 prints a line for each iteration; 0 shows a bar, on a terminal or in a notebook, for a
        fit that takes more than two seconds.
    """

    def __init__(self, psi: Callable[[Iteration], Psi], verbose: int) -> None:
        self.rows: list[TraceRow] = []
        self.best: tuple[Vector, float] | None = None
        self._last: Vector | None = None
        self._psi = psi
        self._verbose = verbose
        self._begin = time.perf_counter()
        self._bar: Any = None

    def __call__(self, iteration: Iteration) -> None:
        """Take note of an iteration."""
        if self._last is not None and np.array_equal(iteration.theta, self._last):
            return  # where one algorithm stops another one starts
        before = iteration.theta if self._last is None else self._last
        change = np.abs(iteration.theta - before).max(initial=0.0)
        row = TraceRow(
            iteration.step,
            self._psi(iteration),
            iteration.value,
            iteration.gradient,
            float(change),
        )
        self.rows.append(row)
        self._last = iteration.theta
        if self.best is None or iteration.value < self.best[1]:
            self.best = iteration.theta, iteration.value
        if self._verbose:
            print(_line(len(self.rows) - 1, row), flush=True)
        elif time.perf_counter() - self._begin > _PATIENCE:
            self._show(row)

    def _show(self, row: TraceRow) -> None:
        if self._bar is None:
            from tqdm.auto import tqdm  # takes longer to import than most fits

            # no bar where the output is no terminal; the number of iterations is not known before
            self._bar = tqdm(
                initial=len(self.rows) - 1, unit=" iterations", leave=False, disable=None
            )
        self._bar.set_postfix_str(f"-2 log likelihood {row.criterion:.4f}")
        self._bar.update()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def _line(number: int, row: TraceRow) -> str:
    """One line of text, the heading before the first."""
    sigmas = [f"{value:.6g}" for sigma in row.psi.sigmas for value in np.diag(sigma)]
    line = (
        f"{number:>9} {row.criterion:>16.6f} {row.steepest:>10.2g} {row.change:>10.2g}  "
        f"{row.step:<18} {' '.join([*sigmas, f'{row.psi.sigma2:.6g}'])}"
    )
    if number:
        return line
    heading = f"{'iteration':>9} {'-2 log lik':>16} {'gradient':>10} {'change':>10}  step"
    return f"{heading:<67} variances, the residual last\n{line}"
