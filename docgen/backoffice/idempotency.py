"""The same request twice, under one Idempotency-Key, has one effect and one answer.

The key, the effect and the answer are written in one transaction: whoever comes second waits for
the first, then reads its answer. A request that was refused leaves nothing, and may be sent again.
"""

from collections.abc import Callable

from django.db import transaction

from docgen.backoffice.models import IdempotentAnswer

Answer = tuple[int, str]  # the status, and the answer as it was written


class KeyReused(Exception):
    """The key was used before, for another request."""


def once(actor: str, key: str, request: str, act: Callable[[], Answer]) -> Answer:
    """Act unless this was done already; give the status and the answer, then or now.

    `request` is the digest of all that was asked.

    Raises:
        KeyReused: when the key belongs to another request.
    """
    with transaction.atomic():
        row, is_new = IdempotentAnswer.objects.get_or_create(
            actor=actor, key=key, defaults={"request": request}
        )
        if not is_new:
            return _said(row, request)
        status, answer = act()
        IdempotentAnswer.objects.filter(pk=row.pk).update(status=status, answer=answer)
    return status, answer


def answered_once(actor: str, key: str, request: str, act: Callable[[], Answer]) -> Answer:
    """Act as `once` does, but keep only the answer in the transaction, and not the effect.

    For what does the same thing once or twice, and takes long (files are kept), or has effects
    that stay when the rest is refused. Who comes at the same moment acts too, and gets the answer
    of the first.

    Raises:
        KeyReused: when the key belongs to another request.
    """
    row = IdempotentAnswer.objects.filter(actor=actor, key=key).first()
    if row:
        return _said(row, request)
    done = act()
    return once(actor, key, request, lambda: done)


def _said(row: IdempotentAnswer, request: str) -> Answer:
    if row.request != request:
        raise KeyReused
    return row.status, str(row.answer)
