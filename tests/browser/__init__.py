"""Tests in a real browser, on the real service with its workers, its region filled."""
