"""What is said of verdicts."""

from datetime import UTC, datetime

import pytest

from indexer.cli.render.verdict import describe_both_pinned
from indexer.domain.images import ImageState
from indexer.store.verdicts import JudgedPair
from indexer.workflows.review.verdict import VerdictReport


@pytest.mark.parametrize(("number", "sentences", "unnamed"), [(0, 0, False), (10, 10, False), (12, 11, True)])
def test_pairs_of_pinned_images_are_named_or_counted(number: int, sentences: int, unnamed: bool) -> None:
    """Of many pairs that are both pinned the first ones are named, and the others counted."""
    ready, now = ImageState.READY, datetime(2026, 1, 1, tzinfo=UTC)
    pairs = [
        JudgedPair(first, first + 1, "/a.jpg", "/b.jpg", ready, ready, "gate", "same", "Ada", None, now, None)
        for first in range(1, number + 1)
    ]
    described = describe_both_pinned(VerdictReport(both_pinned=pairs))
    assert len(described) == sentences
    assert any("2 more pairs" in sentence for sentence in described) == unnamed
