"""Every engine against brute force: the contract, inherited."""

import dataclasses
from functools import cache

import numpy as np
import pytest

from animalmm.engines import MME, Auto, ManyKernels, OneKernel, Whitened

from .contract import SINGULAR_FORMS, EngineContract
from .models import random_case


class TestMME(EngineContract):
    takes_singular_kernels = False

    def spec(self):
        return MME()


class TestMMEJoined(EngineContract):
    takes_singular_kernels = False

    def spec(self):
        return MME(join=True)


class TestMMEApart(EngineContract):
    takes_singular_kernels = False

    def spec(self):
        return MME(join=False)


class TestWhitened(EngineContract):
    def spec(self):
        return Whitened()


class TestWhitenedJoined(EngineContract):
    def spec(self):
        return Whitened(join=True)


class TestWhitenedApart(EngineContract):
    def spec(self):
        return Whitened(join=False)


class TestAuto(EngineContract):
    def spec(self):
        return Auto()


@cache
def one_kernel_case(seed, kind):
    """Every third random case has one term of one effect; they get an offset and bare records."""
    options = {
        "big": {"big": True},
        "singular sigma": {"singular_sigma": True},
        "singular kernel": {"forms": SINGULAR_FORMS},
        "no fixed effects": {"p": 0},
    }
    case = random_case(3 * seed, **options.get(kind, {}))
    offset = np.random.default_rng(seed).normal(size=case.problem.n)
    return dataclasses.replace(case, problem=dataclasses.replace(case.problem, offset=offset))


class TestOneKernel(EngineContract):
    def spec(self):
        return OneKernel()

    def case(self, seed, kind):
        if kind == "one relationship":
            pytest.skip("this engine takes one term")
        return one_kernel_case(seed, kind)


class TestManyKernels(EngineContract):
    def spec(self):
        return ManyKernels()


class TestManyKernelsByRecords(EngineContract):
    def spec(self):
        return ManyKernels(side="records")


class TestManyKernelsByEffects(EngineContract):
    def spec(self):
        return ManyKernels(side="effects")
