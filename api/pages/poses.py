"""The page of what one installed in a day, /mes-poses, and of what still waits on this phone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from aiohttp import web

from api.access import INSTALL, account_of, require
from api.commissioning import progress_of
from api.context import CLOCK, reader
from api.pages import loans_view, pose_view, rendering, words
from api.pages.navigation import Entry
from api.pages.texts import Texts
from api.query import Query
from store import loans
from store.reading import installations, territory
from store.reading.installations import Installation

PATH: Final = "/mes-poses"
_LOOKED_AT: Final = 40  # of the day: how far they are


@require(INSTALL)
async def show(request: web.Request) -> web.Response:
    """Answer what the account that asks did in a day (`jour`), the last first."""
    query, texts, now = rendering.query(request, "jour"), rendering.catalogue_of(request), request.app[CLOCK]()
    day = _day(query, now)
    since = datetime.combine(day, time(), tzinfo=words.PARIS).astimezone(UTC)
    until = datetime.combine(day + timedelta(days=1), time(), tzinfo=words.PARIS).astimezone(UTC)
    async with reader(request) as connection:
        lent = await loans.going_on(connection, _LOOKED_AT)
        done = await installations.of_account(connection, account_of(request).account_id, since, until)
        statuses: dict[int, dict[str, str]] = {}
        for one in done[:_LOOKED_AT]:
            if one.act != "removed":
                tenant = await territory.tenant_by_slug(connection, one.slug)
                found = await progress_of(connection, tenant.tenant_id, one, now)
                told = pose_view.told(found, one, now, words.PARIS, texts)
                statuses[one.installation_id] = {"text": told.title, "status": told.kind}
    today = now.astimezone(words.PARIS).date()
    return rendering.html(
        request,
        "poses.html",
        rows=[_row(one, statuses.get(one.installation_id), texts) for one in done],
        overdue=loans_view.overdue(lent, today),
        day=words.moment(since, words.PARIS, "day", texts),
        before=pose_view.address({}, jour=(day - timedelta(days=1)).isoformat()),
        after=pose_view.address({}, jour=(day + timedelta(days=1)).isoformat()) if day < today else "",
        queue_texts=rendering.island(texts.subset("queue.", "pose.why.")),
    )


def _day(query: Query, now: datetime) -> date:
    given = query.text("jour", "a date", default="")
    try:
        return min(max(date.fromisoformat(given), date(2000, 1, 1)), date(2199, 12, 30))
    except ValueError:
        return now.astimezone(words.PARIS).date()


def _row(done: Installation, status: dict[str, str] | None, texts: Texts) -> list[Any]:
    at = done.done_at.astimezone(words.PARIS)
    return [
        {"text": done.device or pose_view.eui(done.dev_eui),
         "href": f"/t/{done.slug}/mises-en-service/{done.dev_eui}"},
        f"{at:%H:%M}",
        f"{done.point}, {done.site}" if done.point else texts("pose.stock"),
        done.tenant,
        texts(f"pose.act.{done.act}"),
        status or "",
    ]  # fmt: skip


ROUTES: Final = (web.get(PATH, show),)
NAVIGATION: Final = (Entry("poses", PATH, "check", 111, INSTALL),)
