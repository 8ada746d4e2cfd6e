from abc import ABC, abstractmethod
from typing import Any

class Token(ABC):
    @abstractmethod
    def authenticate(self, url_connection: Any) -> None: ...
    @abstractmethod
    def remove(self) -> bool: ...
    @abstractmethod
    def generate_token(self) -> None: ...
