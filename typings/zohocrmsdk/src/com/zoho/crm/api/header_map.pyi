from typing import Any

from .header import Header

class HeaderMap:
    def __init__(self) -> None: ...
    def add(self, header: Header, value: Any) -> None: ...
