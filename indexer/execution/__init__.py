"""How work is spread: engines that give something with the signature of `map`.

They promise results in the order of the items, a bounded number of items in flight whatever the number of items, and
that no worker outlives the block. They know neither pictures nor the database; workers are given plain values only.
"""

from indexer.execution.executor import IN_FLIGHT as IN_FLIGHT
from indexer.execution.executor import UNBOUNDED as UNBOUNDED
from indexer.execution.executor import Afar as Afar
from indexer.execution.executor import Bounds as Bounds
from indexer.execution.executor import Lost as Lost
from indexer.execution.executor import Map as Map
from indexer.execution.executor import path_there as path_there
from indexer.execution.executor import serial as serial
from indexer.execution.process_pool import engine as engine
from indexer.execution.process_pool import processes as processes
