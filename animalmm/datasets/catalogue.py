"""What data sets there are, where they come from, and how their columns are read."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATALOGUE", "Entry"]

SIMULATED = "simulated for this package; no third-party content"
PUBLISHED = "measurements published in the literature (facts); cite the source"


@dataclass(frozen=True)
class Entry:
    """One data set.

    Attributes
    ----------
    title : str
        What was measured on what.
    formula : str
        The model usually fitted.
    source : str
        Publication, or how it was simulated.
    licence : str
        On what ground it is shipped.
    text : tuple of str
        Columns read as text: labels and factors.
    ordered : str, optional
        A column read as an ordered factor, its levels in order of appearance.
    pedigree, markers : bool
        Whether a pedigree or markers come along.
    """

    title: str
    formula: str
    source: str
    licence: str
    text: tuple[str, ...]
    ordered: str | None = None
    pedigree: bool = False
    markers: bool = False


CATALOGUE = {
    "cake": Entry(
        title="breaking angle of chocolate cakes of 3 recipes baked at 6 temperatures (split plot)",
        formula="angle ~ recipe * temperature + (1 | recipe:replicate)",
        source="Cochran & Cox (1957), Experimental Designs, 2nd ed., Wiley; from the thesis of "
        "F. E. Cook (1938), Iowa State College. 15 replicates of each recipe; temp is the "
        "temperature in degrees Fahrenheit as a number",
        licence=PUBLISHED,
        text=("replicate", "recipe"),
        ordered="temperature",
    ),
    "course": Entry(
        title="a population under phenotypic selection: base and 5 generations of 200 animals",
        formula="y ~ sex + protein + (1 | animal)",
        source="simulated with the parameters of a public university lecture on mixed models in "
        "animal breeding: mean 294, males +25, females -25, slope 0.75 on protein, sigma2_a 210, "
        "sigma2_e 490 (h2 0.30); the best 10% of males and 50% of females become parents. true_a "
        "and true_F are the simulated breeding value and the inbreeding",
        licence=SIMULATED,
        text=("animal", "sex"),
        pedigree=True,
    ),
    "dyestuff": Entry(
        title="yield of dyestuff (grams of standard colour) from 5 preparations of 6 batches",
        formula="Yield ~ 1 + (1 | Batch)",
        source="Davies & Goldsmith (1972), Statistical Methods in Research and Production, "
        "4th ed., Oliver & Boyd",
        licence=PUBLISHED,
        text=("Batch",),
    ),
    "dyestuff2": Entry(
        title="artificial yields of 6 batches whose between-batch variance is estimated as zero",
        formula="Yield ~ 1 + (1 | Batch)",
        source="Box & Tiao (1973), Bayesian Inference in Statistical Analysis, Addison-Wesley",
        licence=PUBLISHED,
        text=("Batch",),
    ),
    "gist": Entry(
        title="1000 animals with 1000 markers, one record each",
        formula="response ~ 1 + fix + (1 | animal)",
        source="simulated after the recipe of a public gist by T. Flutre comparing mixed-model "
        "programs: mu 4, b 2, sigma2_u 5, sigma2_e 5/3, u ~ N(0, K sigma2_u) with the uncentred "
        "K = M M' / 1000. true_u is the simulated animal effect",
        licence=SIMULATED,
        text=("animal",),
        markers=True,
    ),
    "pastes": Entry(
        title="strength of a chemical paste: 2 assays of 3 casks of each of 10 batches",
        formula="strength ~ 1 + (1 | batch/cask)",
        source="Davies & Goldsmith (1972), Statistical Methods in Research and Production, "
        "4th ed., Oliver & Boyd. sample names the cask within its batch",
        licence=PUBLISHED,
        text=("batch", "cask", "sample"),
    ),
    "penicillin": Entry(
        title="diameter (mm) of growth inhibition by 6 samples of penicillin on 24 plates",
        formula="diameter ~ 1 + (1 | plate) + (1 | sample)",
        source="Davies & Goldsmith (1972), Statistical Methods in Research and Production, "
        "4th ed., Oliver & Boyd",
        licence=PUBLISHED,
        text=("plate", "sample"),
    ),
    "sleepstudy": Entry(
        title="reaction time (ms) of 18 subjects over 10 days of restricted sleep",
        formula="Reaction ~ Days + (Days | Subject)",
        source="Belenky et al. (2003), Journal of Sleep Research 12, 1-12",
        licence=PUBLISHED,
        text=("Subject",),
    ),
}
