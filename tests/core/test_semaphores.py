"""PrioritySemaphore: limits, order among waiters, cancellation, a changed limit."""

from __future__ import annotations

import asyncio

import pytest

from aura_core.execution.semaphores import PATIENCE, PrioritySemaphore


async def waiting(semaphore: PrioritySemaphore, priority: int, order: list[int]) -> None:
    await semaphore.acquire(priority)
    order.append(priority)
    semaphore.release()


async def test_the_highest_goes_first_and_equals_in_their_order():
    semaphore, order = PrioritySemaphore(1), []
    await semaphore.acquire()
    async with asyncio.TaskGroup() as group:
        for priority in (0, 5, 1, 5, -1):
            group.create_task(waiting(semaphore, priority, order))
        await asyncio.sleep(0)
        assert (semaphore.held, semaphore.waiting) == (1, 5)
        semaphore.release()
    assert order == [5, 5, 1, 0, -1]
    assert (semaphore.held, semaphore.waiting) == (0, 0)


async def test_a_place_is_handed_over_so_nobody_overtakes():
    semaphore = PrioritySemaphore(1)
    await semaphore.acquire()
    waiter = asyncio.create_task(semaphore.acquire())
    await asyncio.sleep(0)
    semaphore.release()
    late = asyncio.create_task(semaphore.acquire(100))
    await waiter
    await asyncio.sleep(0)
    assert not late.done()
    semaphore.release()
    await late
    semaphore.release()


async def test_a_waiter_cancelled_as_its_turn_comes_passes_it_on():
    semaphore = PrioritySemaphore(1)
    await semaphore.acquire()
    first, second = asyncio.create_task(semaphore.acquire(1)), asyncio.create_task(semaphore.acquire())
    await asyncio.sleep(0)
    semaphore.release()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await asyncio.wait_for(second, 5)
    semaphore.release()
    assert semaphore.held == 0


async def test_a_place_that_comes_back_when_every_waiter_was_just_cancelled_is_free():
    semaphore = PrioritySemaphore(1)
    await semaphore.acquire()
    waiters = [asyncio.create_task(semaphore.acquire(priority)) for priority in (0, 1)]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    semaphore.release()
    await asyncio.wait(waiters)
    assert (semaphore.held, semaphore.waiting) == (0, 0)


async def test_cancelled_waiters_are_forgotten():
    semaphore = PrioritySemaphore(1)
    await semaphore.acquire()
    waiters = [asyncio.create_task(semaphore.acquire()) for _ in range(100)]
    await asyncio.sleep(0)
    for waiter in waiters[:-1]:
        waiter.cancel()
    await asyncio.gather(*waiters[:-1], return_exceptions=True)
    assert semaphore.waiting == 1
    assert len(semaphore._waiters) < 5
    semaphore.release()
    await waiters[-1]
    semaphore.release()
    assert (semaphore.held, semaphore.waiting) == (0, 0)


async def test_who_matters_less_gets_a_turn_too_although_others_never_stop_coming():
    semaphore, order = PrioritySemaphore(1), []
    await semaphore.acquire()
    patient = [asyncio.create_task(waiting(semaphore, 0, order)) for _ in range(2)]
    rush = {asyncio.create_task(waiting(semaphore, 9, order)) for _ in range(5)}
    await asyncio.sleep(0)
    semaphore.release()
    while not all(task.done() for task in patient):
        done, rush = await asyncio.wait(rush, return_when=asyncio.FIRST_COMPLETED)
        rush |= {asyncio.create_task(waiting(semaphore, 9, order)) for _ in done}
        assert len(order) < 4 * PATIENCE
    assert order.index(0) == PATIENCE
    assert order.index(0, PATIENCE + 1) == 2 * PATIENCE + 1
    await asyncio.gather(*rush)
    assert (semaphore.held, semaphore.waiting) == (0, 0)


async def test_what_is_remembered_of_those_who_went_stays_in_proportion():
    semaphore = PrioritySemaphore(1)
    await semaphore.acquire()
    patient = asyncio.create_task(semaphore.acquire(-1))
    for _ in range(PATIENCE - 1):
        eager = asyncio.create_task(semaphore.acquire(1))
        await asyncio.sleep(0)
        semaphore.release()
        await eager
        assert len(semaphore._arrivals) <= 6
    semaphore.release()
    await patient
    semaphore.release()
    assert (semaphore.held, semaphore.waiting) == (0, 0)


async def test_one_cancelled_waiter_among_others_is_skipped():
    semaphore, order = PrioritySemaphore(1), []
    await semaphore.acquire()
    tasks = [asyncio.create_task(waiting(semaphore, priority, order)) for priority in (9, 1, 2, 3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    semaphore.release()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == [3, 2, 1]


async def test_a_larger_limit_lets_waiters_in_at_once_and_a_smaller_one_waits_for_places():
    semaphore = PrioritySemaphore(1)
    await semaphore.acquire()
    second = asyncio.create_task(semaphore.acquire())
    await asyncio.sleep(0)
    semaphore.resize(2)
    await second
    semaphore.resize(1)
    third = asyncio.create_task(semaphore.acquire())
    semaphore.release()
    await asyncio.sleep(0)
    assert not third.done()
    semaphore.release()
    await third
    assert semaphore.held == 1
