"""The public test kit: fakes with state, and the contract every adapter passes.

A stranger's adapter is finished when `check_source`, `check_scorer` or `check_channel` passes on it.
"""
