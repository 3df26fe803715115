"""Scoring models, NOT data classes: things that judge texts.  The nouns they return live in `listener.core`.

`bundled` reads with the weights that come along, `transformer` with any checkpoint of the Hub or the disk.  Both are
found by entry point (`listener.scorers`); importing this package imports no inference library.
"""
