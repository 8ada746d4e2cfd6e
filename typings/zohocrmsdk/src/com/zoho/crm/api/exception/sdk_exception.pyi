class SDKException(Exception):
    message: str
    code: str | None
    cause: BaseException | None
    details: object
    error_message: str
    def __init__(
        self,
        code: str | None = None,
        message: str | None = None,
        details: object = None,
        cause: BaseException | None = None,
    ) -> None: ...
