"""Errors as RFC 9457 problem details. A problem's `type` is stable; programs test it, people read the rest."""

import json
from typing import Any, Final, NamedTuple

from aiohttp import web

MEDIA_TYPE: Final = "application/problem+json"


class Kind(NamedTuple):
    """One sort of problem: the end of its `type` URN, its HTTP status and its title in English and in French.

    `advice`: what to do, where every case asks for the same; who raises one may say something nearer.
    """

    name: str
    status: int
    title: str
    title_fr: str
    advice: str = ""

    @property
    def urn(self) -> str:
        """Return the problem's `type`."""
        return f"urn:samara:problem:{self.name}"


INVALID_PARAMETER: Final = Kind(
    "invalid-parameter",
    400,
    "A parameter of the request is missing or wrong.",
    "Un paramètre de la requête manque ou n'est pas accepté.",
)
INVALID_BODY: Final = Kind(
    "invalid-body", 400, "The body of the request is not as it should be.", "Le corps de la requête n'est pas accepté."
)
REFUSED: Final = Kind("refused", 400, "The request was refused.", "La requête a été refusée.")
UNAUTHENTICATED: Final = Kind(
    "unauthenticated",
    401,
    "Nobody is signed in, or no longer.",
    "Personne n'est connecté, ou ne l'est plus.",
    advice="Send `Authorization: Bearer` with a key of yours, or sign in: POST /api/v1/session.",
)
WRONG_CREDENTIALS: Final = Kind(
    "wrong-credentials",
    401,
    "The e-mail, the password or the code is wrong.",
    "L'adresse, le mot de passe ou le code n'est pas le bon.",
)
FORBIDDEN: Final = Kind(
    "forbidden",
    403,
    "This account may not do that.",
    "Ce compte ne permet pas cela.",
    advice="Ask whoever administers the tenant for a role that may.",
)
SIGN_IN_AGAIN: Final = Kind(
    "sign-in-again",
    403,
    "Sign in again first: this changes what the account is entered with.",
    "Connectez-vous de nouveau d'abord : cela change ce qui ouvre le compte.",
    advice="POST /api/v1/session, within the last half hour.",
)
IDENTITY_REFUSED: Final = Kind(
    "identity-refused",
    403,
    "The answer of the identity provider was not accepted.",
    "La réponse du fournisseur d'identité n'a pas été acceptée.",
)
IDENTITY_UNKNOWN: Final = Kind(
    "identity-unknown",
    403,
    "This identity opens no account here; ask for an invitation.",
    "Cette identité n'ouvre aucun compte ici ; demandez une invitation.",
)
CROSS_SITE: Final = Kind(
    "cross-site",
    403,
    "The request does not come from a page of this site.",
    "La requête ne vient pas d'une page de ce site.",
    advice="With a cookie, send the header `Origin` of this site, as browsers do; with a key there is no need.",
)
NOT_FOUND: Final = Kind("not-found", 404, "There is no such thing here.", "Il n'y a rien de tel ici.")
METHOD_NOT_ALLOWED: Final = Kind(
    "method-not-allowed",
    405,
    "This address does not take that method.",
    "Cette adresse n'accepte pas cette méthode.",
    advice="The header `Allow` says which it takes.",
)
CONFLICT: Final = Kind(
    "conflict", 409, "What is there already does not allow it.", "Ce qui existe déjà ne le permet pas."
)
CHANGED_MEANWHILE: Final = Kind(
    "changed-meanwhile",
    412,
    "It was changed since you read it.",
    "Cela a été modifié depuis que vous l'avez lu.",
    advice="Read it again, and send its new ETag in `If-Match`.",
)
LINK_EXPIRED: Final = Kind(
    "link-expired", 410, "This link was used already, or is too old.", "Ce lien a déjà servi, ou il est trop ancien."
)
TOO_LARGE: Final = Kind(
    "too-large", 413, "The body of the request is too large.", "Le corps de la requête est trop grand."
)
UNSUPPORTED_MEDIA: Final = Kind(
    "unsupported-media-type", 415, "The body is of another media type.", "Le corps est d'un autre type de média."
)
TOO_MANY_TRIES: Final = Kind(
    "too-many-tries",
    429,
    "Too many tries; wait before the next one.",
    "Trop d'essais ; patientez avant le prochain.",
    advice="Wait as many seconds as `Retry-After` says.",
)
TOO_MANY_REQUESTS: Final = Kind(
    "too-many-requests",
    429,
    "Too many requests from this address; wait before the next one.",
    "Trop de requêtes depuis cette adresse ; patientez avant la prochaine.",
    advice="Wait as many seconds as `Retry-After` says.",
)
TOO_PERSONAL: Final = Kind(
    "too-personal",
    422,
    "Published so, it would tell how somebody lives.",
    "Publié ainsi, cela dirait comment quelqu'un vit.",
)
NOT_ITS_OWN_VOICE: Final = Kind(
    "not-its-own-voice",
    422,
    "Only who manages this very tenant agrees in its name.",
    "Seul un gestionnaire de la collectivité elle-même donne son accord.",
)
NO_SUCH_CURSOR: Final = Kind(
    "no-such-cursor", 422, "The cursor is not one of this list.", "Ce curseur n'est pas de cette liste."
)
NO_SUCH_ACCOUNT: Final = Kind(
    "no-such-account", 422, "This is not an e-mail address.", "Ce n'est pas une adresse électronique."
)
NO_SUCH_TAKER: Final = Kind(
    "no-such-taker",
    422,
    "There is no other tenant of this name on which the account may install.",
    "Il n'y a pas d'autre collectivité de ce nom chez laquelle ce compte puisse poser des capteurs.",
)
NO_SUCH_KEY: Final = Kind(
    "no-such-key",
    422,
    "No such key can be made: its end or its rights are not those of the account.",
    "Une telle clé ne peut pas être faite : sa fin ou ses droits ne sont pas ceux du compte.",
)
NO_SUCH_CONTACT: Final = Kind(
    "no-such-contact", 422, "Nobody can be told that way.", "Personne ne peut être prévenu ainsi."
)
NO_SUCH_MOMENT: Final = Kind(
    "no-such-moment", 422, "There is no such moment or period.", "Ce moment ou cette période n'existe pas."
)
NO_SUCH_RULE: Final = Kind("no-such-rule", 422, "There can be no such rule.", "Une telle règle ne peut pas exister.")
NO_SUCH_PLACE: Final = Kind(
    "no-such-place",
    422,
    "Say where: a point, or the names of a site and of a point.",
    "Dites où : un point, ou le nom d'un lieu et celui d'un point.",
)
NO_SUCH_PART: Final = Kind(
    "no-such-part",
    422,
    "The point cannot be a part of that one; `why` says it.",
    "Ce point ne peut pas faire partie de celui-là.",
)
NO_SUCH_DOWNLINK: Final = Kind(
    "no-such-downlink",
    422,
    "No such message can be sent to this sensor.",
    "Un tel message ne peut pas être envoyé à ce capteur.",
)
ONE_PLACE: Final = Kind(
    "one-place",
    422,
    "Name one site, one point or one gateway, or none for everywhere.",
    "Nommez un lieu, un point ou une antenne, ou rien pour tout.",
)
UNREADABLE_CODE: Final = Kind(
    "unreadable-code", 422, "This code names no sensor; `why` says what is wrong.", "Ce code ne désigne aucun capteur."
)
TOO_MANY_POINTS: Final = Kind(
    "too-many-points", 422, "The answer would hold too many points.", "La réponse contiendrait trop de points."
)
KEY_REUSED: Final = Kind(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key was used for another request.",
    "Cette Idempotency-Key a servi pour une autre requête.",
    advice="Send another Idempotency-Key with another request, and the same with the same.",
)
INTERNAL: Final = Kind(
    "internal", 500, "The server failed; the failure was recorded.", "Le serveur a échoué ; l'incident est enregistré."
)
MAIL_NOT_SENT: Final = Kind(
    "mail-not-sent",
    503,
    "The mail could not be sent; what it tells of was kept. Send it again.",
    "Le courriel n'a pas pu partir ; ce qu'il annonce a été gardé. Envoyez-le de nouveau.",
)
PROVIDER_UNAVAILABLE: Final = Kind(
    "identity-provider-unavailable",
    503,
    "The identity provider does not answer; try again in a moment.",
    "Le fournisseur d'identité ne répond pas ; réessayez dans un moment.",
)
FORM_MISSING: Final = Kind(
    "form-missing", 501, "This server cannot write that form of file.", "Ce serveur n'écrit pas cette forme de fichier."
)
TOO_MANY_BACKTESTS: Final = Kind(
    "too-many-backtests",
    503,
    "This server tries as many rules on the past as it may at once.",
    "Ce serveur essaie déjà autant de règles sur le passé qu'il le peut.",
)
TOO_MANY_STREAMS: Final = Kind(
    "too-many-streams",
    503,
    "This server has as many live streams as it may have.",
    "Ce serveur a autant de flux ouverts qu'il peut en avoir.",
)
TOO_MANY_EXPORTS: Final = Kind(
    "too-many-exports",
    503,
    "This server writes as many files as it may at a time.",
    "Ce serveur écrit déjà autant de fichiers qu'il peut à la fois.",
)
UNAVAILABLE: Final = Kind(
    "unavailable",
    503,
    "The database does not answer; try again in a moment.",
    "La base de données ne répond pas ; réessayez dans un moment.",
    advice="Try again after as many seconds as `Retry-After` says.",
)

