"""MQTT topics as nats-server writes them in subjects, and back.

Source: nats-server's documentation, "MQTT Topics and NATS Subjects": "/" separates levels as "." does; a "." in a
topic is "//"; an empty level, which a subject cannot have, is "/" beside its "."; "+" and "#" are "*" and ">".
"""

from typing import Final

STREAM: Final = "$MQTT_msgs"  # where nats-server keeps what was published at QoS 1
PREFIX: Final = "$MQTT.msgs."  # before each subject there


def subject_of_filter(topic: str) -> str:
    """Return the subject filter of an MQTT topic filter whose levels are not empty.

    Raises ValueError for an empty level, a space, or a wildcard within a level.
    """
    levels = topic.split("/")
    found = []
    for number, level in enumerate(levels):
        if level == "#" and number == len(levels) - 1:
            found.append(">")
        elif level == "+":
            found.append("*")
        elif not level or any(character in level for character in "+#*> \t"):
            raise ValueError(f"topic {topic!r}: NATS has no subject for the level {level!r}")
        else:
            found.append(level.replace(".", "//"))
    return ".".join(found)


def topic_of(subject: str) -> str:
    """Return the MQTT topic of a message's subject, with or without the prefix of nats-server's own stream."""
    plain = subject.removeprefix(PREFIX)
    if "/" not in plain:
        return plain.replace(".", "/")
    return "".join(_characters(plain))


def _characters(subject: str) -> list[str]:
    found, at = [], 0
    while at < len(subject):
        here, following = subject[at], subject[at + 1 : at + 2]
        if here == "/" and following == "/":
            found.append(".")
            at += 1
        elif here == "/" and following == ".":
            found.append("/")
            at += 1
        elif here == "/":
            pass  # the last level is empty: the "." before it has become its "/"
        else:
            found.append("/" if here == "." else here)
        at += 1
    return found
