"""Zoho's data centres, led to a loopback Zoho."""

from collections.abc import Callable
from importlib import import_module

from zoho_mongo_store.sdk import DataCenter

NAMES = ("AU", "CA", "CN", "EU", "IN", "JP", "SA", "US")
KINDS = ("PRODUCTION", "SANDBOX", "DEVELOPER")


def lead_to(
    environment: Callable[[], object], setattr: Callable[[object, str, object], object]
) -> None:
    """Have each data centre of the SDK give this environment.

    Args:
        environment: The loopback's.
        setattr: The built-in one, or monkeypatch's.
    """
    package = DataCenter.__module__.rpartition(".")[0]
    for name in NAMES:
        module = import_module(f"{package}.{name.lower()}_data_center")
        for kind in KINDS:
            setattr(getattr(module, f"{name}DataCenter"), kind, environment)
