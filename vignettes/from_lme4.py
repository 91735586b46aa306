"""For those who know lme4: the same models, the same numbers.

Run it: python vignettes/from_lme4.py
"""

# %% Random slopes
import warnings

import pandas as pd

import animalmm
from animalmm.datasets import load

sleepstudy = load("sleepstudy").data
fit = animalmm.fit("Reaction ~ Days + (Days | Subject)", sleepstudy)
print(fit.summary())
assert abs(fit.remlcrit - 1743.628) < 1e-3  # what lme4 prints

# %% Tables, not text
print(fit.varcorr())
print(fit.ranef("Subject").head())
print(fit.condvar("Subject").loc["308"])

# %% Uncorrelated slopes, compared by maximum likelihood
models = {
    formula: animalmm.fit(f"Reaction ~ Days + {formula}", sleepstudy, method="ML")
    for formula in ("(1 | Subject)", "(Days || Subject)", "(Days | Subject)")
}
table = pd.DataFrame(
    {name: [m.npar, m.aic, m.bic, m.llf] for name, m in models.items()},
    index=["npar", "AIC", "BIC", "logLik"],
)
print(table.T.round(3))

# %% Prediction
new = pd.DataFrame({"Days": [0.0, 10.0, 10.0], "Subject": ["308", "308", "a new one"]})
print(fit.predict(new, allow_new_levels=True))
print(fit.predict(new, random=False))

# %% Nested and crossed factors
pastes = load("pastes").data
print(animalmm.fit("strength ~ 1 + (1 | batch/cask)", pastes).varcorr())
penicillin = load("penicillin").data
print(animalmm.fit("diameter ~ 1 + (1 | plate) + (1 | sample)", penicillin).varcorr())

# %% A singular fit is said, and is legal
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    singular = animalmm.fit("Yield ~ 1 + (1 | Batch)", load("dyestuff2").data)
print(caught[0].message)
assert singular.is_singular()
