"""What a command without end says about states that last."""

from collections.abc import Callable


class Notices:
    """Sentences about states, each printed when it changes and not again."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._last: dict[str, str] = {}

    def say(self, subject: str, sentence: str) -> None:
        """Prints a sentence about a subject, if it is not what was printed of it last."""
        if self._last.get(subject) != sentence:
            self._last[subject] = sentence
            self._show(sentence)

    def begin(self, subject: str, sentence: str) -> None:
        """Prints a sentence about the first of several that have one state in common."""
        if subject not in self._last:
            self.say(subject, sentence)

    def end(self, subject: str, sentence: str) -> None:
        """Prints that a state is over, if it was printed that it began."""
        if self._last.pop(subject, None) is not None:
            self._show(sentence)
