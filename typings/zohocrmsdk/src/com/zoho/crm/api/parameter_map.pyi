from typing import Any

from .param import Param

class ParameterMap:
    def __init__(self) -> None: ...
    def add(self, param: Param, value: Any) -> None: ...
