"""How a card says what credentials its agent wants (SPEC 1.6, 4.6)."""

import enum
from typing import TypeAlias

from msgspec import field

from dragoman.model.base import Record, RequiredText


class ApiKeyLocation(enum.Enum):
    """Where an API key travels."""

    QUERY = "query"
    HEADER = "header"
    COOKIE = "cookie"


class APIKeySecurityScheme(Record, frozen=True, kw_only=True):
    """A key in a header, a cookie or the query."""

    description: str = ""
    location: ApiKeyLocation
    name: RequiredText


class HTTPAuthSecurityScheme(Record, frozen=True, kw_only=True):
    """A scheme of HTTP's `Authorization` header, such as Bearer."""

    description: str = ""
    scheme: RequiredText
    bearer_format: str = ""


class AuthorizationCodeOAuthFlow(Record, frozen=True, kw_only=True):
    """A person signs in, in a browser."""

    authorization_url: RequiredText
    token_url: RequiredText
    refresh_url: str = ""
    scopes: dict[str, str]
    pkce_required: bool = False


class ClientCredentialsOAuthFlow(Record, frozen=True, kw_only=True):
    """A program signs in by itself."""

    token_url: RequiredText
    refresh_url: str = ""
    scopes: dict[str, str]


class ImplicitOAuthFlow(Record, frozen=True, kw_only=True):
    """Deprecated by the specification; read so that old cards parse."""

    authorization_url: str = ""
    refresh_url: str = ""
    scopes: dict[str, str] = {}  # noqa: RUF012 -- msgspec gives each record its own


class PasswordOAuthFlow(Record, frozen=True, kw_only=True):
    """Deprecated by the specification; read so that old cards parse."""

    token_url: str = ""
    refresh_url: str = ""
    scopes: dict[str, str] = {}  # noqa: RUF012 -- msgspec gives each record its own


class DeviceCodeOAuthFlow(Record, frozen=True, kw_only=True):
    """A person signs in on another device."""

    device_authorization_url: RequiredText
    token_url: RequiredText
    refresh_url: str = ""
    scopes: dict[str, str]


class OAuthFlows(Record, frozen=True, kw_only=True):
    """Exactly one flow; an agent that offers two declares two schemes."""

    authorization_code: AuthorizationCodeOAuthFlow | None = None
    client_credentials: ClientCredentialsOAuthFlow | None = None
    implicit: ImplicitOAuthFlow | None = None
    password: PasswordOAuthFlow | None = None
    device_code: DeviceCodeOAuthFlow | None = None

    def __post_init__(self) -> None:
        members = (
            self.authorization_code,
            self.client_credentials,
            self.implicit,
            self.password,
            self.device_code,
        )
        if sum(member is not None for member in members) != 1:
            raise ValueError("an OAuth2 scheme has exactly one flow; declare one scheme per flow")


class OAuth2SecurityScheme(Record, frozen=True, kw_only=True):
    """OAuth 2.0, by one flow."""

    description: str = ""
    flows: OAuthFlows
    oauth2_metadata_url: str = field(default="", name="oauth2MetadataUrl")


class OpenIdConnectSecurityScheme(Record, frozen=True, kw_only=True):
    """OpenID Connect, by its discovery document."""

    description: str = ""
    open_id_connect_url: RequiredText


class MutualTlsSecurityScheme(Record, frozen=True, kw_only=True):
    """A client certificate."""

    description: str = ""


SchemeDetail: TypeAlias = (
    APIKeySecurityScheme
    | HTTPAuthSecurityScheme
    | OAuth2SecurityScheme
    | OpenIdConnectSecurityScheme
    | MutualTlsSecurityScheme
)


class SecurityScheme(Record, frozen=True, kw_only=True):
    """Exactly one kind of credential."""

    api_key_security_scheme: APIKeySecurityScheme | None = None
    http_auth_security_scheme: HTTPAuthSecurityScheme | None = None
    oauth2_security_scheme: OAuth2SecurityScheme | None = field(default=None, name="oauth2SecurityScheme")
    open_id_connect_security_scheme: OpenIdConnectSecurityScheme | None = None
    mtls_security_scheme: MutualTlsSecurityScheme | None = None

    def __post_init__(self) -> None:
        if len(self._set_members()) != 1:
            raise ValueError("a security scheme has exactly one kind")

    @property
    def detail(self) -> SchemeDetail:
        return self._set_members()[0]

    def _set_members(self) -> list[SchemeDetail]:
        members = (
            self.api_key_security_scheme,
            self.http_auth_security_scheme,
            self.oauth2_security_scheme,
            self.open_id_connect_security_scheme,
            self.mtls_security_scheme,
        )
        return [member for member in members if member is not None]


class StringList(Record, frozen=True, kw_only=True):
    """A list where JSON needs an object."""

    list: tuple[str, ...] = ()


class SecurityRequirement(Record, frozen=True, kw_only=True):
    """Schemes that must hold together, each with its scopes; entries of a list are alternatives."""

    schemes: dict[str, StringList] = {}  # noqa: RUF012 -- msgspec gives each record its own
