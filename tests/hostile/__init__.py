"""Files that tests give to the import: SIECLE exports piece by piece, and hostile ones."""
