"""Templates unpacked in the cache of a machine, whatever happened to it since."""

from shutil import rmtree

import pytest
from django.conf import settings

from docgen.backoffice import shelf
from tests.helpers import small_charter
from tests.service.moments import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("harm", ["left", "changed", "gone"])
def test_a_copy_of_a_template_that_was_harmed_is_made_again(harm: str) -> None:
    row = shelf.remembered(small_charter())
    folder = shelf.template(row).folder
    if harm == "left":  # by somebody killed while writing
        (folder / ".body.html-abc").write_bytes(b"half")
    elif harm == "changed":
        (folder / "body.html").write_bytes(b"")
    else:
        rmtree(folder)
    if harm != "gone":
        shelf._unpacked.cache_clear()
    assert shelf.template(row).text("body.html") == small_charter().text("body.html")


def test_workers_unpack_a_template_at_once() -> None:
    row = shelf.remembered(small_charter())
    root = settings.DATA / "cache" / "templates"
    unpack = shelf._unpacked.__wrapped__
    for _ in range(3):
        rmtree(root, ignore_errors=True)
        found = at_once(*[lambda: unpack(row.checksum, row.slug, bytes(row.archive))] * 6)
        assert [getattr(each, "checksum", each) for each in found] == [row.checksum] * 6
