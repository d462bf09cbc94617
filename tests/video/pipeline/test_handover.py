"""What is handed over between threads."""

from __future__ import annotations

import threading
import time

from nanoedge.video.pipeline.handover import Handover


def test_the_newest_is_taken_and_the_rest_counted() -> None:
    place: Handover[int] = Handover()
    for number in range(5):
        place.put(number)
    assert place.take() == 4
    assert place.dropped == 4
    assert place.take(timeout=0.01) is None


def test_with_keep_all_the_giver_waits_and_nothing_is_lost() -> None:
    place: Handover[int] = Handover(2, keep_all=True)

    def give() -> None:
        for number in range(100):
            place.put(number)
        place.close()

    giver = threading.Thread(target=give)
    giver.start()
    time.sleep(0.05)
    found = []
    while not place.finished:
        if (item := place.take(timeout=1)) is not None:
            found.append(item)
    giver.join()
    assert found == list(range(100)) and place.dropped == 0


def test_closing_lets_go_of_both_sides() -> None:
    place: Handover[int] = Handover(1, keep_all=True)
    place.put(1)
    giver = threading.Thread(target=place.put, args=(2,))
    giver.start()
    place.close()
    giver.join(timeout=5)
    assert not giver.is_alive()
    assert not place.finished and place.take() == 1
    assert place.finished and place.take() is None
    place.put(3)
    assert place.take() is None


def test_what_is_to_be_forgotten_is_gone() -> None:
    place: Handover[int] = Handover()
    place.put(1)
    place.close(forget=True)
    assert place.finished and place.take() is None
