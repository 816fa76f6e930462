"""How work is spread: engines that give something with the signature of `map`.

They promise results in the order of the items, a bounded number of items in flight whatever the number of items, and
that no worker outlives the block. They know neither pictures nor the database; workers are given plain values only.
"""

from indexer.engines.pools import engine as engine
from indexer.engines.pools import processes as processes
from indexer.engines.spreading import IN_FLIGHT as IN_FLIGHT
from indexer.engines.spreading import UNBOUNDED as UNBOUNDED
from indexer.engines.spreading import Afar as Afar
from indexer.engines.spreading import Bounds as Bounds
from indexer.engines.spreading import Lost as Lost
from indexer.engines.spreading import Map as Map
from indexer.engines.spreading import path_there as path_there
from indexer.engines.spreading import serial as serial
