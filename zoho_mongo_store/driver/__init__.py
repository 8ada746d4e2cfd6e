"""MongoDB without tokens: connection, fork, bounded locks, retries and indexes."""

from typing import Any

Document = dict[str, Any]
"""Any MongoDB document."""
