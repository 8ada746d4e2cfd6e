from typing import Any

class OrgOperations:
    def get_organization(self) -> Any: ...
