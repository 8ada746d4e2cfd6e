"""Scopes: their form, and what each covers."""

import pytest

from zoho_mongo_store.testing.zoho.scopes import allow, parse


def test_are_separated_by_commas() -> None:
    assert parse("ZohoCRM.users.READ, ZohoCRM.modules.Contacts.ALL") == (
        "ZohoCRM.users.READ",
        "ZohoCRM.modules.Contacts.ALL",
    )


@pytest.mark.parametrize("text", ["", "ZohoCRM", "ZohoCRM.users.READ,", "a b", "<b>.ALL"])
def test_of_another_form_do_not_exist(text: str) -> None:
    with pytest.raises(ValueError, match="Scope does not exist"):
        parse(text)


@pytest.mark.parametrize(
    ("scope", "needed", "covered"),
    [
        ("ZohoCRM.users.READ", "ZohoCRM.users.READ", True),
        ("ZohoCRM.users.ALL", "ZohoCRM.users.READ", True),
        ("zohocrm.USERS.all", "ZohoCRM.users.READ", True),
        ("ZohoCRM.modules.ALL", "ZohoCRM.modules.Contacts.UPDATE", True),
        ("ZohoCRM.modules.READ", "ZohoCRM.modules.Contacts.READ", True),
        ("ZohoCRM.modules.READ", "ZohoCRM.modules.Contacts.UPDATE", False),
        ("ZohoCRM.modules.Contacts.ALL", "ZohoCRM.modules.Contacts.READ", True),
        ("ZohoCRM.modules.Contacts.ALL", "ZohoCRM.modules.Leads.READ", False),
        ("ZohoCRM.org.READ", "ZohoCRM.users.READ", False),
    ],
)
def test_cover_what_is_below_them(scope: str, needed: str, covered: bool) -> None:
    assert allow(["ZohoCRM.settings.ALL", scope], needed) is covered
    assert allow(None, needed)
    assert not allow([], needed)
