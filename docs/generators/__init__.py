"""Writes the parts of the manual that say what the code says, so that there is one truth.

A page in `docs/contract/` about an operation is generated whole, from `operations.py` and what the sources say. Other
pages are written by hand around generated blocks, `<!-- begin: name -->` … `<!-- end: name -->`. `make docs` writes
them; a test compares.
"""
