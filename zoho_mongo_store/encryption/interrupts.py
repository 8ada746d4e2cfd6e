"""Recognizes what a signal's handler raised inside MongoDB's library."""

from zoho_mongo_store.errors import StoreError

_TRACEBACK = "Traceback (most recent call last)"


def raise_if_interrupted(text: str) -> None:
    """Raise again what was raised inside the library.

    The library calls Python functions (pymongocrypt/crypto.py), in which signals are handled. It
    reports what is raised there as its own failure, with the traceback as a text. Without this,
    Ctrl-C would look like a damaged value.

    Args:
        text: The text of the library's failure.

    Raises:
        KeyboardInterrupt: It was raised inside.
        SystemExit: It was raised inside, with the same status.
        StoreError: Anything else was raised inside.
    """
    if _TRACEBACK not in text:
        return
    name, _, argument = text.strip().splitlines()[-1].partition(": ")
    if name == KeyboardInterrupt.__name__:
        raise KeyboardInterrupt from None
    if name == SystemExit.__name__:
        raise SystemExit(int(argument) if argument.isdecimal() else argument or None) from None
    raise StoreError(f"the encryption did not finish: {name} was raised in it") from None
