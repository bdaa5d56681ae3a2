"""Measure the press beside other ways of filling the same text, in one run on one core."""
