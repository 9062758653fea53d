"""A store that can be out of reach for a while."""

from __future__ import annotations

from monitor.domain.errors import StoreTrouble
from monitor.testing import MemoryStore


class UnreachableStore(MemoryStore):
    """A store in memory whose next calls of the given methods find nobody there."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: dict[str, int] = {}
        """How often each method is still to fail."""

    def _answer(self, method: str) -> None:
        left = self.refusals.get(method, 0)
        if left > 0:
            self.refusals[method] = left - 1
            raise StoreTrouble("The store cannot be reached.", next_step="Start it.")

    def lease(self, **how):
        self._answer("lease")
        return super().lease(**how)

    def renew(self, evaluation_id, **how):
        self._answer("renew")
        return super().renew(evaluation_id, **how)

    def save_held(self, evaluation, **how):
        self._answer("save_held")
        return super().save_held(evaluation, **how)

    def postpone(self, evaluation_id, **how):
        self._answer("postpone")
        return super().postpone(evaluation_id, **how)

    def observations(self, evaluation_id):
        self._answer("observations")
        return super().observations(evaluation_id)
