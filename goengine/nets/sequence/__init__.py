"""Models of move tokens, as `goengine.nets` has nets: what one looks like, its layers, its file, its graph for OpenVINO."""
