"""Expected numbers of other software: the fits of a model and how far they may be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .models import Model, folder


@dataclass(frozen=True)
class Tolerance:
    """How closely a case must agree, from the limits that its file states.

    Where a file states no limit for a quantity, that of the variances stands in: standard errors,
    PEV and theta are functions of them.

    Attributes
    ----------
    variance, se, pev : float
        Relative.
    zero_variance : float or None
        Absolute, for a variance whose optimum is zero; None takes `variance` of the residual one.
    covariance : float
        In units of ``sqrt(v1 v2)``.
    beta : float
        In standard errors.
    blup : float
        In standard deviations of the effect.
    loglik, theta : float
        Absolute.
    """

    variance: float
    zero_variance: float | None
    covariance: float
    beta: float
    se: float
    blup: float
    pev: float
    loglik: float
    theta: float

    @classmethod
    def of(cls, stated: Mapping[str, float]) -> Tolerance:
        """From the ``tolerance`` of an expected.json."""
        variance = stated.get("varcomp_rel", stated.get("Residual_rel", np.nan))
        return cls(
            variance=variance,
            zero_variance=stated.get("animal_variance_abs"),
            covariance=stated.get("covariance_abs_in_sqrt_v1v2", variance),
            beta=stated["beta_in_se"],
            se=stated.get("se_beta_rel", variance),
            blup=stated.get("ranef_in_sd", variance),
            pev=stated.get("pev_rel", stated.get("condVar_rel", variance)),
            loglik=stated["logLik_abs"],
            theta=stated.get("theta_abs", variance),
        )


@dataclass(frozen=True)
class Reference:
    """One fit by other software, with our names of terms.

    Attributes
    ----------
    tool : str
        Name and label.
    method : {"REML", "ML"}
        Which likelihood.
    names : mapping
        Our names of terms by the tool's, where they differ.
    estimates : mapping
        As stored.
    tolerance : Tolerance
        How closely to agree.
    """

    tool: str
    method: str
    names: Mapping[str, str]
    estimates: Mapping[str, Any]
    tolerance: Tolerance

    def __contains__(self, estimate: str) -> bool:
        return self.estimates.get(estimate) is not None

    def __getitem__(self, estimate: str) -> Any:
        return self.estimates[estimate]

    @property
    def variances(self) -> dict[tuple[str, str | None], float]:
        """Variances by term and effect."""
        return {
            (self._ours(row["group"]), row["term1"]): row["vcov"]
            for row in self["varcomp"]
            if row["term2"] is None
        }

    @property
    def covariances(self) -> dict[tuple[str, frozenset[str]], tuple[float, float]]:
        """Covariance and correlation by term and pair of effects."""
        return {
            (self._ours(row["group"]), frozenset((row["term1"], row["term2"]))): (
                row["vcov"],
                row["sdcor"],
            )
            for row in self["varcomp"]
            if row["term2"] is not None
        }

    def variance_of(self, term: str, effect: str) -> float:
        """Variance of an effect; lme4 puts the BLUPs of Subject and Subject.1 in one table."""
        return next(
            variance
            for (name, column), variance in self.variances.items()
            if column == effect and (name == term or name.startswith(f"{term}."))
        )

    def effects(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Term, effect and what is known about its BLUPs."""
        for group, columns in self["ranef"].items():
            for column, known in columns.items():
                if column != "condVar_matrices":
                    yield self._ours(group), column, known

    def _ours(self, group: str) -> str:
        return self.names.get(group, group)


@cache
def expected(case: str) -> dict[str, Any]:
    """The file of a case."""
    found: dict[str, Any] = json.loads((folder(case) / "expected.json").read_text())
    return found


def references(model: Model, method: str) -> list[Reference]:
    """The dense likelihood and, where there is one, lme4 with tight convergence."""
    file = expected(model.case)
    tolerance = Tolerance.of(file["tolerance"])
    found = [
        Reference(
            f"{fit['tool']} {fit.get('label') or ''}".strip(),
            method,
            model.names,
            fit["estimates"],
            tolerance,
        )
        for fit in file["fits"]
        if fit["method"] == method
        and fit.get("model", model.name) == model.name
        and fit["tool"] in ("own-dense", "lme4")
    ]
    assert found, f"no reference fit of {model} by {method}"
    return found
