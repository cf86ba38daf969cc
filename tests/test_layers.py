"""What the import rules cannot see: which libraries are really loaded."""

import subprocess
import sys


def loaded_by(package):
    """The modules in memory once every module of `package` is imported."""
    code = (
        f"import importlib, pkgutil, sys, {package} as package\n"
        "for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(found.name)\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_reports_load_no_library_that_trains():
    assert not {"torch", "transformers", "optuna", "open_clip"} & loaded_by("reports")


def test_the_store_loads_no_library_that_trains():
    assert not {"torch", "transformers", "optuna", "open_clip"} & loaded_by("harness.store")
