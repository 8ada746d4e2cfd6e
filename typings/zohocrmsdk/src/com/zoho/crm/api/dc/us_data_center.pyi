from .data_center import DataCenter

class USDataCenter(DataCenter):
    @classmethod
    def PRODUCTION(cls) -> DataCenter.Environment: ...
