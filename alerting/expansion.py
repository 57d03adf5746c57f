"""Apply rules to what their targets name: one state a subject, with its series. Again and again: points come and go.

People enable and disable rules; what that means for states and alerts is done here, by the role that evaluates.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from alerting.rules import Definition, parse
from alerting.state_json import dump_machine
from alerting.states import Machine
from alerting.targets import TargetModel, inputs_of_gateway, inputs_of_group, inputs_of_point, quantities_of
from store.alerting.applying import (
    Enabled,
    Input,
    NewState,
    add_state,
    change_members,
    claim_disabled,
    claim_enabled,
    end_states,
    group_members,
    states_left,
    states_of,
)
from store.alerting.subjects import Target, gateways_of, points_of

AGAIN_AFTER: Final = timedelta(minutes=10)


class _Subject(NamedTuple):
    """What one state is about: a point, a gateway, or a group (neither)."""

    site_id: int | None
    point_id: int | None
    gateway_id: int | None
    inputs: Sequence[Input]


async def expand_some(connection: asyncpg.Connection, now: datetime, limit: int) -> int:
    """Take off some rules that were disabled, and apply some that were not lately; return how many."""
    async with connection.transaction():
        disabled = await claim_disabled(connection, limit)
        for rule_id in disabled:
            await end_states(connection, await states_of(connection, rule_id), now)
        enabled = await claim_enabled(connection, now, now - AGAIN_AFTER, limit)
        for rule in enabled:
            await expand(connection, rule, now)
    return len(disabled) + len(enabled)


async def expand(connection: asyncpg.Connection, rule: Enabled, now: datetime) -> int:
    """Watch whatever the rule's target names, and nothing else; return how many subjects are new.

    Call it in a transaction.
    """
    definition = parse(rule.kind, json.loads(rule.definition))
    target = TargetModel.model_validate_json(rule.target).target()
    await end_states(connection, await states_of(connection, rule.rule_id, but_version=rule.version), now)
    if definition.SUBJECT == "group":
        return await _expand_group(connection, rule, definition, target, now)
    if definition.SUBJECT == "point":
        await end_states(connection, await states_left(connection, rule.rule_id, target), now)
    added = 0
    for subject in await _subjects(connection, rule, definition, target):
        new = _new_state(rule, definition, subject, now)
        added += await add_state(connection, new, subject.inputs, now) is not None
    return added


async def _subjects(
    connection: asyncpg.Connection, rule: Enabled, definition: Definition, target: Target
) -> list[_Subject]:
    if definition.SUBJECT == "gateway":
        gateways = await gateways_of(connection, rule.tenant_id, target)
        return [_Subject(None, None, one, inputs_of_gateway(one)) for one in gateways]
    points = await points_of(connection, rule.tenant_id, target, quantities_of(definition))
    return [_Subject(one.site_id, one.point_id, None, inputs_of_point(definition, one.point_id)) for one in points]


async def _expand_group(
    connection: asyncpg.Connection, rule: Enabled, definition: Definition, target: Target, now: datetime
) -> int:
    """Watch a group; when its members changed, it is evaluated anew with all of them."""
    points = await points_of(connection, rule.tenant_id, target, quantities_of(definition))
    members = [one.point_id for one in points]
    held = await group_members(connection, rule.rule_id)
    if not members or (held is not None and held[1] == members):
        return 0
    subject = _Subject(target.site_id, None, None, inputs_of_group(definition, members))
    new = _new_state(rule, definition, subject, now)
    if held is not None:
        await change_members(connection, held[0], new, subject.inputs, now)
        return 0
    return int(await add_state(connection, new, subject.inputs, now) is not None)


def _new_state(rule: Enabled, definition: Definition, subject: _Subject, now: datetime) -> NewState:
    since = now - timedelta(seconds=definition.WARM_UP_S)
    machine = dump_machine(Machine(since_s=since.astimezone(UTC).timestamp()))
    return NewState(
        rule.rule_id,
        rule.version,
        rule.tenant_id,
        subject.site_id,
        subject.point_id,
        subject.gateway_id,
        machine,
        since,
    )
