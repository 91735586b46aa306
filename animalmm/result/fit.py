"""The result of a fit: a thin, frozen facade over the functions of `animalmm.inference`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from animalmm import inference
from animalmm.core import Point
from animalmm.estimation import Convergence
from animalmm.estimation.convergence import SINGULAR
from animalmm.result.parts import part_of_model
from animalmm.result.provenance import provenance
from animalmm.result.summarise import summarise
from animalmm.result.summary import Summary
from animalmm.result.variances import FittedVariances

__all__ = ["Fit"]


@dataclass(frozen=True, eq=False, repr=False)
class Fit(FittedVariances):
    """A fitted linear mixed model.

    Numbers that need no argument are attributes, tables and what takes arguments are methods.
    A Fit never changes; it can be pickled, and gives the same answers after.

    Attributes
    ----------
    design : Design
        The problem and how the data were coded.
    estimate : Estimate
        The variance parameters and how they were found.
    """

    @property
    def _point(self) -> Point:
        return self.estimate.point

    @property
    def _profiled(self) -> bool:
        return self.estimate.space.profiled

    # -- what was fitted ---------------------------------------------------------------------

    @property
    def formula(self) -> str:
        """The formula as given."""
        return self.design.spec.text

    @property
    def method(self) -> str:
        """``"REML"`` or ``"ML"``."""
        return self.estimate.method

    @property
    def nobs(self) -> int:
        """Number of records used."""
        return self._problem.n

    @property
    def df_residual(self) -> int:
        """Records less all estimated parameters, as lme4's ``df.residual``."""
        return self.nobs - self.npar

    @property
    def npar(self) -> int:
        """Number of estimated parameters: fixed effects and variance parameters."""
        return self._problem.p + self.estimate.space.n_variance_parameters

    @property
    def convergence(self) -> Convergence:
        """Whether and why the optimum is one, in words."""
        return self.estimate.convergence

    @property
    def history(self) -> pd.DataFrame:
        """The way to the estimates, one row for each iteration.

        Returns
        -------
        DataFrame
            ``step`` (what led here: AI, EM, ...), ``criterion`` (-2 log likelihood), ``gradient``
            (its largest derivative by a free parameter, NaN where the algorithm computed none),
            ``change`` (the largest one of a free parameter, in typical standard deviations), then
            the variance components by name.
        """
        return inference.history_table(self._problem, self.estimate.history)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Versions, engine, algorithm, rows used: what another person needs to repeat the fit."""
        return MappingProxyType(provenance(self.design, self.estimate))

    def ngrps(self) -> pd.Series:
        """Number of levels of each grouping factor, those without records included."""
        sizes = {t.group: t.q for t in self._problem.terms}
        return pd.Series(sizes, name="levels", dtype=int)

    def is_singular(self, tol: float = SINGULAR) -> bool:
        """Whether a variance is zero or a correlation plus or minus one.

        Parameters
        ----------
        tol : float
            On standard deviations in units that give a record about the residual variance, so that
            the answer does not depend on the units of covariates.
        """
        return bool(self.estimate.space.singular_terms(self.estimate.theta, tol))

    # -- likelihood --------------------------------------------------------------------------

    def loglik(self, constant: str = "lme4") -> float:
        """(Restricted) log likelihood.

        Parameters
        ----------
        constant : {"lme4", "asreml"}
            ASReml leaves ``-df/2 log(2 pi)`` out.
        """
        return inference.loglik(
            self._problem, self._point, self.method, constant, profiled=self._profiled
        )

    @property
    def llf(self) -> float:
        """`loglik` with lme4's constant."""
        return self.loglik()

    @property
    def remlcrit(self) -> float:
        """REML criterion (-2 restricted log likelihood) at the estimate, also of an ML fit.

        As in lme4, the residual variance is then the best one for this criterion.
        """
        return inference.minus_two_loglik(
            self._problem, self._point, "REML", profiled=self._profiled
        )

    @property
    def deviance(self) -> float:
        """-2 log likelihood (ML) at the estimate, also of a REML fit (lme4's ``REML=FALSE``).

        As in lme4, the residual variance is then the best one for this likelihood.
        """
        return inference.minus_two_loglik(self._problem, self._point, "ML", profiled=self._profiled)

    @property
    def aic(self) -> float:
        """Akaike's criterion, counting fixed effects and variance parameters as lme4 does."""
        return -2.0 * self.llf + 2.0 * self.npar

    @property
    def bic(self) -> float:
        """Bayesian information criterion with log(nobs), as lme4's."""
        return -2.0 * self.llf + float(np.log(self.nobs)) * self.npar

    # -- fixed effects -----------------------------------------------------------------------

    def fixef(self) -> pd.Series:
        """BLUE of the fixed effects."""
        names = list(self._problem.names)
        return pd.Series(self._point.beta.copy(), index=names, name="estimate")

    @property
    def params(self) -> pd.Series:
        """`fixef`, under statsmodels' name."""
        return self.fixef()

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the fixed effects."""
        return self.coefficients()["se"]

    def coefficients(self) -> pd.DataFrame:
        """One row for each fixed effect: ``estimate se t``."""
        return inference.coefficient_table(self._problem, self._point)

    def vcov(self) -> pd.DataFrame:
        """Covariance matrix of the fixed effects, ``(X'V^-1X)^-1``."""
        return inference.covariance_of_fixed_effects(self._problem, self._point)

    # -- random effects ----------------------------------------------------------------------

    def ranef(self, group: str | None = None) -> pd.DataFrame:
        """BLUPs: all levels of K (rows), with and without records, by effects (columns).

        Parameters
        ----------
        group : str, optional
            Grouping factor; may be left out when there is one.
        """
        return inference.effects_table(self._problem, self._point, group)

    def blup(
        self, group: str | None = None, levels: Sequence[object] | None = None
    ) -> pd.DataFrame:
        """BLUPs with their precision, one row for each level and effect.

        Parameters
        ----------
        group : str, optional
            Grouping factor; may be left out when there is one.
        levels : sequence, optional
            Only these levels: the errors cost one solve each.

        Returns
        -------
        DataFrame
            ``level column blup se pev reliability accuracy records``: `pev` is Var(u_hat - u) with
            the uncertainty of the fixed effects, `se` its root, reliability
            ``1 - pev / (K_jj Sigma)``, accuracy its root, `records` how many records the level has.
        """
        return inference.blup_table(self._problem, self._point, group, levels)

    def condvar(self, group: str | None = None) -> pd.DataFrame:
        """lme4's conditional variances Var(u | y, beta): ``table.loc[level]`` is t x t."""
        return inference.conditional_variances(self._problem, self._point, group)

    # -- records -----------------------------------------------------------------------------

    @property
    def fittedvalues(self) -> pd.Series:
        """Fitted values of the records used, random effects included."""
        values = inference.fitted(self.design, self._point)
        return pd.Series(values, index=self.design.frame.data.index, name="fitted")

    @property
    def resid(self) -> pd.Series:
        """Response less fitted values."""
        rest = self._problem.y - self.fittedvalues.to_numpy()
        return pd.Series(rest, index=self.fittedvalues.index, name="residual")

    def predict(
        self,
        new: pd.DataFrame | None = None,
        *,
        random: bool | str | Sequence[str] = True,
        allow_new_levels: bool = False,
        offset: Any = None,
    ) -> pd.Series:
        """Predict the mean of new rows.

        Parameters
        ----------
        new : DataFrame, optional
            New rows with the columns of the formula; the rows of the fit by default. A row with a
            missing value gets NaN.
        random : bool, str or sequence of str, default True
            Whether to add the BLUPs (lme4's ``re.form``): all, none, or those of some grouping
            factors. Animals without records of their own have one too.
        allow_new_levels : bool, default False
            Levels that the fit does not know get zero, in place of an error.
        offset : str or array, optional
            The offset of the new rows when the fit was given one as an argument; a column of `new`
            or an array.

        Returns
        -------
        Series, indexed as `new`

        Raises
        ------
        DataError, RelationshipError
            A column is absent, a category or a level unknown.
        ArgumentError
            No such random term.
        """
        frame = self.design.frame
        if new is None:
            new, offset = frame.data, frame.offset - self.design.new_offset(frame.data, 0.0)
        return inference.predict(
            self.design,
            self._point,
            new,
            random=random,
            allow_new_levels=allow_new_levels,
            offset=offset,
        )

    # -- the parts of the model --------------------------------------------------------------

    def get_me(self, name: str) -> Any:
        """A copy of a part of the model by name, after lme4's ``getME``.

        Parameters
        ----------
        name : {"y", "X", "Z", "beta", "theta", "b", "T", "weights", "offset", "n", "p"}
            `Z` is sparse with the terms side by side, each level-major; `b` the BLUPs in the same
            order; `theta` on lme4's relative scale; `T` the Cholesky factor of each Sigma.
        """
        return part_of_model(self._problem, self.estimate, name)

    def summary(self) -> Summary:
        """Tables of the fit, printed much as lme4 prints them."""
        return summarise(self.design, self.estimate, self._covariance())

    def __repr__(self) -> str:
        return (
            f"<animalmm.Fit {self.formula!r}: {self.method}, {self.nobs} records, "
            f"criterion {self.estimate.criterion:.4f}>"
        )
