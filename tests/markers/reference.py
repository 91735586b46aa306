"""Definitions of the papers, one marker and one pair at a time."""

from __future__ import annotations

import numpy as np
import pandas as pd


def genotypes(n=12, m=40, seed=1, missing=0.0):
    """Polymorphic genotypes in Hardy-Weinberg equilibrium, floats with NaN where missing."""
    rng = np.random.default_rng(seed)
    M = rng.binomial(2, rng.uniform(0.2, 0.8, m), (n, m)).astype(float)
    M[0], M[1] = 0.0, 2.0
    M[rng.random((n, m)) < missing] = np.nan
    return M


def ids(n):
    return [f"a{i}" for i in range(n)]


def frame(M):
    return pd.DataFrame(M, ids(len(M)), [f"snp{j}" for j in range(M.shape[1])])


def code(kind, x, p):
    """Table of codes of the genotypes 0, 1, 2."""
    q = 1 - p
    return {
        "vanraden1": (-2 * p, 1 - 2 * p, 2 - 2 * p),
        "vanraden2": tuple((k - 2 * p) / np.sqrt(2 * p * q) for k in range(3)),
        "yang": tuple((k - 2 * p) / np.sqrt(2 * p * q) for k in range(3)),
        "su": (-2 * p * q, 1 - 2 * p * q, -2 * p * q),
        "vitezica": (-2 * p * p, 2 * p * q, -2 * q * q),
    }[kind][int(x)]


def scale(kind, p):
    het = 2 * p * (1 - p)
    return {
        "vanraden1": het,
        "vanraden2": 1.0,
        "yang": 1.0,
        "su": het * (1 - het),
        "vitezica": het**2,
    }[kind]


def by_definition(M, kind, p=None, d=None, pairwise=False):
    """The matrix by loops over pairs and markers; all markers polymorphic."""
    n, m = M.shape
    p = np.nanmean(M, axis=0) / 2 if p is None else p
    d = np.ones(m) if d is None else d
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            top = bottom = 0.0
            for k in range(m):
                both = not (np.isnan(M[i, k]) or np.isnan(M[j, k]))
                if both and kind == "yang" and i == j:
                    x, pk = M[i, k], p[k]
                    term = (x**2 - (1 + 2 * pk) * x + 2 * pk**2) / (2 * pk * (1 - pk))
                    top += d[k] * term
                elif both:
                    top += d[k] * code(kind, M[i, k], p[k]) * code(kind, M[j, k], p[k])
                if both or not pairwise:
                    bottom += d[k] * scale(kind, p[k])
            K[i, j] = top / bottom + (1.0 if kind == "yang" and i == j else 0.0)
    return K


KINDS = ("vanraden1", "vanraden2", "yang", "su", "vitezica")
