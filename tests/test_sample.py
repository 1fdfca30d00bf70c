"""The sample build is what its recipe makes."""

import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parent.parent / "sample"


def recipe():
    spec = importlib.util.spec_from_file_location("sample_make", SAMPLE / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_sample_has_the_recorded_checksums_and_stays_tiny():
    assert recipe().checksums(SAMPLE / "build") == (SAMPLE / "CHECKSUMS").read_text()
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) < 150_000


def test_the_recipe_makes_the_same_bytes_in_another_folder(tmp_path):
    make = recipe()
    if importlib.metadata.version("ziglang") != make.VERSION:
        pytest.skip(f"the recorded bytes are ziglang {make.VERSION}'s")

    make.make(tmp_path)

    assert make.checksums(tmp_path) == (SAMPLE / "CHECKSUMS").read_text()
