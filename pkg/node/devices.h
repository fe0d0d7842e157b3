/* SPDX-License-Identifier: Apache-2.0 */
/* node/devices.h - finds a device of this machine by its path below /dev, without a look at /dev. The systemd unit of
 * the agent has a /dev of its own without devices (PrivateDevices=).
 *
 * The kernel's name of a device is DEVNAME in /sys/dev/char/<major>:<minor>/uevent and /sys/dev/block/... (sysfs(5)).
 * The links that udev makes are folders of /run/udev/links; their name is the path below /dev, with "\x2f" for each
 * slash. Reads some hundred small files. Threads: any. */
#pragma once

#include "node/probe.h"

/* Returns true if the machine has the device, such as "/dev/ttyUSB0" or "/dev/serial/by-id/usb-...". */
bool hf_devices_has(const struct hf_probe_root *at, const char *path);
