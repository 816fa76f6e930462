"""Threads of OpenCV: none of its own beside the worker processes."""

import subprocess
import sys


def test_opencv_has_one_thread() -> None:
    """A process that imports the imaging package runs OpenCV in one thread."""
    ask = "import indexer.imaging, cv2; print(cv2.getNumThreads())"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "1\n"
