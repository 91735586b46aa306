"""What a formula says, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BarTerm", "FormulaSpec"]


@dataclass(frozen=True)
class BarTerm:
    """One random term: ``(lhs | group)`` after ``||`` and ``/`` have been written out.

    Parameters
    ----------
    lhs : str
        formulaic text of the t columns, its intercept explicit: ``"1"``, ``"1 + Days"``,
        ``"0 + x"``.
    group : tuple of str
        Column names, unquoted; more than one is their interaction, in the order printed.
    kernel : str, optional
        Name of the relationship matrix asked for with ``gr(column, kernel)``.
    identity : bool, default False
        Whether the term was written ``ide(column)``: no relationship, whatever `relmat` says.
    tag : str, optional
        Terms with one tag, ``(1 | tag | group)``, share one covariance matrix.
    structure : {"us", "diag", "cs", "ar1"}
        Structure of the covariance matrix of the t columns.
    text : str
        The term as the user wrote it.
    position : int
        Where it starts in the formula.
    """

    lhs: str
    group: tuple[str, ...]
    kernel: str | None = None
    identity: bool = False
    tag: str | None = None
    structure: str = "us"
    text: str = ""
    position: int = 0

    @property
    def name(self) -> str:
        """The printed name of the group: ``animal``, ``cask:batch``, ``ide(animal)``."""
        columns = ":".join(self.group)
        if self.identity:
            return f"ide({columns})"
        return columns if self.kernel is None else f"gr({columns}, {self.kernel})"


@dataclass(frozen=True)
class FormulaSpec:
    """A formula in parts.

    Parameters
    ----------
    text : str
        The formula as the user wrote it.
    response : str
        formulaic text of the left side: ``"y"``, ``"log(y)"``.
    fixed : str
        formulaic text of the fixed part, its intercept explicit: ``"1 + sex"``, ``"0 + sex"``.
    offsets : tuple of str
        formulaic text of what stood in each ``offset(...)``.
    bars : tuple of BarTerm
        The random terms, in the order written.
    """

    text: str
    response: str
    fixed: str
    offsets: tuple[str, ...]
    bars: tuple[BarTerm, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns that a random term groups by, each once, in the order of first use."""
        return tuple(dict.fromkeys(column for bar in self.bars for column in bar.group))
