# SPDX-License-Identifier: Apache-2.0
"""Container images of holdfast, written without a container engine. deploy/image/README.md has the map."""
