from __future__ import annotations

import array
import fcntl
import os
import termios
from collections.abc import Iterator

import pytest

from monitor.sandbox.inside import wire
from monitor.sandbox.inside.driver import Driver
from monitor.sandbox.links import Unframing, framed


class Host:
    """The other ends of the pipes."""

    def __init__(self) -> None:
        jobs, self._jobs = os.pipe()
        self._reports, reports = os.pipe()
        self._inside = (jobs, reports)
        os.set_blocking(self._reports, False)
        self._unframing = Unframing()
        self.driver = Driver(jobs, reports)

    def sends(self, data: bytes) -> None:
        os.write(self._jobs, data)

    @property
    def unread(self) -> int:
        """Bytes that wait in the pipe."""
        waiting = array.array("i", [0])
        fcntl.ioctl(self._inside[0], termios.FIONREAD, waiting)
        return waiting[0]

    def hangs_up(self) -> None:
        os.close(self._jobs)
        self._jobs = -1

    @property
    def heard(self) -> list[object]:
        """Numbers of the reports that have come since it was asked last."""
        try:
            self._unframing.feed(os.read(self._reports, 2**16))
        except BlockingIOError:
            return []
        found = []
        while (message := self._unframing.next_message()) is not None:
            found.append(message["id"])
        return found

    def close(self) -> None:
        for descriptor in (self._jobs, self._reports, *self._inside):
            if descriptor >= 0:
                os.close(descriptor)


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host()
    yield host
    host.close()


def numbered(*numbers: int) -> bytes:
    return framed(*({"id": number} for number in numbers))


def test_settings_are_read_without_a_byte_of_the_jobs_behind_them(host: Host) -> None:
    host.sends(framed({"uids": 3}) + numbered(1))
    assert host.driver.settings() == {"uids": 3}
    assert not host.driver._waiting
    assert host.unread == len(numbered(1))
    assert host.driver.next_job() == {"id": 1}


def test_jobs_come_out_in_order_however_they_arrive(host: Host) -> None:
    stream = numbered(1, 2, 3)
    host.sends(stream[: len(stream) // 2])
    assert host.driver.next_job() == {"id": 1}
    host.sends(stream[len(stream) // 2 :])
    assert [host.driver.next_job() for _ in range(2)] == [{"id": 2}, {"id": 3}]


def test_reports_go_together_once_half_of_the_jobs_are_done(host: Host) -> None:
    host.sends(numbered(*range(8)))
    seen = []
    for _ in range(7):
        host.driver.report(host.driver.next_job())
        seen.append(host.heard)
    assert seen == [[], [], [], [0, 1, 2, 3], [], [4, 5], [6]]


def test_one_job_ahead_is_reported_on_before_it_runs(host: Host) -> None:
    host.sends(numbered(1, 2))
    host.driver.report(host.driver.next_job())
    assert host.heard == [1]


def test_nothing_is_kept_back_while_we_wait_or_when_something_was_noteworthy(host: Host) -> None:
    host.sends(numbered(*range(8)))
    host.driver.report(host.driver.next_job())
    assert host.heard == []
    host.driver.flush()
    assert host.heard == [0]
    host.driver.report(host.driver.next_job())
    host.driver.report(host.driver.next_job(), at_once=True)
    assert host.heard == [1, 2]


def test_a_driver_that_closes_ends_the_conversation(host: Host) -> None:
    host.hangs_up()
    with pytest.raises(wire.Ended):
        host.driver.next_job()
    with pytest.raises(wire.Ended):
        host.driver.settings()
