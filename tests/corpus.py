"""The reference corpus, which is larger than `tests/data` and lies beside the repository."""

import json
from pathlib import Path
from typing import Any

import pytest

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "reference"


def corpus_case(name: str) -> tuple[Path, dict[str, Any]]:
    """Folder and stored numbers of a case; the test is skipped when they are not there."""
    folder = CORPUS / name
    if not folder.is_dir():
        pytest.skip(f"the reference corpus is not beside the repository ({name})")
    return folder, json.loads((folder / "expected.json").read_text())
