"""JavaScript codecs (LoRa Alliance TS013) in sandboxed worker processes.

`pool.CodecPool` is the door: calls in, results out. `worker` is the child it starts; `mapping` turns a result
into readings; `activation` says whether a codec may be used; `corpus` runs the examples of public collections.
"""
