"""A net that finds boards, stones and crossings on pictures as boxes (SSD), trained on drawn pictures.

Knows the renderer and the training loop; what reads pictures with it is `goengine.vision.detection_reader`.
"""
