/* SPDX-License-Identifier: Apache-2.0 */
/* Devices without /dev, which the agent's unit lacks (PrivateDevices=). Blocks.
 *
 * DEVNAME in /sys/dev/{char,block}/<major>:<minor>/uevent (sysfs(5)); udev's links in /run/udev/links, "\x2f" for
 * slashes. */
#pragma once

#include "node/probe.h"

/* Such as "/dev/serial/by-id/usb-...". */
bool hf_devices_has(const struct hf_probe_root *at, const char *path);
