from .sdk_exception import SDKException as SDKException
