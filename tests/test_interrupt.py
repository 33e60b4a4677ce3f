import os
import signal

import pytest

from tracker.commands.interrupt import Interrupt


def press():
    os.kill(os.getpid(), signal.SIGINT)


def one_row(done):
    with Interrupt() as interrupt:
        press()
        done.append("the row is finished")
        interrupt.check()
        done.append("never")


def test_ctrl_c_waits_for_the_check():
    done = []
    with pytest.raises(KeyboardInterrupt):
        one_row(done)
    assert done == ["the row is finished"]


def test_a_second_ctrl_c_does_not_wait():
    with Interrupt():
        press()
        with pytest.raises(KeyboardInterrupt):
            press()


def test_afterwards_ctrl_c_is_what_it_was_before():
    before = signal.getsignal(signal.SIGINT)
    with Interrupt() as interrupt:
        interrupt.check()
        assert signal.getsignal(signal.SIGINT) != before
    assert signal.getsignal(signal.SIGINT) == before


needs_hangups = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no SIGHUP here")


@needs_hangups
def test_a_terminal_that_is_closed_waits_for_the_check_too():
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            with pytest.raises(KeyboardInterrupt):
                interrupt.check()
    finally:
        signal.signal(signal.SIGHUP, before)


@needs_hangups
def test_what_nohup_started_goes_on_without_its_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            interrupt.check()
    finally:
        signal.signal(signal.SIGHUP, before)
