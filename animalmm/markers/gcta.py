"""Relationship matrices in GCTA's binary files (.grm.bin, .grm.id, .grm.N.bin)."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from animalmm.errors import ArgumentError, DataError, listing
from animalmm.markers.genotypes import check_ids
from animalmm.markers.grm import GenomicRelationship
from animalmm.markers.products import empty_product, symmetric
from animalmm.markers.tables import individual_ids, require_file, text_table
from animalmm.relationship import CovarianceRelationship

__all__ = ["read_grm", "write_grm"]

FLOAT = np.dtype("<f4")


def read_grm(prefix: str | PathLike[str]) -> CovarianceRelationship:
    """Read a relationship matrix that GCTA wrote (``--make-grm``).

    Parameters
    ----------
    prefix : str or path
        What the names of .grm.bin and .grm.id begin with; .grm.N.bin is read if it is there.

    Returns
    -------
    CovarianceRelationship
        Ids are the individual ids as text, or ``"FID:IID"`` where these repeat. The elements have
        the precision of floats of four bytes, about seven digits.

    Raises
    ------
    DataError
        A file is missing, or its size is not that of a triangle for the animals of .grm.id.

    References
    ----------
    Yang, J., Lee, S.H., Goddard, M.E. & Visscher, P.M. (2011). GCTA: a tool for genome-wide complex
    trait analysis. Am. J. Hum. Genet. 88: 76-82.
    """
    stem = str(prefix).removesuffix(".bin").removesuffix(".grm")
    binary, names = require_file(stem + ".grm.bin"), require_file(stem + ".grm.id")
    table = text_table(names)
    if table.shape[1] != 2:
        raise DataError(f"{names} has {table.shape[1]} columns; family and individual are two")
    ids, history = individual_ids(table[0], table[1])
    check_ids(ids, "animal")
    n = len(ids)
    triangle = _triangle(binary, n)
    K = empty_product(n, "a relationship matrix")
    for i in range(n):
        start = i * (i + 1) // 2
        K[i, : i + 1] = triangle[start : start + i + 1]
    if not np.isfinite(K).all():
        raise DataError(f"{binary} has values that are not finite")
    read = f"read {binary.name}{_markers_read(Path(stem + '.grm.N.bin'), n)}"
    return CovarianceRelationship(ids, symmetric(K), binary.name, (read, *history))


def _triangle(path: Path, n: int) -> np.memmap[tuple[int, ...], np.dtype[np.float32]]:
    """The lower triangle, row by row, as it lies in the file."""
    expected, found = n * (n + 1) // 2 * FLOAT.itemsize, path.stat().st_size
    if found != expected:
        raise DataError(
            f"{path} has {found:,} bytes, and the triangle of {n:,} animals has {expected:,}: it "
            "is truncated, or belongs to another .grm.id"
        )
    return np.memmap(path, dtype=FLOAT, mode="r")


def _markers_read(path: Path, n: int) -> str:
    """How many markers the pairs of animals have, in words, if the file tells."""
    if not path.is_file():
        return ""
    markers = _triangle(path, n)
    low, high = float(markers.min()), float(markers.max())
    return (
        f", from {low:,.0f} markers" if low == high else f", from {low:,.0f} to {high:,.0f} markers"
    )


def write_grm(
    relationship: CovarianceRelationship,
    prefix: str | PathLike[str],
    *,
    n_markers: int | None = None,
) -> None:
    """Write a relationship matrix for GCTA.

    Parameters
    ----------
    relationship : CovarianceRelationship
        With n animals. Family and individual id are both the label as text.
    prefix : str or path
        Makes prefix.grm.bin (lower triangle, floats of four bytes), .grm.id and .grm.N.bin;
        overwrites them.
    n_markers : int, optional
        For .grm.N.bin; default the markers that a `GenomicRelationship` was made from.

    Raises
    ------
    ArgumentError
        Not a matrix; `n_markers` is needed.
    DataError
        A label with white space or without text, or labels that are alike as text.
    """
    if not isinstance(relationship, CovarianceRelationship):
        raise ArgumentError(
            f"write_grm() takes a relationship with a matrix, as grm() makes, not a "
            f"{type(relationship).__name__}"
        )
    if n_markers is None:
        if not isinstance(relationship, GenomicRelationship):
            raise ArgumentError("say from how many markers the matrix is: n_markers=")
        n_markers = int(relationship.markers["used"].sum())
    labels = pd.Index([str(label) for label in relationship.labels], dtype=object)
    odd = [label for label in labels if len(label.split()) != 1]
    if odd:
        raise DataError(f"ids with white space cannot be written for GCTA: {listing(odd)}")
    check_ids(labels, "animal")
    K = relationship.K
    with open(f"{prefix}.grm.bin", "wb") as binary, open(f"{prefix}.grm.N.bin", "wb") as counts:
        for i in range(len(labels)):
            row = K[[i], : i + 1]
            dense = row if isinstance(row, np.ndarray) else row.toarray()
            dense.astype(FLOAT).tofile(binary)
            np.full(i + 1, n_markers, dtype=FLOAT).tofile(counts)
    text = "".join(f"{label}\t{label}\n" for label in labels)
    Path(f"{prefix}.grm.id").write_text(text, encoding="utf-8")
