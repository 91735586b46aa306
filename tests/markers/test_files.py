"""PLINK, VCF, CSV and GCTA files written by the tests themselves."""

import numpy as np
import pandas as pd
import pytest

from animalmm.errors import AnimalmmWarning, ArgumentError, DataError, MissingDependencyError
from animalmm.markers import (
    Genotypes,
    gaussian_kernel,
    grm,
    read_genotypes_csv,
    read_grm,
    read_plink,
    read_vcf,
    write_grm,
)
from animalmm.markers import genotypes as genotypes_module
from animalmm.relationship import CovarianceRelationship, IdentityRelationship

from .reference import frame, genotypes, ids

M = genotypes(9, 23, missing=0.06)


@pytest.fixture
def prefix(tmp_path):
    return str(tmp_path / "some")


@pytest.fixture
def plink(prefix):
    """Write files; returns a function that takes changed properties."""
    bed_reader = pytest.importorskip("bed_reader")

    def write(values=M, **changes):
        n, m = values.shape
        properties = {
            "fid": ["F"] * n,
            "iid": ids(n),
            "sid": [f"snp{j}" for j in range(m)],
            "chromosome": ["1"] * m,
            "bp_position": np.arange(1, m + 1) * 10,
            "allele_1": ["A"] * m,
            "allele_2": ["C"] * m,
        }
        bed_reader.to_bed(prefix + ".bed", values, properties=properties | changes)
        return prefix

    return write


class TestPlink:
    @pytest.mark.parametrize("ending", ["", ".bed", ".bim", ".fam"])
    def test_round_trip(self, plink, ending, monkeypatch):
        monkeypatch.setattr(genotypes_module, "BLOCK", 9 * 5)
        read = read_plink(plink() + ending)
        assert isinstance(read, Genotypes)
        assert read.shape == M.shape
        pd.testing.assert_frame_equal(
            read.to_frame(), frame(M), check_index_type=False, check_column_type=False
        )
        assert read.markers.loc["snp3"].tolist() == ["1", 40, "A", "C"]
        assert "copies of A1" in read.history[0]
        assert repr(read) == "Genotypes(9 animals, 23 markers)"

    def test_relationships_are_those_of_the_array(self, plink):
        read = read_plink(plink())
        for missing in ("pairwise", "em"):
            K = grm(read, missing=missing, min_maf=0.25)
            expected = grm(frame(M), missing=missing, min_maf=0.25)
            np.testing.assert_allclose(K.K, expected.K, atol=1e-12)
            assert K.history[0].startswith("read some.bed")
            assert list(K.markers["reason"]) == list(expected.markers["reason"])
            assert K.markers.loc["snp3", "counted"] == "A"
        expected = gaussian_kernel(frame(M)).K
        np.testing.assert_allclose(gaussian_kernel(read).K, expected, atol=1e-12)

    def test_quotes_are_letters(self, plink):
        read = read_plink(plink(iid=['"x', *ids(8)], sid=["'s", '"t', *map(str, range(21))]))
        assert read.ids[0] == '"x'
        assert list(read.markers.index[:2]) == ["'s", '"t']

    def test_a_position_that_is_none(self, plink, tmp_path):
        path = tmp_path / "some.bim"
        plink()
        path.write_text(path.read_text().replace("\t30\t", "\tthirty\t"))
        with pytest.raises(DataError, match="not whole numbers: 'thirty', of the markers 'snp2'"):
            read_plink(path)

    def test_ids_that_repeat_get_their_family(self, plink):
        read = read_plink(plink(fid=[f"F{i}" for i in range(9)], iid=["1", "1", *ids(7)]))
        assert read.ids[:3].tolist() == ["F0:1", "F1:1", "F2:a0"]
        assert "FID:IID, because individual ids repeat: '1'" in read.history[1]

    def test_markers_without_a_name_get_their_place(self, plink):
        read = read_plink(plink(sid=["."] * 23))
        assert read.markers.index[0] == "1:10"

    @pytest.mark.parametrize("ending", [".bed", ".bim", ".fam"])
    def test_missing_file(self, plink, ending, tmp_path):
        path = plink()
        (tmp_path / f"some{ending}").unlink()
        with pytest.raises(DataError, match=f"there is no file '.*some{ending}'"):
            read_plink(path)

    def test_another_file(self, plink, tmp_path):
        path = plink()
        (tmp_path / "some.bed").write_text("id,snp1\na,0\n")
        with pytest.raises(DataError, match=r"is not a PLINK .bed file"):
            read_plink(path)

    def test_animal_by_animal(self, plink, tmp_path):
        path = plink()
        content = bytearray((tmp_path / "some.bed").read_bytes())
        content[2] = 0
        (tmp_path / "some.bed").write_bytes(content)
        with pytest.raises(DataError, match=r"old order.*plink --make-bed"):
            read_plink(path)

    def test_truncated(self, plink, tmp_path):
        path = plink()
        content = (tmp_path / "some.bed").read_bytes()
        (tmp_path / "some.bed").write_bytes(content[:-2])
        with pytest.raises(DataError, match=r"70 bytes; 9 animals \(.fam\) and 23 markers.*72"):
            read_plink(path)

    @pytest.mark.parametrize("text", ["a b c\n", "", "a b c d e f\na b c d e f g\n"])
    def test_fam_of_other_columns(self, plink, tmp_path, text):
        path = plink()
        (tmp_path / "some.fam").write_text(text)
        with pytest.raises(DataError, match=r"columns and a .fam file has 6"):
            read_plink(path)


