"""Hooks: other programs are called when something happens, signed as Standard Webhooks asks.

A call is tried again for about a day. One that is given up stops its hook, with its log: whoever
runs the other program mends it, and starts the hook again.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from docgen.backoffice import calling, claims, outbox, queue
from docgen.backoffice.calling import Answer, Order
from docgen.backoffice.events import tell
from docgen.backoffice.models import Client, Hook, HookCall, State
from docgen.errors import InvalidInput, Problem

PREFIX = "whsec_"
SECRET_BYTES = 32
MOST_HOOKS = 10  # of one program
MOST_ANSWERS = 30  # kept in the log of a call
# Seconds before each new try: about a day in all.
DELAYS = (5, 60, 300, 1800, 2 * 3600, 4 * 3600, 8 * 3600, 10 * 3600)
GONE = 410  # the other side says that it wants no more calls
UNTOLD = (State.WAITING, State.FAILED, State.QUARANTINED, State.CANCELLED)


def create(client: Client, url: str, kinds: Collection[str], by: str) -> tuple[Hook, str]:
    """Make a hook and its secret, which nobody can show again.

    Raises:
        InvalidInput: with every problem of the address and of what is listened to.
    """
    problems = [
        Problem(f"« {kind} » n’existe pas.", "kinds", f"Choisissez : {', '.join(outbox.KINDS)}.")
        for kind in sorted(set(kinds) - set(outbox.KINDS))
    ]
    problems += [
        Problem(f"ce jeton n’a pas le droit « {scope} ».", "kinds", "Demandez-en un autre.")
        for scope in sorted({outbox.SUBJECTS[kind].scope for kind in kinds if kind in outbox.KINDS})
        if scope not in client.scopes
    ]
    if not kinds:
        problems.append(Problem("il manque ce qu’il faut signaler.", "kinds"))
    if fault := calling.fault_of(url, settings.HOOK_HOSTS):
        remedy = "Donnez une adresse https, ou faites admettre son hôte (DOCGEN_HOOK_HOSTS)."
        problems.append(Problem(fault, "url", remedy))
    secret = PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    with transaction.atomic():
        Client.objects.select_for_update().get(pk=client.pk)
        if Hook.objects.filter(client=client).count() >= MOST_HOOKS:
            what = f"ce programme a déjà {MOST_HOOKS} abonnements."
            problems.append(Problem(what, "", "Supprimez-en un."))
        if problems:
            raise InvalidInput(problems)
        hook = Hook.objects.create(client=client, url=url, secret=secret, kinds=sorted(set(kinds)))
        _tell("hook-added", hook, by)
    return hook, secret


def remove(hook: Hook, by: str) -> None:
    """Delete a hook, with its calls and their log."""
    with transaction.atomic():
        _tell("hook-removed", hook, by)
        hook.delete()


def stop(hook: Hook, by: str) -> None:
    """Stop a hook: what waits is not sent, and nothing more is written for it."""
    with transaction.atomic():
        if Hook.objects.filter(pk=hook.pk, stopped_at=None).update(stopped_at=Now()):
            waiting = HookCall.objects.filter(hook=hook, state=State.WAITING)
            waiting.update(state=State.CANCELLED, finished_at=Now())
            _tell("hook-stopped", hook, by)


def restart(hook: Hook, by: str, *, is_replay: bool = False) -> int:
    """Start a hook again, or try at once what waits; give how many calls are to be sent.

    With `is_replay`, what was never delivered is sent too.
    """
    states = UNTOLD if is_replay else (State.WAITING,)
    with transaction.atomic():
        Hook.objects.filter(pk=hook.pk).update(stopped_at=None)
        calls = HookCall.objects.select_for_update().filter(hook=hook, state__in=states)
        again = list(calls.order_by("pk").values_list("pk", flat=True))
        HookCall.objects.filter(pk__in=again).update(
            state=State.WAITING, delayed_until=None, delays=0, deaths=0, lost=0, problems=[]
        )
        _tell("hook-restarted", hook, by, calls=len(again))
        transaction.on_commit(lambda: queue.ring(queue.CALL, again))
    return len(again)


def test(hook: Hook, by: str) -> HookCall:
    """Call a hook to see whether it answers: its log will tell.

    Raises:
        InvalidInput: when it is stopped.
    """
    if hook.stopped_at is not None:
        what = "cet abonnement est arrêté."
        raise InvalidInput(Problem(what, "", "Relancez-le d’abord."))
    with transaction.atomic():
        (call,) = outbox.write([outbox.call(hook, outbox.TEST, str(hook.public_id))])
        _tell("hook-tested", hook, by)
    return call


def order(call: HookCall) -> Order:
    """Give what to send for a call, signed as of now.

    Raises:
        InvalidInput: when it may not be sent any more.
    """
    hook = Hook.objects.select_related("client").get(pk=call.hook_id)
    _refuse_ended(hook, call)
    body = json.dumps(call.body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    identifier, now = str(call.public_id), int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "docgen",
        "webhook-id": identifier,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(hook.secret, identifier, now, body),
    }
    return Order(hook.url, headers, body, settings.HOOK_HOSTS)


def signature(secret: str, identifier: str, timestamp: int, body: bytes) -> str:
    """Sign a call: HMAC-SHA256 of its id, its time and its body, under the hook's secret."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    content = f"{identifier}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def settle(call: HookCall, answer: Answer) -> bool:
    """Record what the other side answered; False when the claim was lost."""
    told = {
        "at": timezone.now().isoformat(timespec="seconds"),
        "status": answer.status,
        "milliseconds": answer.milliseconds,
        "fault": answer.fault,
    }
    answers = [*call.answers, told][-MOST_ANSWERS:]
    with transaction.atomic():
        if 200 <= answer.status < 300:
            return claims.finish(call, answers=answers, problems=[])
        if answer.status == GONE or call.delays >= len(DELAYS):
            return _give_up(call, answers)
        if not claims.delay(call, DELAYS[call.delays], answers=answers):
            return False
        # The next ones would meet the same silence, and hold a worker each.
        soon = Q(delayed_until=None) | Q(delayed_until__lt=claims.later(outbox.REST))
        others = HookCall.objects.filter(soon, hook=call.hook_id, state=State.WAITING)
        others.exclude(pk=call.pk).update(delayed_until=claims.later(outbox.REST))
    return True


def fail(call: HookCall, problems: list[Problem]) -> bool:
    """Record why a call is not sent."""
    return claims.fail(call, problems)


def _give_up(call: HookCall, answers: list[dict[str, object]]) -> bool:
    what = "aucun appel n’a abouti." if call.delays else "le destinataire ne veut plus d’appels."
    if not claims.fail(call, [Problem(what, "", "Voyez son journal.")], answers=answers):
        return False
    stop(Hook.objects.select_related("client").get(pk=call.hook_id), "docgen")
    return True


def _refuse_ended(hook: Hook, call: HookCall) -> None:
    client = hook.client
    if hook.stopped_at is not None:
        raise InvalidInput("l’abonnement est arrêté.")
    if client.revoked_at is not None or client.expires_at <= timezone.now():
        raise InvalidInput("le jeton du programme n’est plus valable.")
    if not outbox.may_hear(hook, call.kind, call.body["data"]["id"]):
        raise InvalidInput("ce programme n’a plus le droit de le savoir.")


def _tell(kind: str, hook: Hook, by: str, **facts: object) -> None:
    school = hook.client.school_id or ""
    tell(kind, str(hook.public_id), school=school, actor=by, **facts)
