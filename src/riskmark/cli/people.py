"""``riskmark user`` and ``token``: who may sign in, and what programs may do on whose behalf."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmark.cli import formats, output
from riskmark.cli.opening import opened
from riskmark.cli.options import AsJson
from riskmark.domain.accounts import Role, Scope

if TYPE_CHECKING:
    from riskmark.domain.accounts import AccountHolder
    from riskmark.storage.audit import Actor
    from riskmark.storage.web_sessions import ApiToken

user_commands = typer.Typer(
    help="People who sign in: add, list, disable, enable, link.", no_args_is_help=True
)
token_commands = typer.Typer(help="Tokens of programs: create, list, revoke.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address to sign in with.")]
Owner = Annotated[
    str, typer.Option("--user", metavar="EMAIL", help="Whose; default: the local account.")
]
LOCAL = "local"


@user_commands.command("add")
def add_user(
    ctx: typer.Context,
    email: Email,
    *,
    name: Annotated[
        str | None, typer.Option(help="Default: the address before @.", show_default=False)
    ] = None,
    role: Annotated[Role, typer.Option(help="An admin operates everything.")] = Role.OWNER,
    local: Annotated[
        bool, typer.Option("--local", help="The portfolios made by command are theirs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make an account, and show the secret by which its password is set; it is shown once."""
    from riskmark.access.people import add_account

    with opened(ctx) as app, app.database.write() as connection:
        called = email.partition("@")[0] if name is None else name
        at = app.wall.now()
        made = add_account(connection, _operator(), email, called, role=role, at=at, is_local=local)
    _show_link(made.account, made.link.text, as_json=as_json)


@user_commands.command("link")
def renew_link(ctx: typer.Context, email: Email, *, as_json: AsJson = False) -> None:
    """Show a secret by which somebody sets a new password; those before end."""
    from riskmark.access.people import new_link
    from riskmark.storage.accounts import find_account

    with opened(ctx) as app, app.database.write() as connection:
        account = find_account(connection, email)
        link = new_link(connection, _operator(), account, at=app.wall.now())
    _show_link(account, link.text, as_json=as_json)


@user_commands.command("list")
def list_users(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """List everybody who may sign in."""
    from riskmark.cli.tables import cut, make_table
    from riskmark.storage.accounts import list_accounts

    with opened(ctx) as app, app.database.read() as connection:
        found = list_accounts(connection)
    if as_json:
        output.show_json([_user(one) for one in found])
        return
    if not found:
        output.note("nobody signs in yet; riskmark user add EMAIL --role admin makes an account")
        return
    table = make_table("Address…", "Name…", "Role", "Password", "Second factor", "State")
    for one in found:
        table.add_row(
            cut(one.email or ""),
            cut(one.name),
            one.role,
            "set" if one.has_password else "not yet",
            "yes" if one.has_totp else "",
            "" if one.disabled_at is None else f"disabled {formats.instant(one.disabled_at)}",
        )
    output.show(table)


@user_commands.command("disable")
def disable_user(ctx: typer.Context, email: Email) -> None:
    """Shut somebody out at once: sessions end, tokens rest."""
    from riskmark.access.people import disable
    from riskmark.storage.accounts import find_account

    with opened(ctx) as app, app.database.write() as connection:
        account = find_account(connection, email)
        disable(connection, _operator(), account, at=app.wall.now())
    output.note(f"disabled {account.email or account.account_id}")


@user_commands.command("enable")
def enable_user(ctx: typer.Context, email: Email) -> None:
    """Let somebody who was disabled sign in again."""
    from riskmark.access.people import enable
    from riskmark.storage.accounts import find_account

    with opened(ctx) as app, app.database.write() as connection:
        account = find_account(connection, email)
        enable(connection, _operator(), account, at=app.wall.now())
    output.note(f"enabled {account.email or account.account_id}")


@token_commands.command("create")
def create_token(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    *,
    user: Owner = LOCAL,
    scopes: Annotated[
        list[Scope] | None,
        typer.Option("--scope", help="May be repeated; default: read.", show_default=False),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=3660, help="Default: until revoked.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it; it is shown once."""
    from riskmark.access.tokens import create_token as create
    from riskmark.storage.accounts import find_account

    with opened(ctx) as app, app.database.write() as connection:
        account = find_account(connection, user)
        made = create(
            connection,
            _operator(),
            account,
            name,
            scopes=frozenset(scopes or [Scope.READ]),
            lasts=None if days is None else timedelta(days=days),
            at=app.wall.now(),
        )
    if as_json:
        output.show_json(_token(made.token) | {"token": made.secret.text})
        return
    output.show(made.secret.text)
    allowed = ", ".join(sorted(made.token.scopes))
    output.note(f"token {made.token.token_id} ({allowed}); it is not shown again")


@token_commands.command("list")
def list_tokens(ctx: typer.Context, *, user: Owner = LOCAL, as_json: AsJson = False) -> None:
    """List the tokens of an account, the newest first."""
    from riskmark.cli.tables import cut, make_table
    from riskmark.storage import web_sessions
    from riskmark.storage.accounts import find_account

    with opened(ctx) as app, app.database.read() as connection:
        found = web_sessions.list_tokens(connection, find_account(connection, user).account_id)
    if as_json:
        output.show_json([_token(one) for one in found])
        return
    if not found:
        output.note("no tokens; riskmark token create NAME makes one")
        return
    table = make_table("Id", "Name…", "Scopes", "Created (UTC)", "Until", "Last used", "Revoked")
    for one in found:
        instants = (one.created_at, one.expires_at, one.used_at, one.revoked_at)
        told = ["" if at is None else formats.instant(at) for at in instants]
        table.add_row(one.token_id, cut(one.name), " ".join(sorted(one.scopes)), *told)
    output.show(table)


@token_commands.command("revoke")
def revoke_token(
    ctx: typer.Context,
    token: Annotated[str, typer.Argument(metavar="ID", help="The token's id.")],
    *,
    user: Owner = LOCAL,
) -> None:
    """End a token, at once."""
    from riskmark.access.tokens import revoke_token as revoke
    from riskmark.storage.accounts import find_account

    with opened(ctx) as app, app.database.write() as connection:
        account = find_account(connection, user)
        gone = revoke(connection, _operator(), account, token, at=app.wall.now())
    output.note(f"revoked {gone.name!r} ({gone.token_id})")


def _operator() -> "Actor":
    """Return who acts at the command line, as the audit log has it."""
    from riskmark.storage.audit import Actor

    return Actor(LOCAL, "command line", "-")


def _show_link(account: "AccountHolder", link: str, *, as_json: bool) -> None:
    if as_json:
        output.show_json(_user(account) | {"link": link})
        return
    output.show(link)
    output.note(
        f"{account.email} sets a password with it once, within three days, on the page "
        "/set-up of the server"
    )


def _user(one: "AccountHolder") -> dict[str, Any]:
    return {
        "id": one.account_id,
        "name": one.name,
        "email": one.email,
        "role": one.role,
        "created_at": one.created_at,
        "disabled_at": one.disabled_at,
        "has_password": one.has_password,
        "has_totp": one.has_totp,
    }


def _token(one: "ApiToken") -> dict[str, Any]:
    return {
        "id": one.token_id,
        "name": one.name,
        "scopes": sorted(one.scopes),
        "created_at": one.created_at,
        "expires_at": one.expires_at,
        "used_at": one.used_at,
        "revoked_at": one.revoked_at,
    }