@pytest.mark.parametrize(
    ("library", "read", "ending"),
    [("bed_reader", read_plink, ".bed"), ("cyvcf2", read_vcf, ".vcf")],
)
def test_missing_library(library, read, ending, tmp_path, monkeypatch):
    def absent(name, *args, **kwargs):
        raise ImportError(name)

    monkeypatch.setattr(
        f"animalmm.markers.{'plink' if ending == '.bed' else 'vcf'}.import_module", absent
    )
    for each in (".bed", ".bim", ".fam", ".vcf"):
        (tmp_path / f"some{each}").touch()
    with pytest.raises(MissingDependencyError, match=r'pip install "animalmm\[markers\]"'):
        read(tmp_path / f"some{ending}")


HEADER = """##fileformat=VCFv4.2
##contig=<ID=1>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=DS,Number=1,Type=Float,Description="Dosage">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc
"""


def record(position, name, alternative, *calls, form="GT:DS"):
    fields = ["1", position, name, "C", alternative, ".", "PASS", ".", form, *calls]
    return "\t".join(map(str, fields)) + "\n"


@pytest.fixture
def vcf(tmp_path):
    pytest.importorskip("cyvcf2")

    def write(*records):
        path = tmp_path / "some.vcf"
        path.write_text(HEADER + "".join(records))
        return path

    return write


