"""The team's identity provider, by OpenID Connect: where it is asked who somebody is, and what its answer is worth.

Authlib makes and checks the protocol's parts. What we ask beyond it: the issuer that was configured and no other, a
signature by a key that only the provider has, ourselves as the audience, and e-mail addresses that it has verified.
"""

from dataclasses import dataclass
from typing import Any

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from requests import RequestException, Response

from bot.settings import Settings
from bot.team.identity import Identity, IssuerError

SCOPE = "openid email profile"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Of the identity token; with a shared secret, or without any signature, it could be somebody else's."""
LEEWAY_S = 120
"""So far may its clock and ours be apart."""
_LONGEST_SUBJECT = 255
"""As the protocol says."""
_TIMEOUT_S = (5, 10)


@dataclass(frozen=True, slots=True)
class Errand:
    """What a browser sent to the provider is remembered by until it comes back."""

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> "Errand":
        return cls(generate_token(32), generate_token(32), generate_token(64))


def address(settings: Settings, errand: Errand, back: str) -> str:
    """Where to send the browser; `back` is our address that the provider sends it to afterwards."""
    with _client(settings, back) as client:
        told = _discover(client, settings)
        url, _ = client.create_authorization_url(
            told["authorization_endpoint"], state=errand.state, nonce=errand.nonce, code_verifier=errand.verifier
        )
    return str(url)


def identify(settings: Settings, errand: Errand, back: str, code: str, said_issuer: str | None = None) -> Identity:
    """Exchange the code that came back for whom it is about; `said_issuer` is who says it sent it (RFC 9207)."""
    with _client(settings, back) as client:
        told = _discover(client, settings)
        always_says = told.get("authorization_response_iss_parameter_supported") is True
        if said_issuer != told["issuer"] and (always_says or said_issuer is not None):
            raise IssuerError("iss")
        client.token_endpoint_auth_method = _auth_method(settings, told)
        try:
            token = client.fetch_token(
                told["token_endpoint"],
                grant_type="authorization_code",
                code=code,
                code_verifier=errand.verifier,
                allow_redirects=False,
            )
        except AuthlibBaseError as error:
            raise IssuerError("code", error=str(error.error)[:40]) from None
        except (RequestException, ValueError):
            raise _away(settings) from None
        claims = _claims(settings, told, token, _get(client, settings, told["jwks_uri"]), errand.nonce)
        if not {"email", "email_verified"} <= claims.keys() and told.get("userinfo_endpoint"):
            more = _get(client, settings, told["userinfo_endpoint"], withhold_token=False)
            claims |= more if more.get("sub") == claims["sub"] else {}
    return _identity(claims)


def _client(settings: Settings, back: str) -> OAuth2Session:
    return OAuth2Session(
        settings.oidc_client_id,
        settings.oidc_client_secret or None,
        scope=SCOPE,
        redirect_uri=back,
        code_challenge_method="S256",
        default_timeout=_TIMEOUT_S,
        leeway=0,  # the access token is used at once, however short it lives
    )


def _discover(client: OAuth2Session, settings: Settings) -> dict[str, Any]:
    """Asked each time: sign-ins are rare, and what a provider changes, its keys above all, then holds at once."""
    issuer = settings.oidc_issuer or ""
    told = _get(client, settings, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if str(told.get("issuer")).rstrip("/") != issuer.rstrip("/"):
        raise IssuerError("issuer")
    scheme = issuer.partition("//")[0]
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not str(told.get(name)).startswith(f"{scheme}//"):
            raise IssuerError("discovery", name=name)
    return told


def _get(client: OAuth2Session, settings: Settings, url: str, *, withhold_token: bool = True) -> dict[str, Any]:
    try:
        answer: Response = client.get(url, withhold_token=withhold_token)
        answer.raise_for_status()
        told = answer.json()
    except (RequestException, AuthlibBaseError, ValueError):
        raise _away(settings) from None
    if not isinstance(told, dict):
        raise _away(settings)
    return told


def _auth_method(settings: Settings, told: dict[str, Any]) -> str:
    if not settings.oidc_client_secret:
        return "none"
    offered = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"


def _claims(
    settings: Settings, told: dict[str, Any], token: dict[str, Any], keys: dict[str, Any], nonce: str
) -> dict[str, Any]:
    """What the identity token says, once it is proved to be the provider's, for us, of now, and for this errand."""
    client_id = settings.oidc_client_id
    asked = {"iss": {"essential": True, "value": told["issuer"]}, "aud": {"essential": True, "value": client_id}}
    params = {"nonce": nonce, "client_id": client_id, "access_token": token.get("access_token")}
    try:
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        decoded = jwt.decode(str(token["id_token"]), KeySet.import_key_set(keys), registry=registry)  # type: ignore[arg-type]
        claims = CodeIDToken(decoded.claims, decoded.header, asked, params)
        claims.validate(leeway=LEEWAY_S)
    except ClaimError as error:
        raise IssuerError(error.claim) from None
    except (JoseError, KeyError, TypeError, ValueError, AttributeError):
        raise IssuerError("signature") from None
    return dict(claims)


def _identity(claims: dict[str, Any]) -> Identity:
    subject, name = claims["sub"], claims.get("name")
    if not isinstance(subject, str) or not subject.isprintable() or not 1 <= len(subject) <= _LONGEST_SUBJECT:
        raise IssuerError("sub")
    email, doubt = _email(claims)
    return Identity(str(claims["iss"]), subject, email, doubt, name if isinstance(name, str) else "")


def _email(claims: dict[str, Any]) -> tuple[str | None, str]:
    """The address, or why there is none to go by."""
    email = claims.get("email")
    if not isinstance(email, str) or not email:
        return None, "email"
    if claims.get("email_verified") not in (True, "true"):  # some say it in words
        return None, "email_verified"
    if not email.isascii() and email.lower().isascii():  # a letter that only looks like one of somebody else's address
        return None, "e-mail"
    return email.strip().lower(), ""


def _away(settings: Settings) -> IssuerError:
    return IssuerError("away", issuer=settings.oidc_issuer)
