"""What supervision's pages read: how each device is heard, day by day, and how it fares. Of the devices that spoke."""

from collections.abc import Collection
from datetime import UTC, date, datetime
from typing import Final

import asyncpg

from domain.readings import FAILED, MALFORMED, NO_DECODER

Mark = tuple[int, datetime]

KEPT_DAYS: Final = 92  # of frames_daily and heard_daily: DELETE_OLD of network.py forgets what is older

_UNDECODED: Final = (NO_DECODER, MALFORMED, FAILED)
_BATTERY_DAYS: Final = 60

# OFFSET 0 as in store/maintenance/rollups.py: each day is a search in the index. A PHYPayload has 13 bytes more than
# what it carries: MHDR 1, DevAddr 4, FCtrl 1, FCnt 2, FPort 1, MIC 4. Frames of one second, copies say, tell no period;
# nor do those of a door, that come in bursts: their usual time apart is far below the mean. (When half of a regular
# sensor's frames are lost, it is half of the mean.)
UPSERT_FRAMES: Final = """
INSERT INTO frames_daily AS known (device_id, day, frames, undecoded, sf12, airtime_us, period_s)
SELECT device_id, day, count(*), count(*) FILTER (WHERE outcome = ANY($3::text[])),
       count(*) FILTER (WHERE spreading_factor = 12), coalesce(sum(airtime_us), 0),
       CASE WHEN percentile_cont(0.5) WITHIN GROUP (ORDER BY apart_s) >= avg(apart_s) / 4
            THEN nullif(percentile_cont(0.5) WITHIN GROUP (ORDER BY apart_s)::integer, 0) END
  FROM (SELECT one.device_id, day, outcome, spreading_factor,
               airtime_us(spreading_factor, bandwidth_hz, octets + 13) AS airtime_us,
               extract(epoch FROM received_at - lag(received_at) OVER (PARTITION BY one.device_id, day
                                                                        ORDER BY received_at)) AS apart_s
          FROM unnest($1::integer[], $2::date[]) AS one (device_id, day)
         CROSS JOIN LATERAL (SELECT received_at, outcome, spreading_factor, bandwidth_hz,
                                    octet_length(payload) AS octets
                               FROM uplinks
                              WHERE uplinks.device_id = one.device_id
                                AND received_at >= day::timestamp AT TIME ZONE 'UTC'
                                AND received_at < (day + 1)::timestamp AT TIME ZONE 'UTC'
                             OFFSET 0) AS frame) AS frame
 GROUP BY device_id, day
ON CONFLICT (device_id, day) DO UPDATE
   SET frames = excluded.frames, undecoded = excluded.undecoded, sf12 = excluded.sf12,
       airtime_us = excluded.airtime_us, period_s = excluded.period_s
"""

DELETE_HEARD: Final = """
DELETE FROM heard_daily
 USING unnest($1::integer[], $2::date[]) AS one (device_id, day)
 WHERE heard_daily.device_id = one.device_id
   AND heard_daily.day = one.day
"""

INSERT_HEARD: Final = """
INSERT INTO heard_daily
       (device_id, day, gateway_id, spreading_factor, frames, alone, airtime_us, rssi_dbm, snr_db, snr_min_db)
SELECT device_id, day, gateway_id, factor, count(*), count(*) FILTER (WHERE gateways = 1),
       coalesce(sum(airtime_us), 0), avg(rssi_dbm), avg(snr_db), min(snr_db)
  FROM (SELECT one.device_id, day, gateway_id, coalesce(spreading_factor, 0) AS factor, rssi_dbm, snr_db,
               airtime_us(spreading_factor, bandwidth_hz, octets + 13) AS airtime_us,
               count(*) OVER (PARTITION BY one.device_id, heard.received_at, heard.uplink_key) AS gateways
          FROM unnest($1::integer[], $2::date[]) AS one (device_id, day)
         CROSS JOIN LATERAL (SELECT received_at, uplink_key, gateway_id, rssi_dbm, snr_db
                               FROM receptions
                              WHERE receptions.device_id = one.device_id
                                AND received_at >= day::timestamp AT TIME ZONE 'UTC'
                                AND received_at < (day + 1)::timestamp AT TIME ZONE 'UTC'
                             OFFSET 0) AS heard
         CROSS JOIN LATERAL (SELECT spreading_factor, bandwidth_hz, octet_length(payload) AS octets
                               FROM uplinks
                              WHERE uplinks.device_id = one.device_id
                                AND uplinks.received_at = heard.received_at
                                AND uplinks.uplink_key = heard.uplink_key
                             OFFSET 0) AS frame) AS reception
 GROUP BY device_id, day, gateway_id, factor
"""

