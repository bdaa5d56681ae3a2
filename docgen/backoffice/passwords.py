"""What a password must be worth: 80 bits, as the CNIL counts them (deliberation 2022-100).

That is what it asks of a password that nothing else protects; the lock after five failures comes on
top. Length and kinds of characters make up for each other: twelve characters of four kinds are
enough, and so is a phrase without a capital. A password is not renewed by date.
"""

import math
import re

from django.core.exceptions import ValidationError

BITS = 80
# The CNIL's own counts: letters, digits, and 37 signs that a French keyboard gives.
ALPHABETS = ((r"[a-z]", 26), (r"[A-Z]", 26), (r"\d", 10), (r"[^a-zA-Z0-9]", 37))
RULE = (
    "12 caractères au moins s’il mêle minuscules, majuscules, chiffres et signes\u00a0; "
    "14 sans signe\u00a0; ou une phrase de plusieurs mots."
)

WEAK = "Ce mot de passe est trop facile à deviner\u00a0: allongez-le, ou mêlez-y d’autres signes."


def bits(password: str) -> int:
    """Count what a password is worth; a character that repeats the one before is worth nothing."""
    alphabet = sum(size for kind, size in ALPHABETS if re.search(kind, password))
    length = len(re.sub(r"(.)\1+", r"\1", password, flags=re.DOTALL))
    return round(length * math.log2(alphabet)) if alphabet else 0


class EnoughBits:
    """Django's validator of new passwords."""

    def validate(self, password: str, user: object = None) -> None:
        """Refuse a password that is worth too little.

        Raises:
            ValidationError: with what to do.
        """
        if bits(password) < BITS:
            raise ValidationError(WEAK, code="password_too_weak")

    def get_help_text(self) -> str:
        """Tell the rule before it is broken."""
        return RULE
