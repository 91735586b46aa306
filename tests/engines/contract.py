"""What every engine promises. A new engine inherits all of it by giving two factories.

class TestMine(EngineContract):
    def spec(self): ...                  # the configured engine
    def case(self, seed, kind): ...      # only if it cannot take every model: a `Case`, or a skip
"""

import dataclasses

import numpy as np
import pytest

from animalmm.core import Direction, Psi
from animalmm.errors import RelationshipError

from .brute import assert_near
from .models import random_case

SEEDS = range(8)
SINGULAR_FORMS = ("singular", "identity", "singular")


def contents(point, problem):
    """Everything that a point can be asked, as a dict of arrays."""
    v = np.random.default_rng(0).normal(size=(problem.n, 3))
    found = {
        "logdet_V": point.logdet_V,
        "logdet_XVX": point.logdet_XVX,
        "logdet_reml": point.logdet_reml,
        "quad": point.quad,
        "beta": point.beta,
        "beta_covariance": point.beta_covariance(),
        "beta_variances": point.beta_variances(),
        "P v": point.apply_P(v),
        "P y": point.Py,
        "complete information": point.complete_information(),
        "complete information given beta": point.complete_information(given_beta=True),
    }
    for i, U in enumerate(point.u):
        found[f"u of term {i}"] = U
        found[f"slope of term {i}"] = point.slope(i)
        found[f"slope given beta of term {i}"] = point.slope(i, given_beta=True)
        found[f"errors of term {i}"] = point.error_blocks([i])
        found[f"errors given beta of term {i}"] = point.error_blocks([i], given_beta=True)
    return found


def assert_same_point(point, reference, problem, tolerance=1e-10):
    found, expected = contents(point, problem), contents(reference, problem)
    for name, value in expected.items():
        try:
            assert_near(found[name], value, tolerance)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from None


