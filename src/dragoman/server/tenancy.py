"""Tenants by the prefix of a path: each has the whole agent below `/{tenant}`, its JSON-RPC and its card as well (SPEC 4.7)."""

from collections.abc import Collection

from starlette.types import Scope

from dragoman.server.asked import TENANT_IN_PATH
from dragoman.server.headers import relative_path


def enter_tenant(scope: Scope, tenants: Collection[str] | None) -> Scope:
    """The scope below the prefix of a tenant, if the path has one."""
    if not tenants or scope["type"] != "http":
        return scope
    tenant = relative_path(scope).removeprefix("/").partition("/")[0]
    if tenant not in tenants:
        return scope
    return {**scope, "root_path": f"{scope.get('root_path', '')}/{tenant}", TENANT_IN_PATH: tenant}
