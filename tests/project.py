"""What the package's metadata say."""

from importlib.metadata import metadata

PROJECT = metadata("zoho-mongo-store")
EXTRAS = set(PROJECT.get_all("Provides-Extra") or [])
URLS = dict(one.split(", ") for one in PROJECT.get_all("Project-URL") or [])
