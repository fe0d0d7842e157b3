/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a device without /dev, which the agent's unit does not have (PrivateDevices=). Reads some hundred small files.
 *
 * DEVNAME in /sys/dev/{char,block}/<major>:<minor>/uevent (sysfs(5)); links of udev in /run/udev/links, with "\x2f" for
 * slashes. */
#pragma once

#include "node/probe.h"

/* Such as "/dev/serial/by-id/usb-...". */
bool hf_devices_has(const struct hf_probe_root *at, const char *path);
