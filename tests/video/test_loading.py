"""The network is loaded aside, once, and its errors come out where it is asked for."""

from __future__ import annotations

import threading

import pytest
from nanoedge.errors import BundleError
from nanoedge.video.loading import Loading, detector_score


def test_the_first_one_is_loaded_at_once_and_given_once() -> None:
    made: list[object] = []
    begun = threading.Event()

    def make() -> object:
        made.append(object())
        begun.set()
        return made[-1]

    loading = Loading(make)  # type: ignore[arg-type]
    assert begun.wait(10)
    assert loading() is made[0]
    assert loading() is made[1]  # as when a stuck one is replaced
    assert len(made) == 2


def test_what_loading_raises_is_raised_where_it_is_waited_for() -> None:
    def refuse() -> None:
        raise BundleError("damaged")

    with pytest.raises(BundleError, match="damaged"):
        Loading(refuse)()  # type: ignore[arg-type]


def test_the_page_gets_weaker_boxes_than_the_outputs() -> None:
    assert detector_score(0.4, served=False) == 0.4
    assert detector_score(0.4, served=True) == 0.2
    assert detector_score(0.1, served=True) == 0.1
