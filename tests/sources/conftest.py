"""Real servers for the sources' tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

# Loaded by path: the suite also runs from an empty folder against the wheel, where `tests` is not importable.
_path = Path(__file__).parents[1] / "servers" / "wordpress.py"
_spec = importlib.util.spec_from_file_location("listener_test_wordpress", _path)
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module
_spec.loader.exec_module(_module)
wordpress = _module.wordpress
