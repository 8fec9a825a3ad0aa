# Copyright 2026 The genkitx authors
# SPDX-License-Identifier: Apache-2.0

"""The command line of the generated tables."""

import sys

from tools.readme_tables.run import main

sys.exit(main())
