import importlib.util

import pytest

BACKENDS = ["dense", "superlu", "cholmod"]


@pytest.fixture(params=BACKENDS, scope="session")
def backend(request):
    if request.param == "cholmod" and importlib.util.find_spec("sksparse") is None:
        pytest.skip("scikit-sparse is not installed")
    return request.param
