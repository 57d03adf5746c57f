"""What ingest counts for Prometheus. One object, handed to whoever counts."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from store.writing import Written


class IngestMetrics:
    """Counters of one ingest process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.received = Counter("samara_received_total", "Messages received.", ["source"], registry=registry)
        self.stored = Counter("samara_stored_total", "Messages stored for the first time.", registry=registry)
        self.duplicates = Counter("samara_duplicates_total", "Redeliveries, stored already.", registry=registry)
        self.quarantined = Counter("samara_quarantined_total", "Messages set aside with a reason.", registry=registry)
        self.readings_set_aside = Counter(
            "samara_readings_set_aside_total", "Readings set aside, their uplink being stored.", registry=registry
        )
        self.held = Gauge("samara_held_messages", "Messages received and not yet durable.", registry=registry)
        self.held_bytes = Gauge("samara_held_bytes", "Bytes of the messages held.", registry=registry)
        self.store_up = Gauge("samara_store_up", "1 when the last batch reached the database.", registry=registry)
        self.spooled = Counter("samara_spooled_total", "Messages written to the disk spool.", registry=registry)
        self.spool_bytes = Gauge("samara_spool_bytes", "Bytes in the disk spool.", registry=registry)
        self.spool_full = Gauge("samara_spool_full", "1 while the spool refuses messages.", registry=registry)
        self.spool_damaged = Counter(
            "samara_spool_damaged_bytes_total", "Bytes of the spool whose checksum was wrong.", registry=registry
        )
        self.connected = Gauge("samara_broker_connected", "1 while subscribed.", ["source"], registry=registry)
        self.unconfirmed = Counter(
            "samara_unconfirmed_acknowledgements_total",
            "Acknowledgements that the JetStream cluster did not confirm in time, and that were sent again.",
            ["source"],
            registry=registry,
        )
        self.batch_messages = Histogram(
            "samara_batch_messages",
            "Messages a batch.",
            buckets=(1, 5, 20, 100, 500, 1000, 2000, 5000),
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "samara_batch_seconds",
            "Seconds from taking a batch to its commit.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10),
            registry=registry,
        )

        self.codec_kills = Gauge(
            "samara_codec_kills", "Sandbox processes ended because of a script, since the start.", registry=registry
        )
        self.codecs_quarantined = Gauge(
            "samara_codecs_quarantined", "Codecs in force that are not run; `samara codecs release`.", registry=registry
        )

    def follow_codecs(self, kills: Callable[[], float], quarantined: Callable[[], float]) -> None:
        """Show what JavaScript codecs do, asked whenever somebody looks."""
        self.codec_kills.set_function(kills)
        self.codecs_quarantined.set_function(quarantined)

    def count(self, written: Written) -> None:
        """Count what became of a batch."""
        self.stored.inc(written.stored)
        self.duplicates.inc(written.duplicates)
        self.quarantined.inc(written.quarantined)
        self.readings_set_aside.inc(written.readings_set_aside)
