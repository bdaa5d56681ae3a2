"""How a line of the table of screens is written.

Keys are the method and the name of the address: `"GET job"`. The columns are the callers, in the
order of `CALLERS`, asked about the school of Arles. `=` stands for the good answer; a place that
sends elsewhere is good by its status (302). What is in an address (`uai`, `job`, `loan`…) has the
name that it has in the facts of the world of `tests.service.world`.
"""

from dataclasses import dataclass, field
from typing import Any

CALLERS = ("office", "arles", "berre", "region", "shop_arles", "shop_berre")
OFFICE = "= 403 403 403 403 403"
EVERYBODY = "= = = = = ="
OF_SCHOOL = "= = 404 403 403 403"  # the back office, and the school itself
OFFICE_AND_SCHOOLS = "= = = 403 403 403"  # a list: each sees its own
OF_REGION = "= 403 403 = 403 403"
OF_SHOP = "403 403 403 403 = 404"
SHOPS = "403 403 403 403 = ="


@dataclass(frozen=True, slots=True)
class Row:
    """A screen, or what is sent from one: who may, the good answer, and what to send."""

    columns: str
    good: int = 200
    body: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    query: str = ""
    is_public: bool = False
