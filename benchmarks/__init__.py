"""What this store costs beside its peers and beside pymongo: ``make bench`` writes RESULTS.md."""
