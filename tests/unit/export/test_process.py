from datetime import UTC, datetime

from prometheus_client import CollectorRegistry

from monitor import __version__
from monitor.export.process import Build, Polls, Sampling


def registered(collector):
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


def figures(polls):
    registry = registered(polls)
    return tuple(
        registry.get_sample_value(name, {"model": "m"})
        for name in ("tailwatch_poll_up", "tailwatch_unusable_checkpoints")
    )


def test_before_the_first_look_nothing_is_told():
    assert figures(Polls("m")) == (None, None)


def test_a_look_tells_that_it_went_through_and_what_it_could_not_use():
    polls = Polls("m")
    polls.succeeded(unusable=2)
    assert figures(polls) == (1, 2)


def test_a_look_that_broke_off_leaves_what_the_one_before_found():
    polls = Polls("m")
    polls.succeeded(unusable=2)
    polls.failed()
    assert figures(polls) == (0, 2)


def test_a_first_look_that_broke_off_has_found_nothing_to_count():
    polls = Polls("m")
    polls.failed()
    assert figures(polls) == (0, None)


def test_the_age_of_the_last_look_grows_also_while_the_first_one_never_ends_and_after_the_clock_was_set():
    now = {"wall": 1000.0, "steady": 5.0}
    polls = Polls("m", every_s=30, wall=lambda: now["wall"], steady=lambda: now["steady"])

    def last_look():
        return registered(polls).get_sample_value("tailwatch_last_poll_timestamp_seconds", {"model": "m"})

    assert last_look() == 1000
    now.update(wall=1100, steady=105)
    assert now["wall"] - last_look() == 100
    polls.succeeded(unusable=0)
    now.update(wall=50, steady=165)
    assert now["wall"] - last_look() == 60
    polls.failed()
    assert now["wall"] - last_look() == 0
    interval = registered(polls).get_sample_value("tailwatch_poll_interval_seconds", {"model": "m"})
    assert interval == 30


def test_the_moment_of_the_last_sample_is_told_once_there_is_one():
    moments = []
    registry = registered(Sampling("m", lambda: moments[-1] if moments else None))
    name = "tailwatch_last_sample_timestamp_seconds"
    assert registry.get_sample_value(name, {"model": "m"}) is None
    moments.append(datetime(2026, 1, 1, tzinfo=UTC))
    assert registry.get_sample_value(name, {"model": "m"}) == moments[-1].timestamp()


def test_the_version_that_runs_is_told():
    assert registered(Build()).get_sample_value("tailwatch_build_info", {"version": __version__}) == 1
