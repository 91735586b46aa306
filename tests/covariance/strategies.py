"""Random structures and their parameters, for hypothesis."""

import numpy as np
from hypothesis import strategies as st

from animalmm.covariance import structure

NAMES = ("us", "diag", "cs", "ar1")
# Standard deviations over many orders of magnitude, either sign, zero among them.
SD = st.floats(1e-6, 1e6) | st.floats(-1e3, -1e-3) | st.just(0.0)


def at_scale(x):
    """Largest absolute element, or one where all are zero."""
    return float(np.abs(x).max(initial=0.0)) or 1.0


def sigma_of(form, theta):
    T = form.factor(theta)
    return T @ T.T


@st.composite
def parameters(draw, names=NAMES, sizes=(1, 4)):
    """(structure, theta), theta anywhere in the domain, the singular places included."""
    form = structure(draw(st.sampled_from(names)), draw(st.integers(*sizes)))
    domain = form.domain
    theta = np.array([draw(SD) for _ in domain.lower])
    if form.name in ("cs", "ar1"):
        lower, upper = float(domain.lower[-1]), float(domain.upper[-1])
        theta[-1] = draw(st.floats(lower, upper))
    return form, domain.clip(theta)


def scales(size):
    return st.lists(st.floats(1e-3, 1e3), min_size=size, max_size=size).map(np.array)


def deviance(form, theta, moment):
    """``log|Sigma| + tr(Sigma^-1 M)``, infinite where Sigma is singular."""
    sigma = sigma_of(form, theta)
    if np.linalg.matrix_rank(sigma, hermitian=True) < form.size:
        return np.inf
    return np.linalg.slogdet(sigma)[1] + np.linalg.solve(sigma, moment).trace()


@st.composite
def inside(draw, names=NAMES, sizes=(1, 4)):
    """(structure, theta, generator), theta away from the boundary."""
    form = structure(draw(st.sampled_from(names)), draw(st.integers(*sizes)))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    theta = form.start() + rng.uniform(-0.7, 0.7, len(form.start()))
    domain = form.domain
    return form, np.clip(theta, domain.lower + 0.05, domain.upper - 0.05), rng
