"""Token documents in MongoDB."""
