"""What a fit says of its variance components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from animalmm import inference
from animalmm.core import Matrix, Problem
from animalmm.design import Design
from animalmm.estimation import Estimate

__all__ = ["FittedVariances"]


@dataclass(frozen=True, eq=False, repr=False)
class FittedVariances:
    """Tables and functions of the variance components. See `Fit`."""

    design: Design
    estimate: Estimate

    @property
    def _problem(self) -> Problem:
        return self.design.problem

    def varcorr(self) -> pd.DataFrame:
        """Variance components, the residual last.

        Returns
        -------
        DataFrame
            ``grp var1 var2 vcov sdcor se``: `sdcor` is the standard deviation or the correlation,
            `se` the standard error of `vcov` (on the variance scale, by the average information,
            as ASReml prints it): see `vcov_varcorr`.
        """
        return inference.variance_table(self._problem, self.estimate.psi, self._covariance())

    @cached_property
    def _covariances(self) -> dict[str, Matrix]:
        """What `_covariance` has computed."""
        return {}

    def _covariance(self, information: str = "average") -> Matrix:
        known = self._covariances
        if information not in known:
            known[information] = inference.covariance_of_components(self.estimate, information)
        return known[information]

    def vcov_varcorr(self, information: str = "average") -> pd.DataFrame:
        """Covariance matrix of the variance components, the `vcov` of what `varcorr` shows.

        The inverse of the information of the (restricted) likelihood on the variance scale. Where
        Sigma has a form (``cs()``, ``ar1()``), its elements have the covariances that follow from
        those of its parameters.

        Parameters
        ----------
        information : {"average", "observed"}
            Average information ``y'P dV_a P dV_b P y / 2`` (Gilmour, Thompson & Cullis 1995,
            Biometrics 51: 1440-1450), as ASReml; or the observed one, minus the second derivatives
            of the log likelihood, by differences of its gradient: two evaluations for each
            parameter.

        Returns
        -------
        DataFrame, shape (m, m)
            Rows and columns in the order of `varcorr`. Names are that of the term and of the
            effect, or of both effects of a covariance: ``"Subject.Days"``,
            ``"Subject.(Intercept):Days"``; a term of nothing but an intercept is ``"animal"``, the
            residual variance ``"Residual"``. A known component (`fixed`) has zeros. One of a term
            whose Sigma is singular has NaN, as its estimate does not vary about where it is, and
            the others are given it. All are NaN when the data cannot tell the components apart.

        Raises
        ------
        ArgumentError
            No such information.
        """
        names = inference.component_values(self._problem, self.estimate.psi).index
        covariance = self._covariance(information).copy()
        return pd.DataFrame(covariance, index=names, columns=names)

    def vpredict(
        self, function: str | Callable[[pd.Series], float], information: str = "average"
    ) -> pd.Series:
        """A function of the variance components, with its standard error by the delta method.

        The ``vpredict`` of ASReml-R. Components at the boundary are held there, as ASReml holds
        them; a function that depends on no others has NaN.

        Parameters
        ----------
        function : str or callable
            Arithmetic with the names of the components (see `vcov_varcorr`): ``+ - * / **``,
            ``sqrt log exp`` and parentheses, names that are not plain in backticks. Or a function
            of a Series of the components by name that returns a number.
        information : {"average", "observed"}
            As in `vcov_varcorr`.

        Returns
        -------
        Series
            ``estimate se``.

        Raises
        ------
        ArgumentError, FormulaError
            No such component, an expression that is not arithmetic, a function that does not
            return a number.

        Examples
        --------
        >>> import animalmm
        >>> table = animalmm.datasets.load("sleepstudy").data
        >>> fit = animalmm.fit("Reaction ~ Days + (Days | Subject)", table)
        >>> fit.vpredict("`Subject.(Intercept)` / (`Subject.(Intercept)` + Residual)").round(3)
        estimate    0.483
        se          0.124
        Name: vpredict, dtype: float64
        """
        values = inference.component_values(self._problem, self.estimate.psi)
        return inference.vpredict(function, values, self._covariance(information))

    @property
    def sigma(self) -> float:
        """Residual standard deviation of a record of weight one."""
        return float(np.sqrt(self.estimate.psi.sigma2))

    def h2(self) -> pd.DataFrame:
        """Shares of the phenotypic variance: heritability where the relationship is genetic.

        Returns
        -------
        DataFrame
            Index the random terms and "Residual"; columns ``variance share se known``. The `share`
            of a term with an additive relationship is the narrow-sense heritability; the shares of
            ``animal`` and ``ide(animal)`` together are the repeatability. `se` is the standard
            error of the share, by the average information and the delta method; a term at the
            boundary has none (NaN).
        """
        return inference.variance_shares(self._problem, self.estimate.psi, self._covariance())
