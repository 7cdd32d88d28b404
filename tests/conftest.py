"""For all tests: nets of the user's own are not seen by them."""

import os

os.environ["GOENGINE_NETS"] = os.path.join(os.path.dirname(__file__), "no-nets-of-the-user")
