"""MongoDB without tokens: connection, fork, bounded locks, retries and indexes."""
