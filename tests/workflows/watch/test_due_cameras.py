"""Which cameras are compared when: those that changed, the longest waiting first, a large one not all the time."""

from indexer.workflows.watch.due_cameras import DueCameras


def test_the_longest_waiting_comes_first() -> None:
    """Cameras come in the order in which they changed first, and only those that changed."""
    cameras = DueCameras()
    for at_s, camera in enumerate(["b", "a", "b"]):
        cameras.note_changed(camera, now_s=at_s)
    assert (cameras.list_due(now_s=3), cameras.waiting) == (["b", "a"], 2)
    cameras.note_compared("b", start_s=3, now_s=3)
    assert (cameras.list_due(now_s=3), cameras.waiting) == (["a"], 1)


def test_a_comparison_takes_a_tenth_of_the_time() -> None:
    """A camera whose comparison took two seconds is compared again twenty seconds after that began, or at once."""
    cameras = DueCameras()
    cameras.note_changed("a", now_s=0)
    cameras.note_compared("a", start_s=0, now_s=2)
    cameras.note_changed("a", now_s=3)
    assert (cameras.list_due(now_s=19.9), cameras.list_due(now_s=20), cameras.next_due_s) == ([], ["a"], 20)
    assert cameras.list_due(now_s=3, at_once=True) == ["a"]


def test_a_refused_camera_is_tried_later() -> None:
    """A camera that could not be compared waits until it is tried again, also where all are to be compared at once."""
    cameras = DueCameras()
    cameras.note_changed("a", now_s=0)
    cameras.note_refused("a", until_s=30)
    assert (cameras.list_due(now_s=29, at_once=True), cameras.list_due(now_s=30), cameras.waiting) == ([], ["a"], 1)