# A margin is what is left over the least SNR of the spreading factor: -7.5 dB at SF7, 2.5 dB less for each further one
# (Semtech SX1301 datasheet).
UPSERT_HEALTH: Final = """
INSERT INTO device_health AS known
       (device_id, tenant_id, until_day, heard, lost, resets, undecoded, sf12, period_s, margin_db, gateway_ids,
        only_gateway_id)
SELECT device_id, tenant_id, until_day, heard, coalesce(lost, 0), coalesce(resets, 0), undecoded, sf12, own.period_s,
       margin_db, coalesce(gateway_ids, '{}'), CASE WHEN cardinality(gateway_ids) = 1 THEN gateway_ids[1] END
  FROM devices
 CROSS JOIN LATERAL (SELECT max(day) AS until_day, sum(frames) AS heard, sum(undecoded) AS undecoded,
                            sum(sf12) AS sf12,
                            percentile_disc(0.5) WITHIN GROUP (ORDER BY recent.period_s) AS period_s
                       FROM (SELECT *
                               FROM frames_daily
                              WHERE frames_daily.device_id = devices.device_id
                              ORDER BY day DESC
                              LIMIT 7) AS recent
                     HAVING count(*) > 0) AS own
  LEFT JOIN LATERAL (SELECT sum(greatest(lost, 0)) AS lost, sum(resets) AS resets
                       FROM radio_accounts
                      WHERE radio_accounts.device_id = devices.device_id
                        AND day > until_day - 7) AS account ON true
  LEFT JOIN LATERAL (SELECT array_agg(gateway_id ORDER BY gateway_id) AS gateway_ids, max(margin_db) AS margin_db
                       FROM (SELECT gateway_id,
                                    sum(frames * (snr_db + 7.5 + 2.5 * (nullif(spreading_factor, 0) - 7)))
                                    / sum(frames) AS margin_db
                               FROM heard_daily
                              WHERE heard_daily.device_id = devices.device_id
                                AND day > until_day - 7
                              GROUP BY gateway_id) AS one) AS heard ON true
 WHERE device_id = ANY($1::integer[])
ON CONFLICT (device_id) DO UPDATE
   SET tenant_id = excluded.tenant_id, until_day = excluded.until_day, heard = excluded.heard, lost = excluded.lost,
       resets = excluded.resets, undecoded = excluded.undecoded, sf12 = excluded.sf12, period_s = excluded.period_s,
       margin_db = excluded.margin_db, gateway_ids = excluded.gateway_ids, only_gateway_id = excluded.only_gateway_id
"""

# Once a day of a device. A level is preferred to a voltage, which says little before the end of a lithium cell. What
# falls reaches 10 % or 3 V along a straight line through at least two weeks of daily means.
UPDATE_BATTERY: Final = """
UPDATE device_health AS known
   SET battery_kind = found.kind, battery = found.last, battery_on = $2, battery_end_on = found.end_on
  FROM (SELECT DISTINCT ON (one.device_id) one.device_id, trend.kind, last,
               CASE WHEN days >= 14 AND slope < 0
                    THEN $2::date + least(greatest((floor - last) / slope, 0), 9999)::integer END AS end_on
          FROM unnest($1::integer[]) AS one (device_id)
          JOIN device_health USING (device_id)
         CROSS JOIN (VALUES ('battery_level', 'level', 10.0, 1), ('battery_voltage', 'voltage', 3.0, 2))
                 AS told (name, kind, floor, place)
          JOIN quantities USING (name)
         CROSS JOIN LATERAL (SELECT told.kind, count(*) AS days,
                                    (array_agg(total / samples ORDER BY day DESC))[1] AS last,
                                    regr_slope(total / samples, extract(epoch FROM day) / 86400) AS slope
                               FROM measurements_daily
                              WHERE measurements_daily.device_id = one.device_id
                                AND measurements_daily.quantity_id = quantities.quantity_id
                                AND day >= ($2::date - $3::integer)::timestamp AT TIME ZONE 'UTC'
                             HAVING count(*) > 0) AS trend
         WHERE battery_on IS DISTINCT FROM $2
         ORDER BY one.device_id, place) AS found
 WHERE known.device_id = found.device_id
"""


async def rebuild_supervision(connection: asyncpg.Connection, marks: Collection[Mark], since: date) -> set[date]:
    """Make anew the days of these (device, hour), and how those devices fare; return the UTC days.

    Days before `since` are no longer kept, and stay as they are.
    """
    told = {(device_id, hour.astimezone(UTC).date()) for device_id, hour in marks}
    days = sorted((device_id, day) for device_id, day in told if day >= since)
    if not days:
        return set()
    columns = list(map(list, zip(*days, strict=True)))
    await connection.execute(UPSERT_FRAMES, *columns, list(_UNDECODED))
    await connection.execute(DELETE_HEARD, *columns)
    await connection.execute(INSERT_HEARD, *columns)
    device_ids = sorted({device_id for device_id, _ in days})
    await connection.execute(UPSERT_HEALTH, device_ids)
    await connection.execute(UPDATE_BATTERY, device_ids, max(day for _, day in days), _BATTERY_DAYS)
    return {day for _, day in days}
