"""A binding that was set aside is told with its scan, and put back in the line with it."""

import pytest
from django.core.cache import cache
from django.test import Client

from docgen.backoffice import claims, models, scans
from tests.service import callers, homecoming, town
from tests.service.homecoming import coded
from tests.service.test_api_frame import problem

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/api/v1"


@pytest.mark.parametrize("state", ["quarantined", "failed"])
def test_a_binding_that_was_set_aside_is_told_and_tried_again(state: str) -> None:
    cache.clear()
    school = town.school()
    document, other = homecoming.printed(school)
    batch = homecoming.came(school, [coded(document, 3)])
    neighbour = homecoming.came(school, [coded(other, 3)])
    caller = Client(headers=callers.token("school", school))
    work = models.Binding.objects.order_by("pk").first()
    models.Binding.objects.filter(pk=work.pk).update(state=state, deaths=3)
    assert scans.progress(batch).is_stopped
    assert not scans.progress(neighbour).is_stopped
    assert caller.get(f"{ROOT}/scans/{batch.pk}").json()["is_stopped"]
    problem(caller.post(f"{ROOT}/scans/{neighbour.pk}/retry"), 422, "invalid-input")
    again = caller.post(f"{ROOT}/scans/{batch.pk}/retry")
    assert (again.status_code, again.json()["is_stopped"]) == (200, False)
    assert claims.claim(models.Binding) == work


def test_what_changed_since_needs_no_other_try() -> None:
    """Its younger version has a binding of its own."""
    school = town.school()
    document, _ = homecoming.printed(school)
    batch = homecoming.came(school, [coded(document, 1)])
    models.Binding.objects.update(state="quarantined")
    homecoming.came(school, [coded(document, 3)])
    assert not scans.progress(batch).is_stopped
    assert scans.retry(batch, "test") == 0
