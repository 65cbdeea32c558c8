import pytest

pytest.register_assert_rewrite("dragoman.testing.bus_contract", "dragoman.testing.store_contract")