class TestVCF:
    RECORDS = (
        record(10, "s", "A", "0/0:0.1", "0/1:0.9", "1|1:2"),
        record(20, ".", "G", "./.:.", "1/0:1.25", "./1:1.5"),
    )

    def test_calls(self, vcf):
        read = read_vcf(vcf(*self.RECORDS))
        assert list(read.ids) == ["a", "b", "c"]
        assert list(read.markers.index) == ["s", "1:20"]
        assert read.markers.loc["1:20"].tolist() == ["1", 20, "G", "C"]
        np.testing.assert_array_equal(read.to_frame(), [[0, np.nan], [1, 1], [2, np.nan]])
        assert "copies of the alternative allele" in read.history[0]
        assert grm(read, missing="pairwise").markers["call_rate"].tolist() == pytest.approx(
            [1, 1 / 3]
        )

    def test_haploid_calls_count_twice(self, vcf):
        read = read_vcf(vcf(record(10, "s", "A", "0:0", "1:2", ".:.")))
        np.testing.assert_array_equal(read.to_frame(), [[0], [2], [np.nan]])

    def test_dosages(self, vcf):
        read = read_vcf(vcf(*self.RECORDS), "DS")
        expected = [[0.1, np.nan], [0.9, 1.25], [2, 1.5]]
        np.testing.assert_allclose(read.to_frame(), expected, rtol=1e-6)

    def test_more_alleles_are_left_out_with_a_word(self, vcf):
        path = vcf(*self.RECORDS, record(30, "t", "A,G", "0/0:0", "0/1:1", "1/2:2"))
        with pytest.warns(AnimalmmWarning, match="1 records without exactly one .* '1:30'"):
            read = read_vcf(path)
        assert read.shape == (3, 2)
        assert "1 records" in read.history[1]

    def test_refusals(self, vcf, tmp_path):
        path = vcf(record(10, "s", "A", "0/0", "0/1", "1|1", form="GT"))
        with pytest.raises(DataError, match="record at 1:10 has no field DS; try field='GT'"):
            read_vcf(path, "DS")
        with pytest.raises(ArgumentError, match="no field='GP'; there are 'GT' and 'DS'"):
            read_vcf(path, "GP")
        with pytest.raises(DataError, match=r"there is no file 'nowhere.vcf'"):
            read_vcf("nowhere.vcf")
        with pytest.raises(DataError, match="has no record of two alleles"):
            read_vcf(vcf())
        with pytest.raises(DataError, match="record at 1:10 has no field GT; try field='DS'"):
            read_vcf(vcf(record(10, "s", "A", "0", "1", "2", form="DS")))
        with pytest.raises(DataError, match=r"record at 1:10 has calls of 3 alleles; .*diploids"):
            read_vcf(vcf(record(10, "s", "A", "0/0/1", "0/1", "1|1", form="GT")))
        malformed = record(10, "s", "A", "a/b", "0/1", "1|1", form="GT")
        with pytest.raises(DataError, match="is truncated or has a malformed record"):
            read_vcf(vcf(malformed))
        (tmp_path / "other.vcf").write_text("id,snp1\na,0\n")
        with pytest.raises(DataError, match="is not a VCF or BCF file"):
            read_vcf(tmp_path / "other.vcf")


class TestCSV:
    def test_round_trip(self, tmp_path):
        path = tmp_path / "m.csv.gz"
        table = frame(M)
        table.index = pd.Index([f"{i:03d}" for i in range(9)], name="id")
        table.to_csv(path)
        read = read_genotypes_csv(path)
        assert list(read.ids) == list(table.index)
        pd.testing.assert_frame_equal(read.to_frame(), table, check_names=False)
        assert read.history == ("read m.csv.gz",)

    def test_other_separator_and_code(self, tmp_path):
        path = tmp_path / "m.txt"
        path.write_text("id s t\n1 0 -9\n2 2 1\n")
        read = read_genotypes_csv(path, sep=r"\s+", missing_code=-9)
        np.testing.assert_array_equal(read.to_frame(), [[0, np.nan], [2, 1]])

    @pytest.mark.parametrize(
        ("text", "match"),
        [
            ("id,s,s\na,0,1\nb,1,1\n", "duplicated marker names: 's'"),
            ("id,s\na,0\na,1\n", "duplicated animal names: 'a'"),
            ("id,s,t\na,0,0\nb,1,A/G\n", "not numbers: 't', for example 'A/G' of animal 'b'"),
            ("id;s\na;0\n", "one column; say what separates"),
            ("id,s\n", "no genotypes: 0 animals"),
            ("", "cannot be read as a table: No columns"),
            ("s,t\na,0,1\nb,1,1\n", "2 names in its first line and 3 values in others"),
            ("id,s\na,0\nb,1,1,1\n", "cannot be read as a table: .*line 3"),
        ],
    )
    def test_refusals(self, tmp_path, text, match):
        path = tmp_path / "m.csv"
        path.write_text(text)
        with pytest.raises(DataError, match=match):
            read_genotypes_csv(path)

    def test_letters_of_another_encoding(self, tmp_path):
        path = tmp_path / "m.csv"
        path.write_bytes("id,s\nm\xfcll,0\n".encode("latin1"))
        with pytest.raises(DataError, match=r"cannot be read as a table: .*utf-8"):
            read_genotypes_csv(path)
        assert list(read_genotypes_csv(path, encoding="latin1").ids) == ["m\xfcll"]

    def test_options_that_are_set(self):
        with pytest.raises(ArgumentError, match="has no 'nrows', 'usecols'; read another table"):
            read_genotypes_csv("nowhere.csv", usecols=[0, 1], nrows=3)

    def test_no_file(self):
        with pytest.raises(DataError, match=r"there is no file 'nowhere.csv'"):
            read_genotypes_csv("nowhere.csv")