class EngineContract:
    """The tests; a child gives `spec`, and `case` where it takes only some models."""

    takes_singular_kernels = True

    def spec(self):
        raise NotImplementedError

    def case(self, seed, kind):
        """A `Case`: "definite", "big", "singular sigma", "singular kernel", "no fixed effects",
        or "one relationship" for all terms.
        """
        options = {
            "definite": {},
            "big": {"big": True},
            "singular sigma": {"singular_sigma": True},
            "singular kernel": {"forms": SINGULAR_FORMS},
            "no fixed effects": {"p": 0},
            "one relationship": {"shared": True},
        }
        return random_case(seed, **options[kind])

    def engine(self, case):
        return self.spec().prepare(case.problem)

    @pytest.mark.parametrize("kind", ["definite", "big", "singular sigma"])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_point_is_the_brute_force_one(self, seed, kind):
        case = self.case(seed, kind)
        assert_same_point(self.engine(case).at(case.psi), case.brute, case.problem)

    @pytest.mark.parametrize("seed", range(4))
    def test_there_may_be_no_fixed_effects(self, seed):
        case = self.case(seed, "no fixed effects")
        assert_same_point(self.engine(case).at(case.psi), case.brute, case.problem)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_singular_relationship_is_taken_or_refused_in_words(self, seed):
        case = self.case(seed, "singular kernel")
        if self.takes_singular_kernels:
            assert_same_point(self.engine(case).at(case.psi), case.brute, case.problem)
        else:
            with pytest.raises(RelationshipError, match=r"singular.*engine='whitened'"):
                self.engine(case)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_error_blocks_of_chosen_levels_are_those_of_all(self, seed):
        case = self.case(seed, "definite")
        point = self.engine(case).at(case.psi)
        for i, term in enumerate(case.problem.terms):
            levels = np.arange(term.q)[::-2]  # many at once may go another way than one
            for given_beta in (False, True):
                every = point.error_blocks([i], given_beta=given_beta)
                for some in (levels, levels[:1]):
                    found = point.error_blocks([i], some, given_beta=given_beta)
                    assert_near(found, every[some], 1e-12)
            assert point.error_blocks([i], levels[:0]).shape == (0, term.t, term.t)

    @pytest.mark.parametrize("given_beta", [False, True])
    @pytest.mark.parametrize("seed", range(5))
    def test_errors_of_terms_on_the_same_levels_stand_side_by_side(self, seed, given_beta):
        case = self.case(seed, "one relationship")
        point = self.engine(case).at(case.psi)
        k = len(case.problem.terms)
        for terms in ([0, 1], [1, 0], list(range(k))[::-1]):
            for levels in (None, np.array([3, 0])):
                found = point.error_blocks(terms, levels, given_beta=given_beta)
                expected = case.brute.error_blocks(terms, levels, given_beta=given_beta)
                assert_near(found, expected)

    @pytest.mark.parametrize(
        ("seed", "kind"), [*((seed, "definite") for seed in SEEDS), (3, "big"), (5, "big")]
    )
    def test_no_evaluation_changes_another(self, seed, kind):
        case = self.case(seed, kind)
        engine = self.engine(case)
        asked_late = engine.at(case.psi)
        contents(engine.at(case.other), case.problem)
        engine.at(case.other)
        fresh = self.engine(case).at(case.psi)
        assert_same_point(asked_late, fresh, case.problem, 1e-12)
        assert_same_point(engine.at(case.psi), fresh, case.problem, 1e-12)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_answers_come_in_any_order(self, seed):
        case = self.case(seed, "definite")
        point = self.engine(case).at(case.psi)
        backwards = [
            lambda: point.apply_P(case.problem.y),
            lambda: point.complete_information(given_beta=True),
            lambda: point.slope(0),
            lambda: point.error_blocks([0], given_beta=True),
            point.complete_information,
            lambda: point.slope(0, given_beta=True),
            point.beta_covariance,
            lambda: point.u[0],
            lambda: point.quad,
            lambda: point.logdet_reml,
        ]
        for ask in backwards:
            ask()
        assert_same_point(point, self.engine(case).at(case.psi), case.problem, 1e-12)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_neither_the_problem_nor_psi_is_touched(self, seed):
        case = self.case(seed, "definite")
        problem = case.problem
        watched = [problem.y, problem.weights, problem.offset, *case.psi.factors]
        watched += [term.Z.data for term in problem.terms]
        before = [a.copy() for a in watched]
        contents(self.engine(case).at(case.psi), problem)
        for now, then in zip(watched, before, strict=True):
            np.testing.assert_array_equal(now, then)

    def test_psi_comes_back_as_it_was_given(self):
        case = self.case(0, "definite")
        assert self.engine(case).at(case.psi).psi is case.psi

    def test_it_describes_itself(self):
        assert len(self.engine(self.case(0, "definite")).description) > 5

    @pytest.mark.parametrize("given_beta", [False, True])
    @pytest.mark.parametrize("kind", ["definite", "singular sigma", "singular kernel"])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_slope_is_that_of_the_criterion_along_every_element(self, seed, kind, given_beta):
        if kind == "singular kernel" and not self.takes_singular_kernels:
            pytest.skip("this engine takes no singular kernel")
        case = self.case(seed, kind)
        point = self.engine(case).at(case.psi)
        for i, term in enumerate(case.problem.terms):
            slope = point.slope(i, given_beta=given_beta)
            differences = np.empty_like(slope)
            for at in np.ndindex(term.t, term.t):
                dF = np.zeros((term.t, term.t))
                dF[at] = 1.0
                differences[at] = self._difference(
                    case,
                    lambda h, i=i, dF=dF: _moved(case.psi, i, h * dF),
                    given_beta=given_beta,
                )
            error = np.abs(2 * slope - differences).max()
            assert error < 1e-6 * (np.abs(slope).max() + case.problem.n)

    @pytest.mark.parametrize("kind", ["definite", "singular sigma", "singular kernel"])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_slope_and_rank_give_the_expected_cross_product_of_effects(self, seed, kind):
        """S = E[U'K^-U | y] is F (r I - F'(A - Q)F) F', what an EM step needs."""
        if kind == "singular kernel" and not self.takes_singular_kernels:
            pytest.skip("this engine takes no singular kernel")
        case = self.case(seed, kind)
        engine = self.engine(case)
        point = engine.at(case.psi)
        for i, F in enumerate(case.psi.factors):
            assert engine.rank(i) == case.brute.rank(i)
            inner = engine.rank(i) * np.eye(len(F)) - F.T @ point.slope(i)
            assert_near(F @ inner @ F.T, case.brute.S(i))

    @pytest.mark.parametrize("kind", ["definite", "singular sigma"])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_any_square_root_of_sigma_gives_the_same(self, seed, kind):
        """With F turned the slope turns with it, and nothing on the scale of y moves."""
        case = self.case(seed, kind)
        turns = [_rotation(len(F), seed) for F in case.psi.factors]
        factors = tuple(F @ turn for F, turn in zip(case.psi.factors, turns, strict=True))
        turned = dataclasses.replace(case, psi=Psi(factors, case.psi.sigma2))
        engine = self.engine(case)
        point, straight = engine.at(turned.psi), engine.at(case.psi)
        assert_same_point(point, turned.brute, case.problem)
        assert_near(point.logdet_reml, straight.logdet_reml)
        assert_near(point.quad, straight.quad)
        for i, turn in enumerate(turns):
            assert_near(point.u[i], straight.u[i])
            assert_near(point.error_blocks([i]), straight.error_blocks([i]))
            scale = case.problem.n * np.abs(turn).max()
            assert np.abs(point.slope(i) - straight.slope(i) @ turn).max() < 1e-10 * scale

    @pytest.mark.parametrize("seed", SEEDS)
    def test_P_gives_the_slope_of_the_criterion_in_the_residual_variance(self, seed):
        case = self.case(seed, "definite")
        point = self.engine(case).at(case.psi)
        P = point.apply_P(np.eye(case.problem.n))
        Py = P @ (case.problem.y - case.problem.offset)
        inverse_weights = 1 / case.problem.weights
        analytic = np.diag(P) @ inverse_weights - Py @ (inverse_weights * Py)
        differences = self._difference(case, lambda h: Psi(case.psi.factors, case.psi.sigma2 + h))
        assert abs(analytic - differences) < 1e-6 * (np.diag(P) @ inverse_weights)

    @pytest.mark.parametrize("kind", ["definite", "singular sigma"])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_average_information_is_that_of_the_derivatives_of_V(self, seed, kind):
        """y'P dV P dV P y along each covariance, along sigma2, and along both."""
        case = self.case(seed, kind)
        point, brute = self.engine(case).at(case.psi), case.brute
        none = tuple(np.zeros_like(F) for F in case.psi.factors)
        directions = [
            Direction((*none[:i], D, *none[i + 1 :]))
            for i, term in enumerate(case.problem.terms)
            for D in _directions(term.t)
        ]
        directions += [Direction(none, 0.7), Direction(case.psi.sigmas, case.psi.sigma2)]
        f = np.column_stack([brute.along(d) @ brute.P @ brute.y for d in directions])
        assert_near(point.average_information(directions), f.T @ brute.P @ f)

    def _difference(self, case, psi_at, *, given_beta=False):
        """Central differences of the REML or ML criterion, with one step of Richardson."""
        engine = self.engine(case)

        def criterion(h):
            point = engine.at(psi_at(h))
            return (point.logdet_V if given_beta else point.logdet_reml) + point.quad

        coarse, fine = ((criterion(h) - criterion(-h)) / (2 * h) for h in (2e-3, 1e-3))
        return (4 * fine - coarse) / 3


def _directions(t):
    for a in range(t):
        for b in range(a + 1):
            D = np.zeros((t, t))
            D[a, b] = D[b, a] = 1.0
            yield D


def _moved(psi, i, change):
    """Psi with one F changed, whether or not Sigma still has its form."""
    factors = list(psi.factors)
    factors[i] = factors[i] + change
    return Psi(tuple(factors), psi.sigma2)


def _rotation(t, seed):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(t, t)))[0]
