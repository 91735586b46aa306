"""`fit`: the four public steps in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from animalmm.core import Algorithm, EngineSpec, Vector
from animalmm.design import build_problem
from animalmm.estimation import estimate
from animalmm.formula import parse_formula
from animalmm.result import Fit

__all__ = ["fit"]


def fit(
    formula: str,
    data: pd.DataFrame,
    relmat: Mapping[str, Any] | None = None,
    *,
    precision: Mapping[str, Any] | None = None,
    method: str = "REML",
    weights: str | Vector | pd.Series | None = None,
    offset: str | Vector | pd.Series | None = None,
    contrasts: Mapping[str, Any] | None = None,
    algorithm: str | Algorithm = "auto",
    engine: str | EngineSpec = "auto",
    start: Mapping[str, Any] | None = None,
    fixed: Mapping[str, Any] | None = None,
    na_action: str = "drop",
    verbose: int = 0,
) -> Fit:
    """Fit a linear mixed model, with known relationship matrices where they are given.

    Parameters
    ----------
    formula : str
        As in lme4: ``"y ~ sex + protein + (1 | animal)"``. Beside lme4's terms, ``ide(g)`` is the
        column g with unrelated levels (permanent environment), ``gr(g, D)`` the column g with the
        matrix given under the key D, and ``(1 | m | animal) + (1 | m | dam)`` share one Sigma.
    data : DataFrame
        One row for each record.
    relmat : mapping, optional
        Relationship matrices by grouping column: a DataFrame with ids as index and columns,
        ``(matrix, ids)``, a `Pedigree`. Ids are matched by label. Levels of the matrix that have no
        record stay in the model and get their BLUP.
    precision : mapping, optional
        The same for inverses of relationship matrices.
    method : {"REML", "ML"}
        Which likelihood.
    weights : str or array, optional
        Prior weights w: Var(e) = sigma^2 / w. A column or one value for each row of `data`.
    offset : str or array, optional
        Known part of the mean, beside the ``offset()`` terms of the formula.
    contrasts : mapping, optional
        Contrasts of categorical columns: ``{"sex": "sum"}``; treatment contrasts by default.
    algorithm : {"auto", "ai", "em", "px-em", "df"} or Algorithm
        How the likelihood is maximised: by average information (``ai``), EM, parameter-expanded EM,
        or without derivatives on the profiled deviance (``df``). ``auto`` is ``ai``, with ``df``
        where another step would still gain. They find the same optimum.
    engine : {"auto", "mme", "whitened", "one_kernel", "many_kernels"} or EngineSpec
        How it is evaluated: ``mme`` by K^-1, ``whitened`` by the Cholesky factor of K,
        ``one_kernel`` for a single random intercept with a dense K, reduced to a band once,
        ``many_kernels`` by the dense covariance matrix of the records. ``auto`` takes the cheapest,
        and `Fit.provenance` says why. They give the same numbers.
    start : mapping, optional
        Start values of variances by term and "Residual": ``{"animal": 20.0, "Residual": 40.0}``;
        by default those of the method of moments.
    fixed : mapping, optional
        Known variances, held at these values. With all of them known nothing is optimised and the
        fit holds BLUE and BLUP.
    na_action : {"drop", "fail"}
        What to do with rows with missing values; dropped rows are counted by cause.
    verbose : int, default 0
        1 prints a line for each iteration. Otherwise a fit of more than two seconds shows a bar on
        a terminal or in a notebook. `Fit.history` keeps the iterations.

    Returns
    -------
    Fit
        After an interruption from the keyboard the best one so far, which says so.

    Raises
    ------
    FormulaError
        The formula cannot be read; the message points at the place.
    DataError
        Columns, weights or factors that cannot be used.
    RelationshipError
        A relationship matrix that is not one, or lacks levels of the data.
    ArgumentError
        Any other argument with an impossible value.
    EstimationError
        The likelihood cannot be evaluated.

    Warns
    -----
    DroppedRowsWarning, RankDeficiencyWarning, BoundaryWarning, ConvergenceWarning

    References
    ----------
    Bates, D., Maechler, M., Bolker, B. & Walker, S. (2015). Fitting linear mixed-effects models
    using lme4. J. Stat. Softw. 67(1). Henderson, C.R. (1984). Applications of Linear Models in
    Animal Breeding.

    Examples
    --------
    >>> import animalmm
    >>> course = animalmm.datasets.load("course")
    >>> pedigree = animalmm.Pedigree(course.pedigree)
    >>> fit = animalmm.fit(
    ...     "y ~ sex + protein + (1 | animal)", course.data, relmat={"animal": pedigree}
    ... )
    >>> round(float(fit.h2().loc["animal", "share"]), 3)
    0.3
    """
    design = build_problem(
        parse_formula(formula),
        data,
        relmat,
        precision=precision,
        weights=weights,
        offset=offset,
        contrasts=contrasts,
        na_action=na_action,
    )
    found = estimate(
        design.problem,
        method=method,
        algorithm=algorithm,
        engine=engine,
        start=start,
        fixed=fixed,
        verbose=verbose,
    )
    return Fit(design, found)
