"""Inputs shared by many families: each pool has a smallest case, repeats, signs and uneven lengths."""

from __future__ import annotations

INTS = [0, 1, 2, 3, 5, 7, 8, 10, 12, 25, 36, 64, 99, 100, 128, 255, 1000, 12321]
SIGNED = [-100, -17, -6, -3, -1, 0, 1, 2, 4, 9, 15, 16, 33, 78, 500]
SMALL = [0, 1, 2, 3, 4, 5, 6, 8, 10]
POSITIVE = [1, 2, 3, 4, 6, 7, 9, 10, 12, 16, 17, 28, 30, 49, 97, 100, 360]
PAIRS = [(0, 1), (1, 1), (3, 2), (2, 7), (12, 18), (10, 5), (17, 4), (9, 27), (100, 35), (8, 3)]
SIGNED_PAIRS = [(0, 0), (1, -1), (-3, 5), (7, 7), (20, 4), (-9, -2), (6, 11), (100, -50), (2, 13)]
LISTS = [
    [],
    [5],
    [1, 2, 3],
    [3, 1, 2],
    [4, -1, 4, 0, 7],
    [10, 20, 30, 40],
    [-5, -2, -9],
    [6, 6, 6],
    [12, 3, 8, 15, 3, 22, 7],
]
FULL_LISTS = [case for case in LISTS if case]
LONG_LISTS = [
    list(range(12)),
    [9, 7, 5, 3, 1, 2, 4, 6, 8, 10, 11],
    [2, 2, 3, 3, 3, 1, 4, 4, 4, 5, 0],
    [-4, 8, -15, 16, -23, 42, 0, 7, 7, 1],
]
STRINGS = [
    "",
    "a",
    "abc",
    "Hello World",
    "racecar",
    "banana",
    "The quick brown fox",
    "A1b2C3",
    "  padded  ",
    "mississippi",
    "xyz-XYZ_09",
]
FULL_STRINGS = [case for case in STRINGS if case]
SENTENCES = [
    "one",
    "two words",
    "the cat sat on the mat",
    "a bb ccc dd e",
    "Red red BLUE blue",
    "to be or not to be",
    "zeta alpha mid",
]
WORDS = [
    [],
    ["kiwi"],
    ["pear", "fig", "apple"],
    ["a", "bb", "ccc", "bb"],
    ["Zed", "amy", "Bob", "cat"],
    ["level", "noon", "stone", "aba"],
]
FULL_WORDS = [case for case in WORDS if case]
DICTS = [
    {},
    {"a": 1},
    {"a": 1, "b": 2, "c": 3},
    {"x": 5, "y": -2, "z": 5},
    {"q": 10, "w": 0, "e": 7, "r": 3},
    {"bb": 30, "aa": 4, "cc": 12},
]
FULL_DICTS = [case for case in DICTS if case]
GRIDS = [
    [[1]],
    [[1, 2], [3, 4]],
    [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
    [[0, -1, 5], [2, 2, 2], [9, 0, 3]],
    [[5, 1], [0, 6]],
]
TABLES = [[[1, 2, 3], [4, 5, 6]], [[7, 8]], [[1], [2], [3]], [[0, 0, 4, 1], [3, 0, 2, 9]], *GRIDS]
COUPLES = [
    [],
    [("a", 1)],
    [("b", 2), ("a", 1)],
    [("x", 3), ("y", 3), ("x", 9)],
    [("k", 0), ("j", 5), ("k", 2), ("i", 7)],
]
POINTS = [[(0, 0)], [(1, 2), (3, 4)], [(5, -1), (-2, 6), (0, 3)], [(2, 2), (2, 8), (7, 1), (4, 4)]]
DAYS = [
    "2024-01-01",
    "2024-02-29",
    "2023-12-31",
    "2021-07-15",
    "1999-11-30",
    "2000-02-28",
    "2022-03-06",
    "2025-10-05",
]
YEARS = [1600, 1900, 1996, 1999, 2000, 2001, 2023, 2024, 2100, 2400]
