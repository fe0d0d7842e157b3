# SPDX-License-Identifier: Apache-2.0
"""What a release publishes. hack/dist/README.md has the map."""

import os
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", ".."))
sys.path.insert(0, os.path.join(TOP, "deploy", "image"))          # processors, Debian trees, OCI layouts
