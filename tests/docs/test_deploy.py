"""The roles and the users of operate/deploy.md, on a MongoDB that enforces them."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from tests.commands.conftest import CommandLine
from tests.docs.pages import DOCS, blocks
from tests.sent_commands import Client
from zoho_mongo_store.testing import LocalMongo

PAGE = DOCS / "operate" / "deploy.md"


def test_the_roles_and_the_users(guarded: LocalMongo, tmp_path: Path) -> None:
    command, shell = (one for one in blocks(PAGE.read_text()) if "test_deploy.py" in one.before)
    name, *arguments = command.text.removeprefix("zoho-mongo-store ").split()
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert urlsplit(given["--uri"].strip("'")).username == "admin"

    place = {"ZOHO_MONGO_URI": guarded.admin_uri}
    made = CommandLine(place, tmp_path)(name, "--database", given["--database"])

    assert made.status == 0, made.errors
    assert shell.text in made.output
    with Client(guarded.admin_uri) as client:
        database = client[given["--database"]]
        for user, role in re.findall(r'user: "(\w+)".*roles: \["(\w+)"\]', shell.text):
            database.command("createUser", user, pwd="open-sesame", roles=[role])
            (found,) = database.command("usersInfo", user)["users"]
            assert [one["role"] for one in found["roles"]] == [role]
        database.command("dropAllUsersFromDatabase")
        database.command("dropAllRolesFromDatabase")
