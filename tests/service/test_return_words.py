"""What people read of a return: typography that does not break, and a remedy that is true."""

import re

import pytest

from docgen.backoffice import bindings, candidates, claims, reviews, scans
from docgen.errors import CodeRefused, Problem
from docgen.scanning.sorting import REASONS
from workers import inbox

BREAKS = re.compile(r" [:;?!»]|« ")  # where a line could end before its sign


def texts() -> dict[str, str]:
    found = {f"reason {key}": text for key, text in REASONS.items()}
    found |= {f"own reason {key}": text for key, text in reviews.OWN_REASONS.items()}
    for module in (bindings, claims, reviews, scans):
        for name, value in vars(module).items():
            if isinstance(value, Problem):
                found[f"{module.__name__}.{name}"] = str(value)
    found["inbox"] = inbox.TEXT
    with pytest.raises(CodeRefused) as refused:
        candidates._beginning("CE-7K3F-92QD-77")
    found["reference"] = refused.value.problems[0].what
    return found


def test_no_line_begins_with_a_sign_that_ends_a_word() -> None:
    assert {name: text for name, text in texts().items() if BREAKS.search(text)} == {}


def test_nobody_is_told_to_accept_what_can_go_nowhere() -> None:
    for key in ("other-school", "document-unknown", "other-key", "code-refused"):
        assert "accept" not in REASONS[key]
