"""Hooks: written with what they tell, signed, tried again, and stopped when nobody answers."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from docgen.backoffice import hooks, models, outbox, print_jobs, tokens
from docgen.backoffice.api.access import SCOPES
from docgen.backoffice.events import tell
from docgen.errors import InvalidInput
from tests.helpers import refusal
from tests.service import town
from tests.service.receivers import Receiver, is_genuine, receiver
from workers.hooks import call_hook
from workers.print_jobs import print_volume

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the standard's own example
ENOUGH = sum(hooks.DELAYS)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that the settings trust."""
    with receiver() as made:
        monkeypatch.setattr(settings, "HOOK_HOSTS", frozenset({f"127.0.0.1:{made.port}"}))
        yield made


def client(role: str = "back_office", **bounds: object) -> models.Client:
    return tokens.issue("Essai", role, SCOPES, "test", **bounds)[0]


def hook(there: Receiver, *kinds: str, of: models.Client | None = None) -> models.Hook:
    return hooks.create(of or client(), there.url, kinds or outbox.KINDS, "test")[0]


def happens(school: models.School) -> models.PrintJob:
    """Accept a job and print it: it is ready."""
    job = town.job(school, 3)
    print_volume("1")
    return job


def pass_time() -> None:
    models.HookCall.objects.filter(state="waiting").update(delayed_until=None)


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    body = b'{"test": 2432232314}'
    found = hooks.signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_call_says_what_is_ready_signed_and_nothing_of_people(there: Receiver) -> None:
    made, secret = hooks.create(client(), there.url, ["job-ready"], "test")
    assert made.secret == secret
    job = happens(town.school())
    call_hook("1")
    ((headers, content),) = there.came
    assert is_genuine(secret, headers, content)
    assert not is_genuine(secret, headers, content + b" ")
    (body,) = there.bodies
    assert body["type"] == "job-ready"
    assert body["data"] == {"id": str(job.pk), "school": job.school_id}
    assert b"ESSAI" not in content.upper()
    call = models.HookCall.objects.get()
    assert (call.state, call.answers[0]["status"]) == ("done", 204)
    assert call.answers[0]["milliseconds"] < 5000
    assert headers["webhook-id"] == str(call.public_id)


def test_what_is_undone_is_not_told(there: Receiver) -> None:
    hook(there)
    job = town.job(town.school(), 1)
    with transaction.atomic():
        tell("job-ready", str(job.pk), school=job.school_id)
        assert models.HookCall.objects.count() == 1
        transaction.set_rollback(True)
    assert not models.HookCall.objects.exists()


def test_a_hook_hears_only_what_its_program_may_see_and_asked_for(there: Receiver) -> None:
    own, other = town.school(), town.school("0130002P")
    shop = models.PrintShop.objects.create(name="Presses d’Essai")
    wanted = {
        "school": hook(there, of=client("school", school=own)),
        "region": hook(there, of=client("region")),
        "back office": hook(there, of=client()),
        "one kind": hook(there, "job-failed"),
        "stranger": hook(there, of=client("school", school=other)),
        "shop": hook(there, of=client("print_shop", shop=shop)),
        "ended": hook(there, of=client()),
        "expired": hook(there, of=client()),
        "stopped": hook(there),
    }
    tokens.revoke(wanted["ended"].client, "test")
    models.Client.objects.filter(pk=wanted["expired"].client_id).update(expires_at=timezone.now())
    hooks.stop(wanted["stopped"], "test")
    job = happens(own)
    heard = set(models.HookCall.objects.values_list("hook", flat=True))
    assert {name for name, each in wanted.items() if each.pk in heard} == {
        *("school", "region", "back office")
    }
    models.PrintJob.objects.filter(pk=job.pk).update(stage="released", shop=shop)
    models.HookCall.objects.all().delete()
    tell("job-released", str(job.pk), school=job.school_id, sheets=3, said="de vive voix")
    heard_by_shop = models.HookCall.objects.get(hook=wanted["shop"])
    told = {"id": str(job.pk), "school": job.school_id, "sheets": 3}  # numbers, never words
    assert heard_by_shop.body["data"] == told


