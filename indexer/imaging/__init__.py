"""Arrays and bytes of images: decode, prepare, score, match. The only package that knows cv2 and Pillow.

It knows bytes, arrays and numbers; not files' names, cameras, profiles, limits of similarity or the database.
Everything here is a pure function of its arguments, so that any worker on any machine gives the same result to the
last bit.

Decision: one OpenCV thread per process. OpenCV's own threads fight a pool of worker processes for the same cores (and
a fixed number keeps timing honest); work is spread by `indexer.execution` alone. Cost: a single huge image uses one
core.
"""

try:
    import cv2
except ImportError as problem:  # pragma: no cover - shown by tests/cli/test_missing_libraries.py in a subprocess
    from indexer.errors import IndexerError

    raise IndexerError(
        f"OpenCV cannot be loaded ({problem}). On Debian or Ubuntu: apt-get install libgl1 libglib2.0-0"
    ) from problem

cv2.setNumThreads(1)