KINDS: Final = tuple(one for one in vars().values() if isinstance(one, Kind))


class ProblemError(Exception):
    """The request cannot be answered; `response()` says why."""

    def __init__(self, kind: Kind, detail: str = "", **extensions: Any) -> None:
        super().__init__(f"{kind.name}: {detail}")
        self.kind = kind
        self.detail = detail
        self.extensions = extensions


def invalid_parameter(field: str, detail: str, accepted: str) -> ProblemError:
    """Return the problem of one query parameter: what is wrong with it, and what would be right."""
    return ProblemError(
        INVALID_PARAMETER,
        f"{field}: {detail}. Accepted: {accepted}.",
        errors=[{"field": field, "detail": detail, "accepted": accepted}],
    )


def response(error: ProblemError, language: str = "en") -> web.Response:
    """Return the answer that tells a problem. It repeats nothing of the path: a foreign id reads as an absent one."""
    kind = error.kind
    title = kind.title_fr if language == "fr" else kind.title
    body = {"type": kind.urn, "title": title, "status": kind.status}
    detail = error.detail or kind.advice
    if detail:
        body["detail"] = detail
    body |= error.extensions
    return web.Response(
        status=kind.status,
        body=json.dumps(body, ensure_ascii=False).encode(),
        content_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", "Content-Language": language, "Vary": "Accept-Language"},
    )
