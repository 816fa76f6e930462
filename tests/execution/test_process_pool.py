"""The engine of this machine: its processes are its own, and end with it."""

import os
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import pytest

from indexer.errors import EngineError
from indexer.execution import local_executor, process_pool, processes, serial
from indexer.execution.forkserver import follow_parent
from tests.support.worker_functions import Counted, hang_at_three, refuse_three, square, whoami

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_equal_results(count: int) -> None:
    """Any number of workers gives what `map` gives."""
    with local_executor(count) as spread:
        assert list(spread(square, range(50))) == list(map(square, range(50)))
        assert list(spread(square, [])) == []


def test_workers() -> None:
    """An engine says how many workers share the items, and it is they who work."""
    with serial() as alone, processes(2) as spread:
        assert (alone.workers, spread.workers) == (1, 2)
        assert set(alone(whoami, range(4))) == {os.getpid()}
        assert os.getpid() not in set(spread(whoami, range(4)))


def test_serial_takes_one_item_at_a_time() -> None:
    """One worker asks for an item when its result is wanted, not before."""
    items = Counted(1_000_000)
    with serial() as spread:
        next(spread(square, items))
    assert items.asked == 1


@pytest.mark.parametrize("count", [1, 2])
def test_problem_reaches_the_caller(count: int) -> None:
    """What the function raises is raised where its result is taken, after the results before it."""
    with local_executor(count) as spread:
        results = spread(refuse_three, range(10))
        assert list(islice(results, 3)) == [0, 1, 2]
        with pytest.raises(ValueError, match="not 3"):
            next(results)


def test_nobody_outlives_the_block() -> None:
    """Workers end with the block, also when it is left by an interrupt."""
    workers: set[int] = set()
    with pytest.raises(KeyboardInterrupt), processes(2) as spread:  # noqa: PT012 - the block is what is tested
        workers |= set(spread(whoami, range(8)))
        raise KeyboardInterrupt
    assert workers
    assert [pid for pid in workers if is_running(pid)] == []


def test_nobody_outlives_hanging_work() -> None:
    """Work that would never end is ended with the block."""
    with processes(2) as spread:
        workers = set(spread(whoami, range(8)))
        assert next(spread(hang_at_three, [1, 3, 3, 3])) == 1
    assert [pid for pid in workers if is_running(pid)] == []


def is_running(pid: int) -> bool:
    """Whether a process is there and no mere entry that waits to be read."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - of the kernel, not of the disk
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_interrupts_are_the_parents(capfd: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C, which a terminal sends to all of a group, does not reach the workers."""
    with processes(1) as spread:
        (worker,) = set(spread(whoami, range(4)))
        os.kill(worker, signal.SIGINT)
        assert set(spread(whoami, range(4))) == {worker}
    assert capfd.readouterr().err == ""


def deaf(seconds: int) -> int:
    """The work, in which nothing but SIGKILL is heard for so many seconds."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    time.sleep(seconds)
    return seconds


class Sluggish:
    """What a worker does when it starts; the first has it at once, the others half a second later."""

    def __init__(self) -> None:
        self.started = 0

    def __reduce__(self) -> tuple[object, ...]:
        self.started += 1
        return late, (0.0 if self.started == 1 else 0.5,)


def late(seconds: float) -> object:
    """What a worker does when it starts, after so many seconds."""
    time.sleep(seconds)
    return follow_parent


def end_while_a_worker_starts() -> None:
    """Ends a pool of two while its second worker is only just starting."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process_pool, "follow_parent", Sluggish())
        with processes(2) as executor:
            assert next(executor(deaf, [0, 600])) == 0
            time.sleep(0.2)


def test_a_worker_that_is_just_starting() -> None:
    """A worker that is only just starting when the block ends prints nothing, also while another takes its time."""
    code = "from tests.execution.test_process_pool import end_while_a_worker_starts as end\nend()\nprint('ended')\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("ended\n", "")


def test_workers_that_always_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where every pool breaks at once the run ends with one sentence, and does not hang."""
    broken: list[object] = []

    class Broken:
        """A pool that takes nothing."""

        def schedule(self, *_given: object, **_how: object) -> None:
            raise RuntimeError("not active")

        def stop(self) -> None:
            broken.append(self)

        def join(self) -> None:
            """Nobody is there."""

    monkeypatch.setattr("indexer.execution.process_pool.new_pool", lambda *_: Broken())
    with processes(1) as spread, pytest.raises(EngineError, match="again and again"):
        list(spread(square, range(8)))
    assert len(broken) == 3


def test_preloaded_modules_are_there_before_the_first_item(tmp_path: Path) -> None:
    """Workers have what was preloaded, and what their function's module needs is not loaded before it is called."""
    (tmp_path / "looking.py").write_text("import sys\n\ndef loaded(name):\n    return name in sys.modules\n")
    code = (
        "import looking\nfrom indexer.execution import processes\n"
        "with processes(1, preload=['wave']) as spread:\n    print(*spread(looking.loaded, ['wave', 'sndhdr']))\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True False\n", "")
