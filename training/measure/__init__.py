"""What is measured of a net: prediction of games, calibration; and how it is shipped with its card."""
