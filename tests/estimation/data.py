"""Small data sets whose fits are far from every boundary, or on one by construction."""

import numpy as np
import pandas as pd

LEVELS, RECORDS = 20, 6


def random_slopes(seed=1, unit=1.0):
    """Intercepts and slopes of `LEVELS` levels with clear variances; y in any unit."""
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(LEVELS), RECORDS)
    x = rng.normal(size=len(g))
    y = 5 + 2 * rng.normal(size=LEVELS)[g] + (1 + rng.normal(size=LEVELS)[g]) * x
    y += rng.normal(size=len(g))
    return pd.DataFrame({"y": unit * y, "x": x, "g": g, "h": rng.integers(0, 9, len(g))})


def no_variance(of="intercept", seed=0):
    """Residuals from which the means (and the slopes) of the levels are taken out.

    The estimated variance of an intercept (and of a slope) is then zero.
    """
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(LEVELS), 8)
    x = np.tile(np.linspace(-1, 1, 8), LEVELS)
    e = rng.normal(size=(LEVELS, 8))
    e -= e.mean(axis=1, keepdims=True)
    if of == "both":
        e -= np.outer(e @ x[:8] / (x[:8] @ x[:8]), x[:8])
        slopes = np.zeros(LEVELS)
    else:
        slopes = rng.normal(size=LEVELS)
    return pd.DataFrame({"y": 2 + slopes[g] * x + e.ravel(), "x": x, "g": g})


def one_record_each(seed=0, n=40):
    """As many levels as records, and the identity as their relationship: not identified."""
    rng = np.random.default_rng(seed)
    ids = [f"a{i}" for i in range(n)]
    data = pd.DataFrame({"y": rng.normal(50, 5, n), "x": rng.normal(size=n), "g": ids})
    return data, pd.DataFrame(np.eye(n), index=ids, columns=ids)


def variances(fit):
    """`varcorr` as a Series by (grp, var1, var2)."""
    table = fit.varcorr()
    names = [table[name].fillna("") for name in ("grp", "var1", "var2")]
    return table.set_index(names)["vcov"]
