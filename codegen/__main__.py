"""`python -m codegen` is `treaty`."""

import sys

from codegen.cli import main

sys.exit(main())
