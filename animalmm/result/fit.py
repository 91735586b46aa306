"""The result of a fit: a thin, frozen facade over the functions of `animalmm.inference`."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm import inference
from animalmm.core import Matrix, Point, Problem
from animalmm.covariance import semidefinite_cholesky
from animalmm.design import Design
from animalmm.errors import ArgumentError, listing, nearest
from animalmm.estimation import Convergence, Estimate
from animalmm.estimation.convergence import SINGULAR
from animalmm.result.provenance import provenance
from animalmm.result.summarise import summarise
from animalmm.result.summary import Summary

__all__ = ["Fit"]


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
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

    design: Design
    estimate: Estimate

    @property
    def _problem(self) -> Problem:
        return self.design.problem

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
        return pd.Series(self._point.beta, index=list(self._problem.names), name="estimate")

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

    # -- variance components -----------------------------------------------------------------

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
        problem, point = self._problem, self._point
        parts: dict[str, Callable[[], Any]] = {
            "y": lambda: problem.y,
            "X": lambda: problem.X,
            "Z": lambda: sparse.hstack([t.Z for t in problem.terms], format="csr"),
            "beta": lambda: point.beta,
            "theta": lambda: self.estimate.space.unscaled(self.estimate.theta),
            "b": lambda: np.concatenate([U.ravel() for U in point.u]),
            "T": lambda: {
                t.name: semidefinite_cholesky(sigma)
                for t, sigma in zip(problem.terms, self.estimate.psi.sigmas, strict=True)
            },
            "weights": lambda: problem.weights,
            "offset": lambda: problem.offset,
            "n": lambda: problem.n,
            "p": lambda: problem.p,
        }
        if name not in parts:
            raise ArgumentError(
                f"there is no part {name!r}; there are {listing(parts, limit=len(parts))}."
                f"{nearest(name, parts)}"
            )
        return copy.deepcopy(parts[name]())

    def summary(self) -> Summary:
        """Tables of the fit, printed much as lme4 prints them."""
        return summarise(self.design, self.estimate, self._covariance())

    def __repr__(self) -> str:
        return (
            f"<animalmm.Fit {self.formula!r}: {self.method}, {self.nobs} records, "
            f"criterion {self.estimate.criterion:.4f}>"
        )
