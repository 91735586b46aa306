"""``python -m animalmm``."""

import sys

from animalmm.cli import main

sys.exit(main())
