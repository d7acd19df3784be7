"""Print the README's command that follows the marker ``<!-- command: NAME -->``."""

import re
import sys
from pathlib import Path

readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
match = re.search(rf"<!-- command: {re.escape(sys.argv[1])} -->\s*```(?:bash|console)\n(.*?)```", readme, re.DOTALL)
if match is None:
    sys.exit(f"README.md has no command {sys.argv[1]!r}")
print(match[1].strip())
