"""Documents that may still come home: what codes that cannot be read are compared with."""

from django.db.models import Exists, OuterRef

from docgen.backoffice.models import Document, Paper, Return, ScanPart
from docgen.backoffice.returns import PRINTED_NOTHING

MOST = 20_000  # of a school, the newest: some years of it, and a tenth of a second to compare
HOME = (Return.Stage.COMPLETE, Return.Stage.BOUND)


def of(part: ScanPart) -> list[tuple[str, int]]:
    """Give the documents awaited from who sent a part: number in hexadecimal, and sides.

    Of a pile of several schools, nothing: a code that cannot be read would be compared with
    everything that was ever printed.
    """
    school = part.batch.school_id
    if school is None:
        return []
    home = Exists(Return.objects.filter(number=OuterRef("number"), stage__in=HOME))
    printed = Document.objects.filter(volume__job__school=school).exclude(home)
    printed = printed.exclude(volume__job__stage__in=PRINTED_NOTHING).order_by("-pk")[:MOST]
    rows = printed.values_list("number", "volume__job__sides", "volume__job__documents")
    papers = Paper.objects.filter(school=school).exclude(home).order_by("-pk")[:MOST]
    found = {bytes(number).hex(): sides // documents for number, sides, documents in rows}
    found |= {bytes(number).hex(): sides for number, sides in papers.values_list("number", "sides")}
    return list(found.items())[:MOST]
