"""Apply rules to what their targets name: one state a subject, with its series. Again, only what is new is added."""

import json
from datetime import UTC, datetime, timedelta

import asyncpg

from alerting.rules import Definition, parse
from alerting.state_json import dump_machine
from alerting.step import Machine
from alerting.targets import TargetModel, inputs_of_gateway, inputs_of_group, inputs_of_point, quantities_of
from store.alerting.rules import RuleRow, claim_unexpanded
from store.alerting.subjects import (
    Input,
    NewState,
    add_state,
    drop_states,
    gateways_of,
    group_members,
    points_of,
)

AGAIN_AFTER = timedelta(minutes=10)


async def expand_some(connection: asyncpg.Connection, now: datetime, limit: int) -> int:
    """Apply some rules that were not lately; return how many."""
    async with connection.transaction():
        claimed = await claim_unexpanded(connection, now, now - AGAIN_AFTER, limit)
        for row in claimed:
            await expand(connection, row, now)
    return len(claimed)


async def expand(connection: asyncpg.Connection, row: RuleRow, now: datetime) -> int:
    """Watch whatever the rule's target names that is not watched yet; return how many subjects that were.

    Call it in a transaction.
    """
    definition = parse(row.kind, json.loads(row.definition))
    target = TargetModel.model_validate_json(row.target).target()
    if definition.SUBJECT == "gateway":
        subjects = [(None, None, one, inputs_of_gateway(one)) for one in await gateways_of(connection, target)]
    else:
        points = await points_of(connection, row.tenant_id, target, quantities_of(definition))
        if definition.SUBJECT == "group":
            members = [one.point_id for one in points]
            return await _expand_group(connection, row, definition, members, site_id=target.site_id, now=now)
        subjects = [(one.site_id, one.point_id, None, inputs_of_point(definition, one.point_id)) for one in points]  # type: ignore[misc]
    added = 0
    for site_id, point_id, gateway_id, inputs in subjects:
        new = _new_state(row, definition, now, site_id=site_id, point_id=point_id, gateway_id=gateway_id)
        added += await add_state(connection, new, inputs, now) is not None
    return added


async def _expand_group(
    connection: asyncpg.Connection,
    row: RuleRow,
    definition: Definition,
    point_ids: list[int],
    *,
    site_id: int | None,
    now: datetime,
) -> int:
    """Watch a group; when its members changed, it begins anew with all of them."""
    held = await group_members(connection, row.rule_id)
    if not point_ids or (held is not None and held[1] == point_ids):
        return 0
    if held is not None:
        await drop_states(connection, row.rule_id, [held[0]])
    inputs: list[Input] = inputs_of_group(definition, point_ids)
    new = _new_state(row, definition, now, site_id=site_id, point_id=None, gateway_id=None)
    return int(await add_state(connection, new, inputs, now) is not None)


def _new_state(
    row: RuleRow,
    definition: Definition,
    now: datetime,
    *,
    site_id: int | None,
    point_id: int | None,
    gateway_id: int | None,
) -> NewState:
    since = now - timedelta(seconds=definition.WARM_UP_S)
    machine = dump_machine(Machine(since_s=since.astimezone(UTC).timestamp()))
    return NewState(row.rule_id, row.version, row.tenant_id, site_id, point_id, gateway_id, machine, since)
