"""Steps: the module is the list of the points where the work can break."""

import dis
import inspect

from indexer.files import io_steps


def test_nothing_public_but_steps() -> None:
    """Whoever enumerates the module finds its own functions and nothing else, apart from modules."""
    public = [
        value for name, value in vars(io_steps).items() if not name.startswith("_") and not inspect.ismodule(value)
    ]
    assert public
    assert all(inspect.isfunction(value) and value.__module__ == io_steps.__name__ for value in public)


def test_no_step_calls_another() -> None:
    """A test that replaces a step meets each touch of the disk once."""
    found = dict(inspect.getmembers(io_steps, inspect.isfunction))
    used = {
        name: {act.argval for act in dis.get_instructions(step) if "GLOBAL" in act.opname}
        for name, step in found.items()
    }
    assert {name: names & found.keys() for name, names in used.items()} == {name: set() for name in found}
