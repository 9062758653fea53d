"""Measures how rare Python's features are in human-written code of before November 2022.

The cache (``~/.cache/tailwatch/rarity`` unless told otherwise) holds ``wheels/``, the downloaded
packages of ``packages.txt``, and ``sources/<project>/…``, the Python files in them, with
``sources/python-stdlib/…`` for the standard library of the interpreter that runs the build. Both are
made once and never committed; what is committed is ``table.json``, which only holds counts.
"""
