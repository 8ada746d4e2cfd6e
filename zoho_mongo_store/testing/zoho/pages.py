"""The loopback Zoho's pages for a browser: plain HTML, without scripts. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from zoho_mongo_store.testing.zoho.authorize import PARAMETERS, AuthorizeError, AuthorizeRequest
from zoho_mongo_store.testing.zoho.directory import User

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 1rem; background: Canvas; color: CanvasText; }
main { max-width: 30rem; margin: 6vh auto; padding: 1.5rem 2rem; border: 1px solid GrayText;
  border-radius: .5rem; }
h1 { margin-top: 0; font-size: 1.4rem; line-height: 1.25; }
fieldset { margin: 1.5rem 0; padding: .5rem 1rem; border: 1px solid GrayText;
  border-radius: .25rem; }
label { display: block; padding: .4rem 0; }
label small { display: block; margin-left: 1.6rem; }
button { min-height: 2.75rem; margin: 0 .75rem 0 0; padding: .4rem 1.5rem; font: inherit;
  border: 2px solid #0b57a4; border-radius: .25rem; background: Canvas; color: CanvasText;
  cursor: pointer; }
button.primary { background: #0b57a4; color: #fff; }
:focus-visible { outline: 3px solid #c25a00; outline-offset: 2px; }
footer { margin-top: 1.5rem; font-size: .875rem; }
"""
_FOOTER = "A loopback Zoho on this machine, for tests and demos: nothing here reaches zoho.com."


def consent(
    request: AuthorizeRequest,
    parameters: Mapping[str, str],
    users: Iterable[User],
    login_hint: str | None,
) -> str:
    """Render the page that combines Zoho's sign-in and consent pages.

    Args:
        request: The request.
        parameters: Its parameters as received, which the form sends again.
        users: The users to choose from.
        login_hint: The e-mail address of the user who is selected initially.
    """
    users = list(users)
    chosen = login_hint if any(user.email == login_hint for user in users) else users[0].email
    name = escape(request.client.name)
    hidden = "\n".join(
        f'<input type="hidden" name="{field}" value="{escape(parameters[field])}">'
        for field in PARAMETERS
        if field in parameters
    )
    choices = "\n".join(
        f'<label><input type="radio" name="user" value="{escape(user.email)}" required'
        f"{' checked' if user.email == chosen else ''}> {escape(user.email)}"
        f"<small>Organization {escape(user.org)}, data centre {escape(user.location)}</small>"
        "</label>"
        for user in users
    )
    wanted = "\n".join(f"<li><code>{escape(scope)}</code></li>" for scope in request.scopes)
    offline = "<p>It may do so while you are away.</p>" if request.offline else ""
    return _page(
        f"{name} wants access to Zoho",
        f"""<form method="post">
{hidden}
<p><strong>{name}</strong> would like to use these scopes:</p>
<ul>
{wanted}
</ul>
{offline}
<fieldset>
<legend>Continue as</legend>
{choices}
</fieldset>
<button class="primary" type="submit" name="decision" value="accept">Accept</button>
<button type="submit" name="decision" value="reject">Reject</button>
</form>""",
    )


def error(refused: AuthorizeError) -> str:
    """Render the page that says why there is no consent page."""
    return _page(
        "Zoho cannot continue",
        f"<p>{escape(refused.description)}.</p>\n"
        f"<p>Error: <code>{escape(refused.error)}</code></p>",
    )


def _page(title: str, content: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
<footer>{_FOOTER}</footer>
</main>
</body>
</html>
"""
