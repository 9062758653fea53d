"""Telling processes that have ended from those that live, and from those of other machines."""

from __future__ import annotations

import os
import subprocess
import sys

from monitor.processes import identify, is_gone


def test_a_running_process_is_not_gone():
    assert not is_gone(identify())
    assert identify() == identify(os.getpid())


def test_a_killed_process_is_gone_even_before_its_parent_reaps_it():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    name = identify(child.pid)
    assert not is_gone(name)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(name)
    child.communicate()
    assert is_gone(name)


def test_a_process_id_that_came_again_is_another_process():
    machine_and_pid = identify().rpartition(":")[0]
    assert is_gone(f"{machine_and_pid}:1")


def test_nothing_is_said_about_other_machines():
    pid_and_start = ":".join(identify().rsplit(":", 2)[1:])
    assert not is_gone(f"elsewhere:{pid_and_start}")
    assert not is_gone("nonsense")
