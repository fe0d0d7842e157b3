/* SPDX-License-Identifier: Apache-2.0 */
/* Finds devices without /dev, which the agent's unit lacks. Blocks.
 *
 * Reads DEVNAME in /sys/dev/{char,block}/<major>:<minor>/uevent (sysfs(5)), and udev's links in /run/udev/links. */
#pragma once

#include "node/probe.h"

/* `path`: "/dev/serial/by-id/usb-...". */
bool hf_devices_has(const struct hf_probe_root *at, const char *path);
