import sys
from pathlib import Path

from tests.shipped_upstream import write

write(Path(sys.argv[1]))
