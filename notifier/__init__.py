"""Ways to staff, one file each; found by entry point (`listener.channels`), and the words of their messages.

Importing this package imports no SDK.
"""
