"""Scanned paper into findings: what each side is, if it is signed, its document bound again."""
