"""Things done at the same moment, in threads that have a connection each."""

from collections.abc import Callable
from threading import Thread

from django.db import connection


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Do things in threads, each with a connection of its own; give what each gave or raised."""
    found: list[object] = [None] * len(calls)

    def run(index: int) -> None:
        try:
            found[index] = calls[index]()
        except Exception as error:
            found[index] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
