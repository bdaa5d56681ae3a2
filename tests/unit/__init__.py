"""Tests of one module each, quick and alone."""
