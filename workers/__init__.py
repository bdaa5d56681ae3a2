"""Celery workers: they carry identifiers between the database and the core."""
