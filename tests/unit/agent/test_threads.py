"""Threads for synchronous skills are few, and let go."""

import threading

import pytest

from dragoman.agent import threads
from dragoman.agent.threads import Threads


def test_no_more_threads_than_allowed():
    pool = Threads(2)
    names: set[str] = set()
    gate = threading.Barrier(3)

    def work() -> None:
        names.add(threading.current_thread().name + str(threading.get_ident()))
        gate.wait()

    futures = [pool.submit(work) for _ in range(4)]
    for _ in range(2):
        gate.wait()
    for future in futures:
        future.result(timeout=5)
    assert len(names) == 2


def test_an_idle_thread_is_used_again():
    pool = Threads(4)
    first = pool.submit(threading.get_ident).result(timeout=5)
    while not pool._idle.acquire(blocking=False):
        pass
    pool._idle.release()
    assert pool.submit(threading.get_ident).result(timeout=5) == first


def test_a_thread_without_work_goes(monkeypatch):
    monkeypatch.setattr(threads, "_IDLE_SECONDS", 0.001)
    pool = Threads(1)
    thread = pool.submit(threading.current_thread).result(timeout=5)
    thread.join(timeout=5)
    assert not thread.is_alive()
    assert pool.submit(lambda: "again").result(timeout=5) == "again"


def test_a_thread_keeps_no_process_alive():
    assert Threads(1).submit(threading.current_thread).result(timeout=5).daemon


def test_work_that_was_cancelled_before_it_began_never_begins():
    pool = Threads(1)
    gate, done = threading.Event(), []
    blocking = pool.submit(gate.wait)
    waiting = pool.submit(lambda: done.append(1))
    assert waiting.cancel()
    gate.set()
    blocking.result(timeout=5)
    pool.submit(lambda: None).result(timeout=5)
    assert done == []


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_errors_arrive_where_the_result_is_awaited(error):
    def fail() -> None:
        raise error

    assert Threads(1).submit(fail).exception(timeout=5) is error
