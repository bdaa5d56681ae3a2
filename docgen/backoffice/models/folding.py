"""Names as people look for them: no accent, no capital, no hyphen; « lecoeur » finds « LECŒUR »."""

import unicodedata
from typing import Any

from django.db.backends.signals import connection_created
from django.db.models import CharField, Transform
from django.dispatch import receiver

APART = " '’-."  # what somebody types or leaves out
PAIRS = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss"})
LATIN = (*range(0xC0, 0x180), *range(0x1EA0, 0x1EFA))
BASES = {chr(code): unicodedata.normalize("NFKD", chr(code))[0] for code in LATIN}
SINGLE = {each: base.lower() for each, base in BASES.items() if base.isascii() and base.isalpha()}
SINGLE |= {"ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d"}
TABLE = PAIRS | str.maketrans(SINGLE) | str.maketrans("", "", APART)


def folded(text: str | None) -> str | None:
    """Give what two writings of one name share; « Inês-Noémie » is « inesnoemie »."""
    if text is None or (text.isascii() and text.isalnum()):
        return text and text.lower()
    return unicodedata.normalize("NFC", text).translate(TABLE).lower()


@receiver(connection_created)
def _teach(connection: Any, **_: Any) -> None:  # noqa: ANN401 - what Django sends
    """Give SQLite the function that it lacks."""
    if connection.vendor == "sqlite":
        connection.connection.create_function("docgen_folded", 1, folded, deterministic=True)


@CharField.register_lookup
class Folded(Transform):
    """A column without its accents: `family_name__folded__contains=folded(word)`."""

    lookup_name = "folded"
    function = "docgen_folded"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:  # noqa: ANN401
        """Say the same in the words of PostgreSQL, which needs no extension for it."""
        inner, params = compiler.compile(self.lhs)
        whole = inner
        for one, two in (("œ", "oe"), ("Œ", "oe"), ("æ", "ae"), ("Æ", "ae"), ("ß", "ss")):
            whole = f"replace({whole}, '{one}', '{two}')"
        # The table of accents is long, and looked through letter by letter: for who has one only.
        is_plain = f"octet_length({inner}) = char_length({inner})"
        sql = (
            f"lower(CASE WHEN {is_plain} THEN translate({inner}, %s, '') "
            f"ELSE translate({whole}, %s, %s) END)"
        )
        table = ("".join(SINGLE) + APART, "".join(SINGLE.values()))
        return sql, [*params, *params, *params, APART, *params, *table]
