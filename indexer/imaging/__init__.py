"""Images as arrays and bytes: decode, prepare, score, match. The only package that imports cv2 and Pillow.

It knows bytes, arrays and numbers. It does not know cameras, capture times, profiles or the database; limits of
similarity are arguments. Every result depends only on the arguments and the bytes of the file, so any worker on any
machine gives the same pixels and scores, to the last bit.

Decision 0013: one OpenCV thread per process.
"""

try:
    import cv2
except ImportError as problem:  # pragma: no cover - shown by tests/cli/test_missing_libraries.py in a subprocess
    from indexer.errors import IndexerError

    raise IndexerError(
        f"OpenCV cannot be loaded ({problem}). On Debian or Ubuntu: apt-get install libgl1 libglib2.0-0"
    ) from problem

cv2.setNumThreads(1)
