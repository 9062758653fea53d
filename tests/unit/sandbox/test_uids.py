from __future__ import annotations

import pytest

from monitor.sandbox.inside import uids

EVERYTHING = "         0          0 4294967295\n"
REMAPPED = "         0     100000      65536\n"
OWN_AND_SUBORDINATE = "         0       1000          1\n         1     100000      65536\n"


@pytest.mark.parametrize("uid_map", [EVERYTHING, REMAPPED, OWN_AND_SUBORDINATE])
def test_programs_get_no_uid_of_an_image_and_none_that_is_not_mapped(uid_map: str) -> None:
    free = uids.unowned(uid_map)
    assert free.start >= 2000
    mapped = [
        range(int(first), int(first) + int(count)) for first, _, count in map(str.split, uid_map.splitlines())
    ]
    assert any(free.start in span and free[-1] in span for span in mapped)
    assert len(free) > 60_000


def test_where_all_uids_are_mapped_none_is_taken_that_people_or_containers_have() -> None:
    assert uids.unowned(EVERYTHING).start > 2**30


def test_sandboxes_that_do_not_know_of_each_other_draw_different_uids() -> None:
    drawn = [uids.draw(502) for _ in range(50)]
    assert all(len(found) == 502 for found in drawn)
    # Of half a million ranges: two equal pairs among fifty draws are a matter of once in 300,000 runs.
    assert len({found.start for found in drawn}) >= 49


def test_a_namespace_with_too_few_uids_says_how_many_are_needed() -> None:
    with pytest.raises(ValueError, match="are needed"):
        uids.draw(2**32)
