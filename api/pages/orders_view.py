"""An order to a network server in words: what is asked, how far it is, why it was refused, what can be done. Pure."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from api.pages import words
from api.pages.pose_view import eui
from api.pages.texts import Texts
from domain.provisioning import Step
from store.provisioning.following import Order

# What a network server or the worker says, and the word of its reason; the first that is found.
_REASONS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (r"no profile on the network server", "profile"),
        (r"another tenant|registered there by", "elsewhere"),
        (r"no network server is configured", "no_server"),
        (r"no longer has this device", "gone_here"),
        (r"not this tenant's to take away", "not_ours"),
        (r"no longer has it", "gone_there"),
        (r"changes no JoinEUI", "join_eui"),
        (r"unauthenticated|permission denied|answered 40[13]", "token"),
        (r"this address is refused", "address"),
        (r"unavailable|deadline|not done within|does not answer|resolve|not known", "unreachable"),
        (r"does not open|keyring", "seal"),
        (r"invalid argument|not found|answered 4\d\d", "refused"),
    )
)


class Told(NamedTuple):
    """An order in words. `kind` is good, watch, bad or none; `detail` is why, `said` what the server itself said."""

    order_id: int
    device: str
    dev_eui: str
    what: str
    kind: str
    state: str
    detail: str
    said: str
    when: str
    waits: bool
    may_retry: bool
    may_cancel: bool
    needs_keys: bool


def told(order: Order, zone: ZoneInfo, texts: Texts) -> Told:
    """Return an order in words."""
    kind, state = _state(order, zone, texts)
    trouble = order.trouble if order.state in {"waiting", "failed"} else ""
    waits = order.state == "waiting"
    return Told(
        order_id=order.order_id,
        device=named(order, texts),
        dev_eui=order.dev_eui or "",
        what=texts(f"ordres.act.{order.act}"),
        kind=kind,
        state=state,
        detail=reason(trouble, texts) if trouble else "",
        said=trouble,
        when=words.moment(order.ended_at or order.created_at, zone, "minute", texts),
        waits=waits,
        may_retry=order.is_last and (order.state in {"failed", "cancelled"} or (waits and order.attempts > 0)),
        may_cancel=waits,
        needs_keys=order.is_last
        and order.state in {"failed", "cancelled"}
        and order.brings_keys
        and "keyed" not in order.steps,
    )


def named(order: Order, texts: Texts) -> str:
    """Return what an order is about: the device by its name and DevEUI, or the whole server."""
    if order.dev_eui is None:
        return texts("ordres.whole")
    return f"{order.name} · {eui(order.dev_eui)}" if order.name else eui(order.dev_eui)


def _state(order: Order, zone: ZoneInfo, texts: Texts) -> tuple[str, str]:
    if order.state == "waiting":
        if not order.attempts:
            return "none", texts("ordres.state.asked")
        if not order.trouble:
            return "none", texts("ordres.state.going_on")
        return "watch", texts("ordres.state.again", at=words.moment(order.due_at, zone, "minute", texts))
    if order.state == "done":
        is_keyless = "created" in order.steps and "keyed" not in order.steps
        done = steps_done(order.steps, texts) if order.steps else texts(f"ordres.nothing.{order.act}")
        return ("watch" if is_keyless else "good"), f"{done} {texts('ordres.keyless')}" if is_keyless else done
    return ("bad" if order.state == "failed" else "none"), texts(f"ordres.state.{order.state}")


def steps_done(steps: Sequence[Step], texts: Texts) -> str:
    """Return what was done over there: "Enregistré, clés transmises."."""
    said = ", ".join(texts(f"ordres.done.{one}") for one in dict.fromkeys(steps))
    return f"{said[:1].upper()}{said[1:]}."


def steps_planned(steps: Sequence[Step], texts: Texts, *, needs_profile: bool = False) -> tuple[str, str]:
    """Return what would be done over there, and its kind: good, bad, none."""
    if needs_profile:
        return "bad", texts("ordres.why.profile")
    if not steps:
        return "none", texts("ordres.plan.nothing")
    said = ", ".join(texts(f"ordres.plan.{one}") for one in steps)
    return ("watch" if "deleted" in steps else "good"), f"{said[:1].upper()}{said[1:]}."


def reason(trouble: str, texts: Texts) -> str:
    """Return in the reader's words why a network server did not do it."""
    why = next((word for pattern, word in _REASONS if pattern.search(trouble)), "other")
    return texts(f"ordres.why.{why}")
