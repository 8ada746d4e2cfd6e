"""Four processes, which share the tokens in MongoDB and nothing else."""

workers = 4
