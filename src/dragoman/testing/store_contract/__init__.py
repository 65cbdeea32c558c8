"""The contract of `TaskStore` as tests, for everyone who writes one.

    class TestMyStore(DurableTaskStoreContract):
        def make_store(self, place: Path) -> TaskStore:
            return MyStore(place / "tasks")

They need pytest and pytest-asyncio. For readable failures, call
`pytest.register_assert_rewrite("dragoman.testing.store_contract")` in `conftest.py`.
"""

from dragoman.testing.store_contract.endurance import EnduranceContract
from dragoman.testing.store_contract.keeping import KeepingContract
from dragoman.testing.store_contract.keys import KeyContract
from dragoman.testing.store_contract.leases import LeaseContract
from dragoman.testing.store_contract.listing import ListingContract
from dragoman.testing.store_contract.log import LogContract
from dragoman.testing.store_contract.pushes import PushContract
from dragoman.testing.store_contract.reading import ReadingContract
from dragoman.testing.store_contract.scopes import ScopeContract
from dragoman.testing.store_contract.signals import SignalContract
from dragoman.testing.store_contract.upkeep import UpkeepContract

__all__ = ["DurableTaskStoreContract", "TaskStoreContract"]


class TaskStoreContract(
    LogContract,
    ReadingContract,
    ScopeContract,
    ListingContract,
    LeaseContract,
    KeyContract,
    SignalContract,
    PushContract,
    UpkeepContract,
    EnduranceContract,
):
    """What every task store does."""


class DurableTaskStoreContract(TaskStoreContract, KeepingContract):
    """What a task store does that keeps its data when it is closed."""
