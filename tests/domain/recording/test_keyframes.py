"""Keyframes or all frames: keyframes as long as they come in time."""

from indexer.domain.recording.keyframes import KeyframeChoice
from indexer.domain.videos import Sampling


def test_keyframes_that_come_in_time_suffice() -> None:
    """A keyframe a second, with other frames between them."""
    choice = KeyframeChoice(Sampling.AUTO, every_s=1.0)
    assert {choice.note(is_keyframe=number % 5 == 0, now_s=number / 5) for number in range(100)} == {Sampling.KEYFRAMES}
    assert choice.interval_s == 1.0


def test_a_smart_codec_makes_all_frames_be_decoded() -> None:
    """Keyframes that are ten seconds apart: two seconds after the first one, all frames are decoded."""
    choice = KeyframeChoice(Sampling.AUTO, every_s=1.0)
    chosen = [choice.note(is_keyframe=second % 10 == 0, now_s=second) for second in range(40)]
    assert chosen == [Sampling.KEYFRAMES] * 3 + [Sampling.ALL] * 37


def test_keyframes_suffice_again_after_four_in_time() -> None:
    """A camera whose codec was changed while it is recorded."""
    choice = KeyframeChoice(Sampling.AUTO, every_s=1.0)
    choice.note(is_keyframe=True, now_s=0)
    chosen = [choice.note(is_keyframe=True, now_s=10 + second) for second in range(6)]
    assert chosen == [Sampling.ALL] * 4 + [Sampling.KEYFRAMES] * 2


def test_a_choice_of_the_person_stays() -> None:
    """With `keyframes` and `all` nothing is chosen."""
    for sampling in (Sampling.KEYFRAMES, Sampling.ALL):
        choice = KeyframeChoice(sampling, every_s=1.0)
        assert {choice.note(is_keyframe=second % 10 == 0, now_s=second) for second in range(40)} == {sampling}
