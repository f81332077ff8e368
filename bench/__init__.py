"""Measures the server beside the raw limits of the same machine, in one run."""

import sys
from pathlib import Path

# the reference client is a package of its own, and need not be installed to be measured
sys.path.append(str(Path(__file__).parents[1] / "clients" / "python"))
