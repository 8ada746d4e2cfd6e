from typing import Any

class UsersOperations:
    def get_users(self, param_instance: object = None, header_instance: object = None) -> Any: ...
