"""What was measured about outputs, in tables of its own: listings of evaluations need none of it."""

from __future__ import annotations

import zlib

from sqlalchemy import select

from monitor.domain.drift import DriftReading, Measurement
from monitor.domain.errors import StoreTrouble
from monitor.store import codec
from monitor.store.database import Database
from monitor.store.evaluation_rows import locked_ref
from monitor.store.schema import drift_readings, evaluations, measurements


class SqlDriftLog:
    """The DriftLog port over one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep_measurement(self, evaluation_id: str, measurement: Measurement) -> None:
        """Insert or replace by probe; thousands of readings fit in some ten kilobytes."""
        body = zlib.compress(codec.dump(measurement).encode("ascii"))
        with self._database.writing() as connection:
            ref = locked_ref(connection, evaluation_id)
            statement = self._database.insert(measurements).values(
                evaluation_ref=ref, probe=measurement.probe, body=body
            )
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["evaluation_ref", "probe"], set_={"body": body}
                )
            )

    def measurements(self, evaluation_id: str) -> tuple[Measurement, ...]:
        """All of them, by name of the probe."""
        query = (
            select(measurements.c.probe, measurements.c.body)
            .join(evaluations, evaluations.c.ref == measurements.c.evaluation_ref)
            .where(evaluations.c.evaluation_id == evaluation_id)
        )
        with self._database.reading() as connection:
            bodies = {probe: bytes(body) for probe, body in connection.execute(query)}
        # Sorted here: databases order text by their own rules.
        return tuple(_unpacked(bodies[probe]) for probe in sorted(bodies))

    def keep_drift(self, evaluation_id: str, reading: DriftReading) -> None:
        """Insert or replace."""
        record = codec.dump(reading)
        with self._database.writing() as connection:
            ref = locked_ref(connection, evaluation_id)
            statement = self._database.insert(drift_readings).values(evaluation_ref=ref, record=record)
            connection.execute(
                statement.on_conflict_do_update(index_elements=["evaluation_ref"], set_={"record": record})
            )

    def drift(self, evaluation_id: str) -> DriftReading | None:
        """The reading, or None."""
        query = (
            select(drift_readings.c.record)
            .join(evaluations, evaluations.c.ref == drift_readings.c.evaluation_ref)
            .where(evaluations.c.evaluation_id == evaluation_id)
        )
        with self._database.reading() as connection:
            record = connection.scalar(query)
        return None if record is None else codec.load(DriftReading, record)


def _unpacked(body: bytes) -> Measurement:
    try:
        text = zlib.decompress(body).decode("ascii")
    except (zlib.error, ValueError) as exc:
        raise StoreTrouble(
            f"A stored measurement is damaged: {exc}.", next_step="Restore the store from a backup."
        ) from exc
    return codec.load(Measurement, text)
