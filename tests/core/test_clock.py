"""What promises of seconds are measured with."""

import os
import signal
import subprocess
import time

from tests import clock


def test_the_clock_stands_still_while_the_process_is_stopped() -> None:
    clock.now()
    time.sleep(0.1)
    waking = subprocess.Popen(["sh", "-c", f"while sleep 1; do kill -CONT {os.getpid()} || exit; done"])
    begun, wall = clock.now(), time.monotonic()
    os.kill(os.getpid(), signal.SIGSTOP)
    assert time.monotonic() - wall > 0.5
    assert clock.now() - begun < 0.5
    waking.terminate()
    waking.wait()


def test_the_clock_goes_on_while_the_process_waits() -> None:
    begun = clock.now()
    time.sleep(0.5)
    assert 0 < clock.now() - begun < 1
