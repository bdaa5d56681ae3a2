"""Somebody who settles what cannot be looked up: whether a school has its copy, it alone knows."""

import threading
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING

from bench.post_faults import LATE
from tests.service.mailservers import Dovecot

if TYPE_CHECKING:
    from docgen.backoffice.models import Delivery

EVERY = 1.0  # seconds
PATIENCE = 2.5 * LATE  # seconds: a mail that is on its way has come by then


class Somebody:
    """Asks the school, which looks into its mailbox, then says whether the mail is there."""

    def __init__(self, dovecot: Dovecot) -> None:
        self.dovecot = dovecot
        self.settled = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._settle_on, name="somebody")

    def __enter__(self) -> "Somebody":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def _settle_on(self) -> None:
        from django.db import Error, connection

        while not self._over.wait(EVERY):
            try:
                self._settle_all()
            except (Error, OSError):  # the database or the mailboxes are away
                connection.close()

    def _settle_all(self) -> None:
        from django.utils import timezone

        from docgen.backoffice.models import Message

        ago = timezone.now() - timedelta(seconds=PATIENCE)
        stuck = Message.objects.filter(stage="uncertain", state="failed", tried_at__lt=ago)
        for row in stuck.select_related("delivery"):
            if row.delivery:
                self._settle(row.delivery, row.part, row.message_id)

    def _settle(self, delivery: "Delivery", part: int, message_id: str) -> None:
        from bench.post_proof import fetched
        from docgen.backoffice import deliveries
        from docgen.errors import InvalidInput

        box = fetched(self.dovecot.url(delivery.recipient))
        with suppress(InvalidInput):  # a worker knew meanwhile
            deliveries.settle(delivery, "bench", is_sent=message_id in box, part=part)
            self.settled += 1
