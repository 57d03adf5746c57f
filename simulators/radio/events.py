"""Takes what happens to devices that listen in the order of time, one frame after the other. Compiled.

Three queues are merged: messages that come up (sorted beforehand), devices that wait to send (the agenda), and frames
on the air, by their end. An end comes before a beginning of the same moment.
"""

import numpy as np

from simulators.radio import kernel
from simulators.radio.air import Air, Bytes, Frames, Ints, Longs, Singles, State
from simulators.radio.devices import Agenda, Devices, Log, Rules, begin, pop, send
from simulators.radio.engine import FOR_EVER_US
from simulators.radio.jit import compiled
from simulators.radio.server import Downlink, Server, conclude


@compiled
def _put(frames: Frames, on_air: Ints, count: int, frame: int) -> None:
    """Insert a frame among those on the air: by their end, the last first; ties by device."""
    place = count
    while place > 0:
        other = on_air[place - 1]
        if frames.end_us[other] > frames.end_us[frame] or (
            frames.end_us[other] == frames.end_us[frame] and frames.device[other] > frames.device[frame]
        ):
            break
        on_air[place] = other
        place -= 1
    on_air[place] = frame


@compiled
def _still(log: Log, since_us: int, on_air: Ints) -> int:
    """Put the frames that are still on the air into `on_air`; return how many."""
    count = 0
    for frame in range(log.used[0]):
        if log.frames.end_us[frame] > since_us:
            _put(log.frames, on_air, count, frame)
            count += 1
    return count


@compiled
def advance(  # noqa: PLR0917
    devices: Devices, server: Server, rules: Rules, down: Downlink, agenda: Agenda, log: Log, arrival_us: Longs,
    arrival: Ints, cursor: int, since_us: int, until_us: int, last_us: int, air: Air, near: Singles, state: State,
    outcome: Bytes,
) -> tuple[int, int]:  # fmt: skip
    """Take all that happens after `since_us` and by `until_us`, or until there is no room; none starts at `last_us`.

    Return how many arrivals are behind us, and where it stopped. Fills `outcome` of the frames that ended by then.
    """
    frames, room, desk = log.frames, len(log.kind), kernel.desk(len(outcome))
    on_air, stop_us = np.empty(room, dtype=np.int32), min(until_us, last_us)
    count = _still(log, since_us, on_air)
    while True:
        arrives_us = arrival_us[cursor] if cursor < len(arrival_us) else FOR_EVER_US
        planned_us = agenda.time_us[0] if agenda.size[0] > 0 else FOR_EVER_US
        now_us = min(arrives_us, planned_us)
        if now_us >= stop_us:
            now_us = until_us
        if count > 0 and frames.end_us[on_air[count - 1]] <= now_us:
            count -= 1
            frame = on_air[count]
            newest = log.latest[frames.channel[frame]]
            kernel.leave(
                frames, frame, newest, log.previous, rules.longest_us, air, near, state, outcome, desk
            )  # fmt: skip
            conclude(devices, server, rules, down, agenda, air, state, log, frame, outcome)
            continue
        if now_us == until_us:
            break
        first = log.used[0]
        if first == room:
            break
        if arrives_us <= planned_us:
            device = arrival[cursor]
            cursor += 1
            if begin(devices, rules, device, now_us):
                send(devices, rules, agenda, log, device, now_us)
        else:
            send(devices, rules, agenda, log, pop(agenda), now_us)
        if log.used[0] > first:
            kernel.enter(frames, first, air, near, state, outcome)
            _put(frames, on_air, count, first)
            count += 1
    return cursor, now_us
