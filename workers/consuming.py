"""How the main process of a worker finds its broker again: soon, however long it was away."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

LONGEST_WAIT = 3  # seconds between two tries; kombu would wait up to 30 and come late to the work


class SoonBack(Consumer):
    """Celery's own consumer, that tries to reach a lost broker every 3 s."""

    def ensure_connected(self, conn: Any) -> Any:  # noqa: ANN401 - kombu has no types
        """Connect, trying again for as long as it takes."""
        conn.ensure_connection = partial(
            conn.ensure_connection, interval_start=1, interval_step=1, interval_max=LONGEST_WAIT
        )
        return super().ensure_connected(conn)
