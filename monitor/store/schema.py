"""The tables as they are now; :mod:`monitor.store.migrations` says how they came to be.

Tasks are interned, and texts live in compressed blocks of neighbouring samples, so that a row of
``samples`` is some eighty bytes whatever the model wrote.
"""

from __future__ import annotations

from sqlalchemy import (
    DOUBLE_PRECISION,
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# SQLite gives out numbers by itself only to a column that says exactly INTEGER.
_REF = BigInteger().with_variant(Integer, "sqlite")

schema_version = Table(
    "tailwatch_schema",
    metadata,
    Column("version", Integer, primary_key=True),
    Column("what", Text, nullable=False),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("ref", _REF, primary_key=True),
    Column("model", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("first_seen_us", BigInteger, nullable=False),
    Column("last_seen_us", BigInteger, nullable=False),
    Column("record", Text, nullable=False),
    UniqueConstraint("model", "digest"),
)

role_assignments = Table(
    "role_assignments",
    metadata,
    Column("ref", _REF, primary_key=True),
    Column("model", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("assigned_us", BigInteger, nullable=False),
    ForeignKeyConstraint(["model", "digest"], ["checkpoints.model", "checkpoints.digest"]),
    Index("role_assignments_by_model", "model"),
)

fingerprints = Table(
    "fingerprints",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("logprobs", Text, nullable=False),
)

# The lease stands in the evaluation's own row: PostgreSQL looks again at a row that it waited for or
# skipped, but not at rows joined to it, so a lease elsewhere could be given out twice.
evaluations = Table(
    "evaluations",
    metadata,
    Column("ref", _REF, primary_key=True),
    Column("evaluation_id", Text, nullable=False, unique=True),
    Column("model", Text, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("worker", Text),
    Column("lease_expires_us", BigInteger),
    Column("not_before_us", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("record", Text, nullable=False),
    Index("evaluations_by_model", "model", "created_us"),
    Index("evaluations_by_checkpoint", "model", "checkpoint", "created_us"),
    Index("evaluations_by_state", "state"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("ref", _REF, primary_key=True),
    Column("task_id", Text, nullable=False, unique=True),
)

text_blocks = Table(
    "text_blocks",
    metadata,
    Column("ref", _REF, primary_key=True),
    Column("evaluation_ref", _REF, ForeignKey("evaluations.ref"), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("text_blocks_by_evaluation", "evaluation_ref"),
)

samples = Table(
    "samples",
    metadata,
    Column("evaluation_ref", _REF, ForeignKey("evaluations.ref"), primary_key=True),
    Column("task_ref", _REF, ForeignKey("tasks.ref"), primary_key=True),
    Column("sample_index", Integer, primary_key=True),
    Column("wave", Integer, nullable=False),
    Column("stratum", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("finish_reason", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("mean_logprob", DOUBLE_PRECISION),
    Column("min_logprob", DOUBLE_PRECISION),
    Column("cpu_s", DOUBLE_PRECISION, nullable=False),
    Column("wall_s", DOUBLE_PRECISION, nullable=False),
    Column("peak_bytes", BigInteger, nullable=False),
    Column("trust", Text, nullable=False),
    Column("block_ref", _REF, ForeignKey("text_blocks.ref"), nullable=False),
    Column("block_position", Integer, nullable=False),
    sqlite_with_rowid=False,
)

tallies = Table(
    "tallies",
    metadata,
    Column("evaluation_ref", _REF, ForeignKey("evaluations.ref"), primary_key=True),
    Column("stratum", Text, primary_key=True),
    Column("outcome", Text, primary_key=True),
    Column("samples", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

task_tallies = Table(
    "task_tallies",
    metadata,
    Column("evaluation_ref", _REF, ForeignKey("evaluations.ref"), primary_key=True),
    Column("task_ref", _REF, ForeignKey("tasks.ref"), primary_key=True),
    Column("stratum", Text, primary_key=True),
    Column("samples", Integer, nullable=False),
    Column("scored", Integer, nullable=False),
    Column("passed", Integer, nullable=False),
    sqlite_with_rowid=False,
)

counters = Table(
    "counters",
    metadata,
    Column("model", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

measurements = Table(
    "measurements",
    metadata,
    Column("evaluation_ref", _REF, ForeignKey("evaluations.ref"), primary_key=True),
    Column("probe", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

drift_readings = Table(
    "drift_readings",
    metadata,
    Column("evaluation_ref", _REF, ForeignKey("evaluations.ref"), primary_key=True, autoincrement=False),
    Column("record", Text, nullable=False),
)
