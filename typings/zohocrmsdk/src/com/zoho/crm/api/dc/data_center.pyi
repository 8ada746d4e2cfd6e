from abc import ABC, abstractmethod

class DataCenter(ABC):
    class Environment:
        url: str
        accounts_url: str
        file_upload_url: str
        # SDK 5 has to have the name, the later lines take none.
        def __init__(
            self, url: str, accounts_url: str, file_upload_url: str, name: str = ...
        ) -> None: ...

    @abstractmethod
    def get_iam_url(self) -> str: ...
    @abstractmethod
    def get_file_upload_url(self) -> str: ...
    @staticmethod
    def get(config: str) -> DataCenter.Environment | None: ...
