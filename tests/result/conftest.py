import numpy as np
import pandas as pd
import pytest

import animalmm
from animalmm.datasets import load


@pytest.fixture(scope="session")
def sleepstudy():
    return load("sleepstudy").data


@pytest.fixture(scope="session")
def sleep(sleepstudy):
    """Correlated intercepts and slopes, no relationship."""
    return animalmm.fit("Reaction ~ Days + (Days | Subject)", sleepstudy)


@pytest.fixture(scope="session")
def uncorrelated(sleepstudy):
    return animalmm.fit("Reaction ~ Days + (Days || Subject)", sleepstudy)


@pytest.fixture(scope="session")
def course_data():
    return load("course")


@pytest.fixture(scope="session")
def course(course_data):
    """The animal model; the youngest generation has no records."""
    data = course_data.data
    recorded = data[data["generation"] < data["generation"].max()]
    pedigree = animalmm.Pedigree(course_data.pedigree)
    return animalmm.fit("y ~ sex + protein + (1 | animal)", recorded, {"animal": pedigree})


@pytest.fixture(scope="session")
def kinship():
    """Twelve animals with a dense relationship."""
    M = np.random.default_rng(4).normal(size=(12, 40))
    ids = [f"a{i:02d}" for i in range(12)]
    return pd.DataFrame(M @ M.T / 40, index=ids, columns=ids)


@pytest.fixture(scope="session")
def herd_data(kinship):
    """Unbalanced records of ten of the twelve animals, in herds, with weights and an offset."""
    rng = np.random.default_rng(5)
    n = 60
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "animal": rng.choice(kinship.index[:10], size=n),
            "herd": rng.choice(list("pqrs"), size=n),
            "w": rng.uniform(0.5, 2.0, size=n),
            "known": rng.normal(size=n),
        },
        index=[f"record {i}" for i in range(n)],
    )
    data["y"] = 10.0 + data["known"] + data["x"] + rng.normal(size=n)
    return data


@pytest.fixture(scope="session")
def herd(herd_data, kinship):
    """Two kinds of terms, weights, an offset; the variances are known."""
    return animalmm.fit(
        "y ~ x + (x | animal) + (1 | herd)",
        herd_data,
        {"animal": kinship},
        weights="w",
        offset="known",
        fixed={"animal": [[1.0, 0.3], [0.3, 0.5]], "herd": 0.7, "Residual": 1.5},
    )
