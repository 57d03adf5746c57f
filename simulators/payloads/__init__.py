"""What real models put in their frames, encoded from their makers' documents, never from `decoders/`."""
