"""Signed files to bind: what a worker needs for each document, and what became of it."""
