-- Ingest tells supervision which codec it put in quarantine.
CREATE POLICY codecs ON supervision_events FOR INSERT TO samara_ingest WITH CHECK (kind = 'codec_quarantined');
GRANT INSERT ON supervision_events TO samara_ingest;
