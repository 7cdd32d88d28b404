"""Pictures of boards with exact truth, drawn for the training of readers: photos, screenshots, diagrams of books.

The same seed and number give the same picture. Needs numpy, numba, Pillow and OpenCV (the extra `vision`), no torch.
"""
