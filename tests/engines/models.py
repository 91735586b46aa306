"""Random mixed models, each made from a seed: a Problem, its dense K, and two psi."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm import Pedigree
from animalmm.core import Problem, Psi, Term
from animalmm.covariance import structure
from animalmm.relationship import (
    CovarianceRelationship,
    IdentityRelationship,
    PedigreeRelationship,
    PrecisionRelationship,
)

from .brute import BruteForce

FORMS = ("identity", "covariance", "sparse covariance", "pedigree", "precision")
STRUCTURES = ("us", "diag", "cs", "ar1")


@dataclass(frozen=True)
class Case:
    """A model with everything an engine is asked for, known by brute force."""

    problem: Problem
    kernels: tuple
    psi: Psi
    other: Psi

    @property
    def brute(self):
        return _brute(self)

    def __hash__(self):
        return id(self)

    def __eq__(self, other):
        return self is other


@cache
def _brute(case):
    return BruteForce(case.problem, case.kernels, case.psi)


@cache
def random_case(seed, *, forms=FORMS, singular_sigma=False, big=False, p=None, shared=False):
    """A model with 1 to 3 terms, or 2 to 3 with one relationship if it is `shared`.

    `big` ones have more than 100 equations, so that a sparse backend takes them.
    """
    rng = np.random.default_rng([seed, singular_sigma, big, len(forms)])
    n = int(rng.integers(60, 90)) if big else int(rng.integers(25, 50))
    p = 1 + seed % 4 if p is None else p
    terms, kernels = [], []
    for i in range(2 + seed % 2 if shared else 1 + seed % 3):
        form = forms[(seed + i) % len(forms)]
        q = int(rng.integers(60, 90)) if big else int(rng.integers(4, 16))
        if not (shared and terms):
            relationship, K = random_relationship(form, q, rng)
        t = 1 + (seed + 2 * i) % 3
        name = STRUCTURES[(seed // 2 + i) % 4]
        terms.append(_term(f"g{i}", n, relationship, name, t, rng))
        kernels.append(K)
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 3)) * [1, 10, 0.1]])[:, :p]
    X = (
        sparse.csc_array(np.where(rng.random(X.shape) < 0.5, X, 0) + np.eye(n, p))
        if seed % 2
        else X
    )
    weighted = seed % 4 != 3
    problem = Problem(
        y=rng.normal(3, 2, size=n),
        X=X,
        names=tuple(f"x{j}" for j in range(p)),
        terms=tuple(terms),
        weights=rng.uniform(0.3, 3, size=n) if weighted else np.ones(n),
        offset=rng.normal(size=n) if seed % 3 else np.zeros(n),
    )
    psi = random_psi(problem, rng, singular=singular_sigma)
    return Case(problem, tuple(kernels), psi, random_psi(problem, rng))


def random_relationship(form, q, rng):
    """A Relationship of q levels and its dense K."""
    labels = pd.Index([f"a{k}" for k in rng.permutation(q)])
    if form == "identity":
        return IdentityRelationship(labels), np.eye(q)
    if form == "pedigree":
        pedigree = Pedigree(random_pedigree(q, rng))
        return PedigreeRelationship(pedigree), tabular_relationship(pedigree)
    M = rng.normal(size=(q, q))
    K = M @ M.T / q + 0.3 * np.eye(q)
    if form == "covariance":
        return CovarianceRelationship(labels, K), K
    if form == "singular":
        M[:, q // 2 :] = 0.0
        return CovarianceRelationship(labels, M @ M.T / q), M @ M.T / q
    chain = sparse.diags_array([-0.4, 1.0, -0.4], offsets=[-1, 0, 1], shape=(q, q), format="csc")
    if form == "sparse covariance":
        return CovarianceRelationship(labels, chain), chain.toarray()
    return PrecisionRelationship(labels, chain), np.linalg.inv(chain.toarray())


def random_pedigree(q, rng):
    """Males have even numbers; some parents are unknown, and matings of sibs occur."""
    rows = []
    for k in range(q):
        males, females = range(0, k, 2), range(1, k, 2)
        sire = f"a{rng.choice(males)}" if len(males) and rng.random() < 0.8 else None
        dam = f"a{rng.choice(females)}" if len(females) and rng.random() < 0.8 else None
        rows.append((f"a{k}", sire, dam))
    return pd.DataFrame(rows, columns=["id", "sire", "dam"])


def tabular_relationship(pedigree):
    """A by the tabular method (Emik & Terrill 1949)."""
    A = np.zeros((pedigree.n + 1, pedigree.n + 1))  # the last row: an unknown parent
    for k, (s, d) in enumerate(zip(pedigree.sire, pedigree.dam, strict=True)):
        A[k, :k] = A[:k, k] = (A[s, :k] + A[d, :k]) / 2
        A[k, k] = 1 + (A[s, d] / 2 if s >= 0 and d >= 0 else 0)
    return A[:-1, :-1]


def random_psi(problem, rng, *, singular=False):
    """Any psi; `singular` ones have a zero variance or a correlation of one in every term."""
    factors = []
    for i, term in enumerate(problem.terms):
        form, t = term.structure, term.t
        theta = rng.uniform(0.3, 1.5, size=len(form.domain.lower))
        if form.name in ("cs", "ar1"):
            theta[-1] = rng.uniform(-0.3, 0.8)
        if form.name == "us":
            theta *= rng.choice([-1.0, 1.0], size=len(theta))
        if singular:
            if form.name in ("cs", "ar1") and t > 1:
                theta[-1] = 1.0
            elif form.name == "us":
                T = form.factor(theta)
                T[:, i % t] = 0.0
                factors.append(T)
                continue
            else:
                theta[0] = 0.0
        factors.append(form.factor(theta))
    return Psi(tuple(factors), float(rng.uniform(0.3, 3)))


def _term(name, n, relationship, form, t, rng):
    """Incidence of t effects; only two thirds of the levels have records.

    Terms of two effects take the second from another level, as direct and maternal effects do.
    """
    q = relationship.size
    seen = rng.permutation(q)[: max(2, 2 * q // 3)]
    levels = np.column_stack([rng.choice(seen, size=n)] * t)
    if t == 2:
        levels[:, 1] = rng.choice(seen, size=n)
    values = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])[:, :t]
    values[rng.random((n, t)) < 0.1] = 0.0  # explicit zeros stay in the pattern
    rows = np.repeat(np.arange(n), t)
    columns = (levels * t + np.arange(t)).ravel()
    Z = sparse.csr_array(sparse.coo_array((values.ravel(), (rows, columns)), shape=(n, q * t)))
    columns = tuple(f"c{c}" for c in range(t))
    return Term(name, name, columns, Z, relationship, structure(form, t), known=True)
