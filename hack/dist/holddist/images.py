# SPDX-License-Identifier: Apache-2.0
"""The container images: an OCI layout of each, for all processors, with the bill of materials of each image attached to it."""

import os

from holdimage import builder, oci

SPDX = "application/spdx+json"


def layouts(built, out):
    """Write NAME-VERSION.oci.tar of each image; `built`: {machine: (folder of its programs, Debian tree)}."""
    maker = builder.Builder(out, print)
    for name in builder.IMAGES:
        layout = oci.Layout()
        for one, (programs, root) in built.items():
            image, bill = maker.image(name, one, programs, root, one.tool("strip"))
            descriptor, _ = layout.add(image)
            layout.attach(descriptor, SPDX, bill)
        layout.write(os.path.join(out, f"{name}-{maker.version}.oci.tar"), maker.version, maker.notes(name))
