"""Whole jobs, on real input, looked at as paper."""
