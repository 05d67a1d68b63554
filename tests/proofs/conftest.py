"""The verifier as a module, for tests that run it many times."""

import importlib.util

import pytest

from tests.proofs.stage import VERIFIER


@pytest.fixture(scope="session")
def verifier():
    """Return the verifier's module."""
    spec = importlib.util.spec_from_file_location("fairbook_verify", VERIFIER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
