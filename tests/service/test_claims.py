"""Claims: one worker at a time, on the database's clock, fenced by a token that grows."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import F
from django.db.models.functions import Now

from docgen.backoffice import claims, print_jobs
from docgen.backoffice.models import State, Volume
from docgen.errors import Problem
from tests.service import town
from workers.print_jobs import print_volume

pytestmark = pytest.mark.django_db(transaction=True)


def claimed() -> Volume:
    row = claims.claim(Volume)
    assert row
    return row


def let_pass(seconds: float) -> None:
    """Move what the rows remember of the clock so many seconds back."""
    past = timedelta(seconds=seconds)
    Volume.objects.update(lease_until=F("lease_until") - past)
    Volume.objects.update(delayed_until=F("delayed_until") - past)


@pytest.fixture
def volume() -> Volume:
    (found,) = town.job(town.school(), 2).volumes.all()
    return found


def test_claimers_at_the_same_time_never_get_the_same_row() -> None:
    job = town.job(town.school(), 1)
    rows = [Volume(job=job, number=number, documents=1) for number in range(2, 61)]
    Volume.objects.bulk_create(rows)

    def claim_on(_: int) -> list[int]:
        found = []
        try:
            while row := claims.claim(Volume):
                found.append(row.pk)
        finally:
            connections.close_all()
        return found

    with ThreadPoolExecutor(6) as pool:
        taken = Counter(pk for found in pool.map(claim_on, range(6)) for pk in found)
    assert set(taken) == set(Volume.objects.values_list("pk", flat=True))
    assert set(taken.values()) == {1}


def test_a_worker_that_goes_silent_loses_its_claim_and_what_it_did(volume: Volume) -> None:
    silent = claimed()
    let_pass(claims.LEASE - 1)
    assert claims.claim(Volume) is None
    let_pass(2)
    other = claimed()
    assert (other.pk, other.token, other.lost) == (silent.pk, silent.token + 1, 1)
    assert not claims.renew(silent, 1)
    assert not claims.finish(silent)
    assert not claims.fail(silent, [Problem("x")])
    assert not claims.delay(silent)
    assert not claims.release(silent, is_own_fault=True)
    assert claims.renew(other, 1)
    assert claims.finish(other)


def test_a_lease_that_is_renewed_lasts(volume: Volume) -> None:
    mine = claimed()
    let_pass(claims.LEASE - 1)
    assert claims.renew(mine)
    let_pass(claims.LEASE - 1)
    assert claims.claim(Volume) is None


def test_a_lease_ends_by_the_clock_of_the_database(volume: Volume) -> None:
    claimed()
    ((until, now),) = Volume.objects.values_list("lease_until", Now())
    assert 0 < (until - now).total_seconds() <= claims.LEASE


def test_three_deaths_of_its_own_making_set_work_aside(volume: Volume) -> None:
    for _ in range(claims.MOST_DEATHS):
        assert claims.release(claimed(), is_own_fault=True)
    assert claims.claim(Volume) is None
    volume.refresh_from_db()
    assert (volume.state, volume.deaths) == (State.QUARANTINED, 3)
    assert volume.problems[0][0] == claims.FATAL.what


def test_work_whose_workers_vanish_is_borne_with_for_longer(volume: Volume) -> None:
    for _ in range(claims.MOST_LOST - 1):
        assert claims.release(claimed(), is_own_fault=False)
    claimed()
    let_pass(claims.LEASE + 1)
    assert claims.claim(Volume) is None
    volume.refresh_from_db()
    assert (volume.state, volume.lost) == (State.QUARANTINED, claims.MOST_LOST)


def test_what_was_set_aside_is_done_when_somebody_asks(volume: Volume) -> None:
    for _ in range(claims.MOST_DEATHS):
        claims.release(claimed(), is_own_fault=True)
    assert claims.try_again(volume)
    print_volume("1")
    volume.job.refresh_from_db()
    assert volume.job.stage == "ready"


def test_work_that_must_wait_waits_longer_each_time(volume: Volume) -> None:
    for seconds in (1, 2, 4, 8, 16, 30, 30):
        assert claims.delay(claimed())
        let_pass(seconds - 0.5)
        assert claims.claim(Volume) is None
        let_pass(1)
    volume.refresh_from_db()
    assert (volume.delays, volume.deaths, volume.lost) == (7, 0, 0)


def test_the_counter_comes_before_a_batch_that_came_first() -> None:
    place = town.school()
    batch = town.job(place, 4, volume=2)
    urgent = town.job(place, 1, priority=print_jobs.COUNTER)
    assert [claimed().job_id for _ in range(3)] == [urgent.pk, batch.pk, batch.pk]
