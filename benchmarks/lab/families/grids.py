"""Families about lists of rows."""

from __future__ import annotations

from benchmarks.lab.families.inputs import GRIDS, TABLES
from benchmarks.lab.families.notation import fam

_SIZES = [(1, 1), (2, 3), (3, 2), (4, 1), (0, 3), (2, 0)]

FAMILIES = [
    fam(
        "transpose",
        "m",
        "Transpose $m // @ the columns of $m as rows",
        "transpose columns flip",
        "return [list(r) for r in zip(*$m)]",
        TABLES,
    ),
    fam(
        "row-sums",
        "m",
        "@ the sum of each row of $m // Add up every row of $m",
        "row_sums sum_rows totals",
        "return [sum(r) for r in $m]",
        TABLES,
    ),
    fam(
        "flatten-grid",
        "m",
        "Flatten $m into one list // @ all cells of $m in one list",
        "flatten all_cells to_list",
        "return [v for r in $m for v in r]",
        TABLES,
    ),
    fam(
        "main-diagonal",
        "m",
        "@ the main diagonal of $m // List the diagonal of the square $m",
        "diagonal main_diagonal diag",
        "return [$m[i][i] for i in range(len($m))]",
        GRIDS,
    ),
    fam(
        "grid-trace",
        "m",
        "@ the trace of $m // Add up the main diagonal of $m",
        "trace diagonal_sum sum_diag",
        "return sum($m[i][i] for i in range(len($m)))",
        GRIDS,
    ),
    fam(
        "rotate-grid-left",
        "m",
        "Rotate $m counterclockwise // @ $m turned left by 90 degrees",
        "rotate_left turn_left rotate_ccw",
        "return [list(r) for r in zip(*$m)][::-1]",
        TABLES,
    ),
    fam(
        "scale-grid",
        "m",
        "Multiply every cell of $m by $K // @ $m times $K",
        "scale times multiply_grid",
        "return [[v * $K for v in r] for r in $m]",
        TABLES,
        K=range(2, 60),
    ),
    fam(
        "add-to-grid",
        "m",
        "Add $K to every cell of $m // @ $m with all cells raised by $K",
        "raise_cells add_all shift_grid",
        "return [[v + $K for v in r] for r in $m]",
        TABLES,
        K=range(2, 60),
    ),
    fam(
        "identity-grid",
        "n",
        "@ the identity matrix of size $n times $K // Build a diagonal matrix of size $n holding $K",
        "identity unit diagonal_grid",
        "return [[$K * (i == j) for j in range($n)] for i in range($n)]",
        [0, 1, 2, 3, 4],
        K=range(1, 20),
    ),
    fam(
        "multiplication-table",
        "n",
        "@ the multiplication table up to $n // Build $n rows of products up to $n",
        "table_of products times",
        "return [[i * j for j in range(1, $n + 1)] for i in range(1, $n + 1)]",
        [0, 1, 2, 3, 4],
    ),
    fam(
        "count-in-grid",
        "m",
        "[Count|@] the cells of $m above $K // @ how many cells of $m exceed $K",
        "count_above cells_above big_cells",
        "return sum(v > $K for r in $m for v in r)",
        TABLES,
        K=range(7),
    ),
    fam(
        "select-column",
        "m",
        "@ the [last|final] column of $m // List the last cell of each row of $m",
        "last_column final_cells ends",
        "return [r[-1] for r in $m]",
        TABLES,
    ),
    fam(
        "symmetric-grid",
        "m",
        "[Check|Tell] whether $m equals its transpose // True if the square $m is symmetric",
        "is_symmetric symmetric mirrored",
        "return $m == [list(r) for r in zip(*$m)]",
        [*GRIDS, [[1, 2], [2, 1]], [[0, 4, 5], [4, 1, 6], [5, 6, 2]]],
    ),
]
