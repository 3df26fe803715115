"""Kinds of places where mentions come from, one file each; found by entry point (`listener.sources`).

Importing this package imports no SDK.
"""
