"""What a signal's handler raises while MongoDB's library computes."""

from zoho_mongo_store.errors import StoreError

_TRACEBACK = "Traceback (most recent call last)"


def raise_if_interrupted(text: str) -> None:
    """Raise anew what was raised inside the library, of which it gives the traceback alone.

    It computes in functions of Python's (pymongocrypt/crypto.py), in which signals are handled, and
    reports what is raised there as any other failure. So Ctrl-C would pass for a damaged value.
    """
    if _TRACEBACK not in text:
        return
    name, _, argument = text.strip().splitlines()[-1].partition(": ")
    if name == KeyboardInterrupt.__name__:
        raise KeyboardInterrupt from None
    if name == SystemExit.__name__:
        raise SystemExit(int(argument) if argument.isdecimal() else argument or None) from None
    raise StoreError(f"the encryption did not finish: {name} was raised in it") from None
