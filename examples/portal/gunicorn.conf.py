"""The portal in four processes, which share the tokens in MongoDB and nothing else."""

from pathlib import Path

chdir = str(Path(__file__).resolve().parent)
wsgi_app = "app:app"
workers = 4
