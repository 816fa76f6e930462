"""Whether the libraries of the server are installed."""

from importlib.util import find_spec

from indexer.errors import MissingLibraryError


def require_server_libraries() -> None:
    """Raises `MissingLibraryError` if Starlette or uvicorn is not installed."""
    if find_spec("starlette") is None or find_spec("uvicorn") is None:  # importing them takes a while
        raise MissingLibraryError(
            "the page is served by Starlette and uvicorn, which are not installed; type: pip install starlette uvicorn"
        )
