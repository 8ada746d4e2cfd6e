"""No secret is ever shown, whatever fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

# Signs that the program went everywhere it was sent.
KINDS = (
    "LOG zoho_mongo_store ERROR",
    "LOG SDKLogger",
    "LOG urllib3.connectionpool DEBUG",
    "FRAME call",
    "FRAME redeem",
    "is lost: MongoDB could not be reached",
    "a unique index on access_token, which",
    "DocumentValidationFailure",
    "is damaged",
    "OAUTH_SCOPE_MISMATCH",
    "Remote end closed connection without response",
)


def run_program(folder: Path) -> tuple[str, list[str]]:
    """All that the program showed, and the secrets that it had."""
    output, secrets = folder / "output", folder / "secrets"
    command = [sys.executable, "-X", "dev", "-W", "always", "-m", "tests.faults.secret_program"]
    with output.open("w") as file:
        process = subprocess.Popen(
            [*command, str(secrets)],
            stdout=file,
            stderr=subprocess.STDOUT,
            cwd=Path(__file__).parents[2],
            start_new_session=True,
        )
        try:
            status = process.wait(280)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            raise
    text = output.read_text()
    assert status == 0, text[-5000:]
    return text, secrets.read_text().splitlines()


def test_no_secret_is_shown(tmp_path: Path) -> None:
    text, secrets = run_program(tmp_path)

    counted = re.search(r"failures: (\d+)\s*\Z", text)
    assert counted is not None
    assert int(counted[1]) == text.count("\nERROR ") + text.startswith("ERROR ") > 250
    assert [kind for kind in KINDS if kind not in text] == []
    assert len(secrets) > 8
    assert all(len(secret) > 5 for secret in secrets)
    assert [line for line in text.splitlines() if any(one in line for one in secrets)] == []
    assert "ResourceWarning" not in text