class TestGCTA:
    K = grm(M, ids(9), "yang", missing="pairwise")

    def test_round_trip(self, prefix):
        write_grm(self.K, prefix)
        read = read_grm(prefix)
        np.testing.assert_array_equal(read.K, self.K.K.astype(np.float32).astype(float))
        assert list(read.labels) == ids(9)
        assert read.history == ("read some.grm.bin, from 23 markers",)

    def test_the_format(self, prefix, tmp_path):
        """a11, a21, a22, a31, ... in four bytes; two columns of ids without a header."""
        K = CovarianceRelationship(pd.Index([7, 8]), np.array([[1.0, 0.25], [0.25, 1.5]]))
        write_grm(K, prefix, n_markers=12)
        triangle = np.frombuffer((tmp_path / "some.grm.bin").read_bytes(), "<f4")
        np.testing.assert_array_equal(triangle, [1.0, 0.25, 1.5])
        markers = np.frombuffer((tmp_path / "some.grm.N.bin").read_bytes(), "<f4")
        np.testing.assert_array_equal(markers, [12, 12, 12])
        assert (tmp_path / "some.grm.id").read_text() == "7\t7\n8\t8\n"

    def test_ids_and_markers_of_others(self, prefix, tmp_path):
        write_grm(self.K, prefix)
        (tmp_path / "some.grm.id").write_text("".join(f"F{i} x\n" for i in range(9)))
        np.arange(45, dtype="<f4").tofile(tmp_path / "some.grm.N.bin")
        read = read_grm(prefix + ".grm.bin")
        assert read.labels[0] == "F0:x"
        assert read.history[0] == "read some.grm.bin, from 0 to 44 markers"
        (tmp_path / "some.grm.N.bin").unlink()
        assert read_grm(prefix).history[0] == "read some.grm.bin"

    def test_truncated(self, prefix, tmp_path):
        write_grm(self.K, prefix)
        path = tmp_path / "some.grm.bin"
        path.write_bytes(path.read_bytes()[:-4])
        with pytest.raises(DataError, match="176 bytes, and the triangle of 9 animals has 180"):
            read_grm(prefix)

    def test_refusals(self, prefix, tmp_path):
        with pytest.raises(DataError, match=r"there is no file '.*some.grm.bin'"):
            read_grm(prefix)
        plain = CovarianceRelationship(pd.Index(["a", "b"]), np.eye(2))
        with pytest.raises(ArgumentError, match=r"from how many markers.*n_markers="):
            write_grm(plain, prefix)
        with pytest.raises(ArgumentError, match="not a IdentityRelationship"):
            write_grm(IdentityRelationship(pd.Index(["a"])), prefix, n_markers=3)
        spaced = CovarianceRelationship(pd.Index(["a 1", "b"]), np.eye(2))
        with pytest.raises(DataError, match=r"white space.*'a 1'"):
            write_grm(spaced, prefix, n_markers=3)
        alike = CovarianceRelationship(pd.Index([1, "1"], dtype=object), np.eye(2))
        with pytest.raises(DataError, match="duplicated animal names: '1'"):
            write_grm(alike, prefix, n_markers=3)
        write_grm(plain, prefix, n_markers=3)
        np.array([1, np.nan, 1], "<f4").tofile(tmp_path / "some.grm.bin")
        with pytest.raises(DataError, match="values that are not finite"):
            read_grm(prefix)
        (tmp_path / "some.grm.id").write_text("a\nb\n")
        with pytest.raises(DataError, match="has 1 columns; family and individual are two"):
            read_grm(prefix)