def test_a_token_hears_of_what_it_may_read(there: Receiver) -> None:
    narrow = tokens.issue("Essai", "back_office", ["read:conventions"], "test")[0]
    (problem,) = refusal(lambda: hook(there, "job-ready", of=narrow), InvalidInput)
    assert "read:print-jobs" in problem.what
    wide = hook(there, "job-ready")
    models.Client.objects.filter(pk=wide.client_id).update(scopes=["read:conventions"])
    happens(town.school())
    assert not models.HookCall.objects.exists()


def test_who_may_not_see_it_any_more_is_not_told(there: Receiver) -> None:
    own, other = town.school(), town.school("0130002P")
    moved = client("school", school=own)
    hook(there, of=moved)
    job = happens(own)
    models.Client.objects.filter(pk=moved.pk).update(school=other)
    call_hook("1")
    assert there.came == []
    call = models.HookCall.objects.get()
    assert (call.state, call.body["data"]["id"]) == ("failed", str(job.pk))


def test_a_call_is_tried_again_for_a_day_then_its_hook_stops_with_its_log(
    there: Receiver,
) -> None:
    made = hook(there, "job-ready")
    there.status = 503
    happens(town.school())
    waits = []
    for _ in hooks.DELAYS:
        before = timezone.now()
        call_hook("1")
        call = models.HookCall.objects.get()
        assert call.state == "waiting"
        waits.append((call.delayed_until - before).total_seconds())
        pass_time()
    assert waits == pytest.approx(hooks.DELAYS, abs=2)
    assert timedelta(hours=23) < timedelta(seconds=ENOUGH) < timedelta(hours=26)
    call_hook("1")
    call = models.HookCall.objects.get()
    assert call.state == "failed"
    assert [each["status"] for each in call.answers] == [503] * (len(hooks.DELAYS) + 1)
    assert len({headers["webhook-id"] for headers, _ in there.came}) == 1
    made.refresh_from_db()
    assert made.stopped_at is not None
    assert models.Event.objects.filter(kind="hook-stopped").count() == 1
    happens(town.school("0130002P"))
    assert models.HookCall.objects.count() == 1  # nothing is written for a hook that is stopped
    there.status = 200
    assert hooks.restart(made, "test", is_replay=True) == 1
    call_hook("1")
    assert models.HookCall.objects.get().state == "done"


def test_a_silent_receiver_is_not_asked_again_for_each_event(there: Receiver) -> None:
    hook(there, "job-ready", "job-cancelled")
    there.status = 500
    job, _ = happens(town.school()), happens(town.school("0130002P"))
    call_hook("1")
    assert len(there.came) == 1  # of the two that wait
    print_jobs.cancel(job, "test")
    call_hook("1")
    assert len(there.came) == 1
    there.status = 200
    pass_time()
    call_hook("1")
    assert set(models.HookCall.objects.values_list("state", flat=True)) == {"done"}


def test_a_receiver_that_is_gone_stops_its_hook_at_once(there: Receiver) -> None:
    made = hook(there, "job-ready")
    there.status = 410
    happens(town.school())
    call_hook("1")
    made.refresh_from_db()
    assert made.stopped_at is not None
    assert len(there.came) == 1


def test_a_test_call_is_sent_like_any_other(there: Receiver) -> None:
    made = hook(there, "job-ready")
    call = hooks.test(made, "test")
    call_hook("1")
    call.refresh_from_db()
    assert call.state == "done"
    assert there.bodies[0]["type"] == "hook-test"
    hooks.stop(made, "test")
    made.refresh_from_db()
    refusal(lambda: hooks.test(made, "test"), InvalidInput)


def test_a_hook_is_refused_with_every_problem(there: Receiver) -> None:
    problems = refusal(
        lambda: hooks.create(client(), "http://192.168.0.7/", ["job-ready", "x"], "test"),
        InvalidInput,
    )
    assert [each.where for each in problems] == ["kinds", "url"]
    one = client()
    for _ in range(hooks.MOST_HOOKS):
        hook(there, of=one)
    refusal(lambda: hook(there, of=one), InvalidInput)
    assert "secret" not in str(list(models.Event.objects.values()))
