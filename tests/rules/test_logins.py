"""Rule 8: every route needs a login unless it stands in one list."""

from typing import get_args

from app.api import PUBLIC
from app.auth.tickets import StreamUser
from app.core.auth import Login
from tests.rules.sources import Operation, told

# What lies outside of the API: health for hosts, documentation for people.
OUTSIDE = {"/livez", "/readyz", "/health", "/metrics", "/docs", "/redoc"}

ticket_or_token = get_args(StreamUser)[1].dependency


def needs_login(operation: Operation) -> bool:
    """Whether something that it depends on is a required login, or takes one-time tickets as well."""
    calls = [dependant.call for dependant in operation.dependants]
    return any((isinstance(call, Login) and call._required) or call is ticket_or_token for call in calls)


def test_every_route_needs_a_login_unless_it_is_listed(routes: list[Operation]) -> None:
    breaches = [
        f"{operation}: take CurrentUser, or add it to PUBLIC in app/api.py"
        for operation in routes
        if operation.path not in OUTSIDE and operation.name not in PUBLIC and not needs_login(operation)
    ]
    assert not breaches, told(breaches)


def test_the_list_names_only_what_is_open(routes: list[Operation]) -> None:
    names = {operation.name for operation in routes}
    breaches = [f"PUBLIC in app/api.py: there is no operation {name}" for name in sorted(PUBLIC - names)]
    breaches += [
        f"{operation}: needs a login and stands in PUBLIC"
        for operation in routes
        if operation.name in PUBLIC and needs_login(operation)
    ]
    assert not breaches, told(breaches)


def test_nothing_outside_of_the_api_is_forgotten(routes: list[Operation]) -> None:
    outside = {operation.path for operation in routes if operation.name not in PUBLIC and not needs_login(operation)}
    assert outside == OUTSIDE
