"""The one door to Celery: a message holds an identifier, and only says that there is work.

The database knows what is to be done. A message that is lost, late or sent twice does no harm, so
nobody waits for a broker: requests hand their bells to a thread that rings them.
"""

import logging
import os
import queue
import threading
from collections.abc import Iterable
from typing import Any

from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)
PRINT, WORD, ATTEST, CALL = "print_volume", "convert_word", "attestation", "call_hook"
READ, BIND = "read_scan", "bind_returns"
COMPOSE, SEND = "compose_delivery", "send_message"
READ_MAIL, RECEIPTS = "read_mail", "write_receipts"
# LibreOffice and the servers of others take seconds: their line never holds the press.
LINES = {
    PRINT: "press",
    ATTEST: "press",
    READ: "press",
    BIND: "press",
    WORD: "word",
    CALL: "word",
    COMPOSE: "word",
    SEND: "word",
    READ_MAIL: "word",
    RECEIPTS: "word",
}
FULL = 1000  # bells that wait; more would say nothing new
AT_ONCE = 8  # bells for one job: a worker that is awake goes on by itself

app = Celery("docgen", broker=settings.BROKER_URL, set_as_current=False)
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_acks_late=True,
    task_reject_on_worker_lost=False,  # the sweeper rings again: no loop of a message that kills
    worker_prefetch_multiplier=1,
    task_time_limit=900,
    task_default_queue="press",
    task_routes={f"docgen.{name}": {"queue": line} for name, line in LINES.items()},
    task_create_missing_queues=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_consumer="workers.consuming:SoonBack",
    worker_cancel_long_running_tasks_on_connection_loss=False,  # a claim outlives its message
    worker_soft_shutdown_timeout=30,
    worker_max_tasks_per_child=500,
    worker_max_memory_per_child=400_000,  # KiB
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    enable_utc=True,
)
if settings.BROKER_URL.startswith("filesystem"):
    folder = str(settings.QUEUE_FOLDER)
    app.conf.broker_transport_options = {
        "data_folder_in": folder,
        "data_folder_out": folder,
        "control_folder": f"{folder}/control",
        "store_processed": False,
        "polling_interval": 0.2,
    }
else:
    app.conf.broker_transport_options = {
        # A worker that cannot acknowledge a message is deaf for ever: kombu then asks for no other,
        # and never sees that its connection is lost. A bell needs no acknowledgement.
        "ack_emulation": False,
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
        "health_check_interval": 10,
        "retry_on_timeout": False,
    }
    app.conf.broker_connection_timeout = 2

_bells: "queue.Queue[tuple[str, str]]" = queue.Queue(FULL)
_ringer: threading.Thread | None = None
_lock = threading.Lock()


def ring(task: str, ids: Iterable[object]) -> None:
    """Say that there is work, without waiting; call it after the transaction that made the work."""
    global _ringer  # noqa: PLW0603 - one ringer a process
    with _lock:
        if _ringer is None or not _ringer.is_alive():
            _ringer = threading.Thread(target=_ring_on, name="ringer", daemon=True)
            _ringer.start()
    for _, each in zip(range(AT_ONCE), ids, strict=False):
        try:
            _bells.put_nowait((task, str(each)))
        except queue.Full:
            return  # the broker is away; the sweeper rings when it is back


def hanging(line: str) -> int:
    """Count the bells of a line that nobody has heard yet.

    Raises:
        kombu.exceptions.OperationalError: when the broker cannot be reached.
    """
    with app.producer_pool.acquire(block=True, timeout=2) as producer:
        channel: Any = producer.channel
        count: int = channel.queue_declare(line).message_count
    return count


def ring_now(task: str, identifier: object) -> None:
    """Ring at once and say when it fails: for the sweeper.

    Raises:
        kombu.exceptions.OperationalError: when the broker cannot be reached.
    """
    app.send_task(f"docgen.{task}", (str(identifier),), retry=False)


def _ring_on() -> None:
    while True:
        task, identifier = _bells.get()
        try:
            ring_now(task, identifier)
        except Exception as error:  # whatever a broker does, the next bell is rung
            logger.warning("bell not rung", extra={"task": task, "error": type(error).__name__})


def reach() -> None:
    """Reach the broker, within a few seconds.

    Raises:
        kombu.exceptions.OperationalError: when it does not answer.
    """
    with app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
        is_folder = connection.transport_cls == "filesystem"
    if is_folder and not os.access(settings.QUEUE_FOLDER, os.W_OK):
        raise OperationalError("the folder of the queue cannot be written")


def settings_of_broker() -> dict[str, Any]:
    """Give how the broker is reached, without its password: for `docgen doctor`."""
    connection = app.connection_for_write()
    return {"transport": connection.transport_cls, "address": connection.as_uri()}
