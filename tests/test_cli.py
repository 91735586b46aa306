import re
import subprocess
import sys

import pytest

from animalmm.cli import main


def test_demo(capsys):
    assert main(["demo"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "Linear mixed model fit by REML" in out
    assert "y ~ sex + protein + (1 | animal)" in out
    assert re.search(r"^Heritability: 0\.\d{3}$", out, re.MULTILINE)

    best = out[out.index("The ten best animals") :].splitlines()[1:]
    assert best[0].split() == ["level", "blup", "se", "reliability", "records"]
    rows = [line.split() for line in best[1:11]]
    assert all(re.fullmatch(r"a\d{4}", row[0]) for row in rows)
    assert len({row[0] for row in rows}) == 10
    blups = [float(row[1]) for row in rows]
    assert blups == sorted(blups, reverse=True)
    assert all(0.0 < float(row[3]) < 1.0 for row in rows)
    assert "0" in {row[4] for row in rows}, "candidates without records are among the best"
    assert best[11] == ""
    assert "converged" in best[12]


@pytest.mark.parametrize("arguments", [["dmo"], [], ["demo", "extra"], ["--nonsense"]])
def test_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: animalmm" in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "demo" in capsys.readouterr().out


def test_module_runs():
    command = [sys.executable, "-m", "animalmm", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "invalid choice: 'nothing'" in done.stderr
