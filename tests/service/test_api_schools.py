"""Schools over the API: read, kept, and nothing of other schools."""

from http import HTTPStatus

import pytest
from django.test import Client

from tests.service import callers

pytestmark = pytest.mark.django_db


def test_a_school_is_kept_and_read_again(client: Client) -> None:
    office = callers.token("back_office")
    facts = callers.SCHOOL
    path = "/api/v1/schools/0130010R"
    for status in (HTTPStatus.CREATED, HTTPStatus.OK):
        made = client.put(path, facts, "application/json", headers=office)
        assert made.status_code == status, made.content
    read = client.get(path, headers=office).json()
    assert read == {**facts, "uai": "0130010R", "email": "", "phone": ""}
