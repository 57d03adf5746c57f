"""Settings, command line, embedded services: how the parts are composed into processes."""
