"""TLS towards a broker."""

import ssl

from ingest.settings import TlsSettings


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """Return a context that verifies the broker, and shows our certificate when there is one."""
    context = ssl.create_default_context(cafile=tls.ca_file)
    if tls.certificate_file is not None:
        context.load_cert_chain(tls.certificate_file, tls.key_file)
    return context
