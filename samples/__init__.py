"""Synthetic schools, people and files, to try, test and measure with."""
