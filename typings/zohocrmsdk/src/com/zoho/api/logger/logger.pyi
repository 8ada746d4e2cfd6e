import enum

class Logger:
    class Levels(enum.Enum):
        CRITICAL = 50
        ERROR = 40
        WARNING = 30
        INFO = 20
        DEBUG = 10
        NOTSET = 0

    def __init__(self, level: Logger.Levels, file_path: str | None = None) -> None: ...
    def get_level(self) -> str: ...
    def get_file_path(self) -> str | None: ...
    @staticmethod
    def get_instance(level: Logger.Levels, file_path: str | None = None) -> Logger: ...

class SDKLogger:
    def __init__(self, logger_instance: Logger) -> None: ...
    @staticmethod
    def initialize(logger_instance: Logger) -> None: ...
